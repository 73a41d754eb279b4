//! Several lines, one below the other.

use super::line::Line;

/// Collects lines and blocks of text.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: Line) {
        self.lines([line]);
    }

    /// Adds lines.
    pub(super) fn lines(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            self.0.push_str(&line.styled());
            self.0.push('\n');
        }
    }

    /// Adds what is rendered already.
    pub(super) fn block(&mut self, block: &str) {
        self.0.push_str(block);
    }

    /// Adds an empty line, unless there is one or nothing is above it.
    pub(super) fn gap(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    /// All of it.
    pub(super) fn finish(self) -> String {
        self.0
    }
}
