//! How much room a terminal has.

use std::io;
use std::os::fd::AsFd;

use terminal_size::{Height, Width, terminal_size_of};

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Size {
    pub(in crate::cli) columns: usize,
    pub(in crate::cli) rows: usize,
}

/// Where none is told, as in a log of CI.
const UNKNOWN: Size = Size {
    columns: 100,
    rows: 20,
};

/// Columns of the terminal that results are printed to.
pub(in crate::cli) fn width() -> usize {
    size_of(io::stdout()).columns
}

/// Columns that results have.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// For tables.
    pub(in crate::cli) table: usize,
    /// For sentences. What goes to a file or a program is not broken into
    /// lines, as it may be searched.
    pub(in crate::cli) prose: usize,
}

impl Room {
    /// As much as standard output has.
    pub fn of_results() -> Self {
        Self {
            table: width(),
            prose: prose(),
        }
    }
}

/// The same room for both.
impl From<usize> for Room {
    fn from(columns: usize) -> Self {
        Self {
            table: columns,
            prose: columns,
        }
    }
}

/// Columns for sentences on standard output.
pub(in crate::cli) fn prose() -> usize {
    broken_at(io::stdout())
}

/// Columns for sentences on standard error.
pub(in crate::cli) fn messages() -> usize {
    broken_at(io::stderr())
}

fn broken_at(stream: impl AsFd) -> usize {
    terminal_size_of(stream).map_or(usize::MAX, |(Width(columns), _)| columns.into())
}

/// The terminal that progress is drawn on, as it is at this moment.
pub(in crate::cli) fn of_progress() -> Size {
    size_of(io::stderr())
}

fn size_of(stream: impl AsFd) -> Size {
    terminal_size_of(stream).map_or(UNKNOWN, |(Width(columns), Height(rows))| Size {
        columns: columns.into(),
        rows: rows.into(),
    })
}
