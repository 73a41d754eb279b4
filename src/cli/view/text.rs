//! Several lines, one below the other.

use super::line::Line;

/// Collects lines and blocks of text.
#[derive(Debug)]
pub(super) struct Text {
    text: String,
    /// Longer lines are broken between words.
    columns: usize,
}

impl Text {
    /// Nothing yet; no line will be wider than this many columns.
    pub(super) fn new(columns: usize) -> Self {
        let text = String::new();
        Self { text, columns }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: Line) {
        let indent = line.indent().max(2);
        self.quote(line.wrap(self.columns, indent));
    }

    /// Adds lines.
    pub(super) fn lines(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            self.line(line);
        }
    }

    /// Adds lines that are somebody else's, and are not broken: logs, diffs.
    pub(super) fn quote(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            self.text.push_str(&line.styled());
            self.text.push('\n');
        }
    }

    /// Adds what is rendered already.
    pub(super) fn block(&mut self, block: &str) {
        self.text.push_str(block);
    }

    /// Adds an empty line, unless there is one or nothing is above it.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// All of it.
    pub(super) fn finish(self) -> String {
        self.text
    }
}
