//! Writes lines that stay and, below them, lines that are drawn over.
//!
//! A frame is written at once and leaves the cursor below it, at the start of
//! a line, and the terminal as it was: the process may end at any moment.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::cli::view::Line;

/// Clears what is behind the cursor.
const CLEAR_LINE: &str = "\x1b[K";
/// Clears what is behind and below the cursor.
const CLEAR_BELOW: &str = "\x1b[J";
/// A line that is wider than was thought must not take a second row.
const NO_WRAP: &str = "\x1b[?7l";
/// Lines wrap again.
const WRAP: &str = "\x1b[?7h";

/// A terminal, and what is drawn on it.
pub(super) struct Screen<W> {
    out: W,
    color: bool,
    drawn: Vec<Line>,
    columns: usize,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W, color: bool) -> Self {
        Self {
            out,
            color,
            drawn: Vec::new(),
            columns: 0,
        }
    }

    /// Writes `above`, which stays, and `tree` in place of the last one.
    pub(super) fn frame(
        &mut self,
        above: &[Line],
        tree: Vec<Line>,
        columns: usize,
    ) -> io::Result<()> {
        if above.is_empty() && tree == self.drawn && columns == self.columns {
            return Ok(());
        }
        let mut frame = String::from("\r");
        let rows = self.rows(columns);
        if rows > 0 {
            let _ = write!(frame, "\x1b[{rows}A");
        }
        if columns != self.columns {
            // Lines that the terminal wrapped anew leave their ends behind.
            frame.push_str(CLEAR_BELOW);
        }
        for line in above {
            // A word that is too wide goes on in the next row.
            let clear = if line.width() % columns.max(1) == 0 {
                ""
            } else {
                CLEAR_LINE
            };
            let _ = write!(frame, "{CLEAR_LINE}{}{clear}\r\n", self.text(line));
        }
        frame.push_str(NO_WRAP);
        for line in &tree {
            // Behind a line of full width, clearing would take its last column.
            let _ = write!(frame, "{CLEAR_LINE}{}\r\n", self.text(line));
        }
        frame.push_str(CLEAR_BELOW);
        frame.push_str(WRAP);
        (self.drawn, self.columns) = (tree, columns);
        self.out.write_all(frame.as_bytes())?;
        self.out.flush()
    }

    /// Rows the last tree takes now: a terminal made narrower wraps its lines.
    fn rows(&self, columns: usize) -> usize {
        self.drawn
            .iter()
            .map(|line| line.width().div_ceil(columns.max(1)).max(1))
            .sum()
    }

    fn text(&self, line: &Line) -> String {
        if self.color {
            line.styled()
        } else {
            line.plain()
        }
    }
}
