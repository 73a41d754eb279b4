//! A figure: what was measured in several rounds, in one line of JSON.

use serde_json::{Value, json};

use crate::progress;

/// What was measured, and of whom.
pub(super) struct Figure<'a> {
    pub(super) name: &'a str,
    /// Who was measured; for a ratio, both.
    pub(super) of: &'a str,
    pub(super) unit: &'a str,
    /// The size of the group.
    pub(super) apps: u32,
    pub(super) controllers: Controllers,
    /// What the project aims at, as at most so much.
    pub(super) goal: Option<f64>,
}

/// How many requests a second the cluster's controllers may send, without which
/// no pod comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controllers {
    /// As Kubernetes ships them: 20, which a large group has to wait for.
    Shipped,
    /// As the testbed runs them otherwise: 100.
    Raised,
}

impl Controllers {
    fn name(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Raised => "raised",
        }
    }
}

impl Figure<'_> {
    /// Prints it. Without a value there is nothing to print.
    pub(super) fn print(&self, values: &[f64]) {
        if let Some(line) = self.line(values) {
            progress::print(&format!("{line}\n"));
        }
    }

    fn line(&self, values: &[f64]) -> Option<Value> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (sorted.first()?, sorted.last()?);
        let mut line = json!({
            "figure": self.name,
            "of": self.of,
            "unit": self.unit,
            "apps": self.apps,
            "controllers": self.controllers.name(),
            "rounds": values.len(),
            "median": rounded(quantile(&sorted, 2)),
            "min": rounded(*first),
            "max": rounded(*last),
            "quartiles": [rounded(quantile(&sorted, 1)), rounded(quantile(&sorted, 3))],
            "values": values.iter().copied().map(rounded).collect::<Vec<_>>(),
        });
        if let Some(goal) = self.goal {
            line["goal"] = json!(goal);
        }
        Some(line)
    }
}

/// A quartile of sorted values, between two of them where none is at its place.
fn quantile(sorted: &[f64], quarter: usize) -> f64 {
    let place = (sorted.len() - 1) * quarter;
    let (below, rest) = (place / 4, place % 4);
    let above = (below + 1).min(sorted.len() - 1);
    #[expect(clippy::cast_precision_loss, reason = "it is 0 to 3")]
    let share = rest as f64 / 4.0;
    sorted[below] + (sorted[above] - sorted[below]) * share
}

/// As exact as a reader can make use of.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_median_and_spread() {
        let figure = Figure {
            name: "time to switch",
            of: "promoter",
            unit: "s",
            apps: 8,
            controllers: Controllers::Raised,
            goal: Some(1.1),
        };
        let line = figure.line(&[3.0, 1.0, 2.0, 10.0]).expect("values");
        assert_eq!(line["median"], 2.5);
        assert_eq!(line["min"], 1.0);
        assert_eq!(line["max"], 10.0);
        assert_eq!(line["quartiles"], json!([1.75, 4.75]));
        assert_eq!(line["rounds"], 4);
        assert_eq!(line["controllers"], "raised");
        assert_eq!(line["goal"], 1.1);
        assert!(figure.line(&[]).is_none());
    }

    #[test]
    fn a_single_value_is_its_own_spread() {
        assert!((quantile(&[5.0], 1) - 5.0).abs() < f64::EPSILON);
        assert!((quantile(&[5.0], 3) - 5.0).abs() < f64::EPSILON);
    }
}
