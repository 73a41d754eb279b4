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
pub fn width() -> usize {
    size_of(io::stdout()).columns
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
