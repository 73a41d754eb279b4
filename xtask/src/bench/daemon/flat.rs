//! Whether the daemon grows with the promotions that it has carried out, with fakes
//! instead of a cluster.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::told::Subject;
use crate::progress::Progress;
use crate::run;

/// The memory after so many promotions.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    promotions: f64,
    /// All that the process has of the machine, in kB.
    resident: f64,
    /// What of it is in use, in kB.
    live: f64,
}

/// Measures and prints it.
pub(super) fn run(progress: &mut Progress) -> Result<()> {
    let said = progress.step("promoting 2,000 times with fakes", || {
        // Fast enough as tests are built, and these are built already; an allocation
        // is as large either way.
        let words = ["bench", "--profile", "dev", "--quiet", "--bench", "flat"];
        run::output(Command::new(env!("CARGO")).args(words))
    })?;
    let samples = read(&said)?;
    let subject = Subject {
        of: "promoter's scheduler and engine".to_owned(),
        apps: 1,
        memory: None,
    };
    let of = |what: fn(&Sample) -> f64| samples.iter().map(what).collect::<Vec<_>>();
    let all = [
        ("live heap", of(|sample| sample.live)),
        ("resident memory", of(|sample| sample.resident)),
    ];
    let promotions = of(|sample| sample.promotions);
    for (what, kilobytes) in all {
        let name = |figure: &str| format!("flat over 2,000 promotions with fakes: {figure}");
        let (ratio, slope) = growth(&promotions, &kilobytes).context("too few samples")?;
        subject.print(&name(what), "kB", &kilobytes);
        let figure = format!("{what}, the last to the second");
        subject.print_with(&name(&figure), "ratio", Some(1.0), &[ratio]);
        let figure = format!("{what}, more for each promotion");
        subject.print_with(&name(&figure), "kB", Some(0.0), &[slope]);
    }
    Ok(())
}

/// The last sample to the second, and what was added for each promotion in between. The
/// first is while caches still fill.
fn growth(promotions: &[f64], kilobytes: &[f64]) -> Option<(f64, f64)> {
    let (from, to) = (promotions.get(1)?, promotions.last()?);
    let (before, after) = (kilobytes.get(1)?, kilobytes.last()?);
    Some((after / before, (after - before) / (to - from)))
}

/// The samples in what the benchmark wrote: a line of JSON each.
fn read(said: &str) -> Result<Vec<Sample>> {
    let lines = said.lines().filter(|line| line.starts_with('{'));
    let samples = lines.map(|line| {
        let line: Value = serde_json::from_str(line)?;
        let number = |key: &str| {
            line[key]
                .as_f64()
                .with_context(|| format!("no {key}: {line}"))
        };
        Ok(Sample {
            promotions: number("promotions")?,
            resident: number("resident_kb")?,
            live: number("live_kb")?,
        })
    });
    samples.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_from_the_second_sample_to_the_last() {
        let samples = read(
            "{\"promotions\":200,\"resident_kb\":50,\"live_kb\":10}\nsomething else\n\
             {\"promotions\":400,\"resident_kb\":100,\"live_kb\":20}\n\
             {\"promotions\":2000,\"resident_kb\":150,\"live_kb\":20}\n",
        );
        let samples = samples.expect("samples");
        assert_eq!(samples.len(), 3);
        let (ratio, slope) = growth(&[200.0, 400.0, 2000.0], &[50.0, 100.0, 150.0]).expect("three");
        assert!((ratio - 1.5).abs() < f64::EPSILON);
        assert!((slope - 0.031_25).abs() < f64::EPSILON);
        assert_eq!(growth(&[200.0], &[50.0]), None);
        assert!(read("{\"promotions\":200}\n").is_err());
    }
}
