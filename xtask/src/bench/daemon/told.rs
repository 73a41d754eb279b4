//! Figures of a daemon.

use super::super::figure::{Controllers, Figure};

/// Whose figures they are.
pub(super) struct Subject {
    /// The daemon, and what it serves.
    pub(super) of: String,
    /// The size of the groups.
    pub(super) apps: u32,
    /// What its memory is to be at most, in MB.
    pub(super) memory: Option<f64>,
}

impl Subject {
    pub(super) fn print(&self, name: &str, unit: &str, values: &[f64]) {
        self.print_with(name, unit, None, values);
    }

    /// The same of memory, for which there is a goal.
    pub(super) fn print_memory(&self, name: &str, values: &[f64]) {
        self.print_with(name, "MB", self.memory, values);
    }

    pub(super) fn print_with(&self, name: &str, unit: &str, goal: Option<f64>, values: &[f64]) {
        let figure = Figure {
            name,
            of: &self.of,
            unit,
            apps: self.apps,
            controllers: Controllers::Raised,
            goal,
        };
        figure.print(values);
    }
}
