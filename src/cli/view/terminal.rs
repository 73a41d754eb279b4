//! How much room a terminal has.

use comfy_table::Table;

/// Columns where none are told, as in a log of CI.
const COLUMNS: usize = 100;
/// Rows that fit into any but the smallest window.
const ROWS: usize = 20;

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Size {
    pub(in crate::cli) columns: usize,
    pub(in crate::cli) rows: usize,
}

/// Columns of the terminal that results are printed to.
pub fn width() -> usize {
    Table::new().width().map_or(COLUMNS, usize::from)
}

/// The terminal that progress is drawn on, as it is at this moment.
pub(in crate::cli) fn of_progress() -> Size {
    let columns = Table::new().use_stderr().width();
    Size {
        columns: columns.map_or(COLUMNS, usize::from),
        rows: ROWS,
    }
}
