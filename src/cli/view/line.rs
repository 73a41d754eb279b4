//! One line of coloured text whose width is known.
//!
//! Input: parts, each in one style. Output: the same with escape codes, or cut
//! to the columns of a terminal. What comes from outside is cleaned here: no
//! check's output or error can move the cursor or change colours.

use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar;

use anstyle::{AnsiColor, Style};

use crate::plan::color::Color;

/// As it is.
pub(in crate::cli) const PLAIN: Style = Style::new();
/// Headings and names that matter.
pub(in crate::cli) const BOLD: Style = Style::new().bold();
/// What matters less.
pub(in crate::cli) const DIM: Style = Style::new().dimmed();
/// Passed, added, promoted.
pub(in crate::cli) const GOOD: Style = AnsiColor::Green.on_default();
/// Failed, removed, not promoted.
pub(in crate::cli) const BAD: Style = AnsiColor::Red.on_default();
/// Worth a second look.
pub(in crate::cli) const WARN: Style = AnsiColor::Yellow.on_default();
/// Where in a text one is.
pub(in crate::cli) const PLACE: Style = AnsiColor::Cyan.on_default();

/// Stands where the rest of a line was cut off.
const CUT: char = '…';

/// The style of a group's colour.
pub(in crate::cli) fn of(color: Color) -> Style {
    match color {
        Color::Blue => AnsiColor::BrightBlue.on_default(),
        Color::Green => AnsiColor::Green.on_default(),
    }
}

/// A line made of parts, each in one style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Line(Vec<(Style, String)>);

impl Line {
    /// An empty line.
    pub(in crate::cli) fn new() -> Self {
        Self::default()
    }

    /// The line with one more part.
    #[must_use]
    pub(in crate::cli) fn with(mut self, style: Style, text: impl AsRef<str>) -> Self {
        self.0.push((style, clean(text.as_ref())));
        self
    }

    /// The line with one more part in no style.
    #[must_use]
    pub(in crate::cli) fn and(self, text: impl AsRef<str>) -> Self {
        self.with(PLAIN, text)
    }

    /// The line with another one behind it.
    #[must_use]
    pub(in crate::cli) fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The line with blanks up to a column.
    #[must_use]
    pub(in crate::cli) fn pad(self, column: usize) -> Self {
        let missing = column.saturating_sub(self.width());
        self.and(" ".repeat(missing))
    }

    /// Columns it takes.
    pub(in crate::cli) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| width(text)).sum()
    }

    /// Blanks it begins with.
    pub(in crate::cli) fn indent(&self) -> usize {
        let text: String = self.0.iter().map(|(_, text)| text.as_str()).collect();
        text.len() - text.trim_start_matches(' ').len()
    }

    /// As much of it as fits, with a mark that it was cut.
    #[must_use]
    pub(in crate::cli) fn cut(self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        let mut left = columns.saturating_sub(1);
        let mut parts = Vec::new();
        for (style, text) in self.0 {
            let fitting: String = text
                .chars()
                .take_while(|c| {
                    let fits = width_of(*c) <= left;
                    left = if fits { left - width_of(*c) } else { 0 };
                    fits
                })
                .collect();
            let whole = fitting.len() == text.len();
            parts.push((style, fitting));
            if !whole {
                break;
            }
        }
        match parts.last_mut() {
            Some((_, text)) if columns > 0 => text.push(CUT),
            _ => parts.clear(),
        }
        Self(parts)
    }

    /// The line broken between words into lines that fit, all but the first
    /// one indented.
    pub(in crate::cli) fn wrap(self, columns: usize, indent: usize) -> Vec<Self> {
        if self.width() <= columns {
            return vec![self];
        }
        let mut lines = vec![Self::new()];
        let mut used = 0;
        for (style, text) in self.0 {
            for word in text.split_inclusive(' ') {
                if word == " " && used >= columns {
                    continue;
                }
                let indented = lines.len() > 1;
                let fresh = used == if indented { indent } else { 0 };
                if !fresh && used + width(word.trim_end()) > columns {
                    if let Some((_, end)) = lines.last_mut().and_then(|line| line.0.last_mut()) {
                        end.truncate(end.trim_end().len());
                    }
                    lines.push(Self::new().and(" ".repeat(indent)));
                    used = indent;
                }
                used += width(word);
                if let Some(line) = lines.last_mut() {
                    line.0.push((style, word.to_owned()));
                }
            }
        }
        lines
    }

    /// With escape codes.
    pub(in crate::cli) fn styled(&self) -> String {
        let mut styled = String::new();
        for (style, text) in self.0.iter().filter(|(_, text)| !text.is_empty()) {
            let _ = write!(styled, "{style}{text}{style:#}");
        }
        styled
    }

    /// Without.
    pub(in crate::cli) fn plain(&self) -> String {
        let text: String = self.0.iter().map(|(_, text)| text.as_str()).collect();
        text.trim_end().to_owned()
    }
}

/// A text from outside as it may be shown on one line of a terminal.
pub(in crate::cli) fn clean(text: &str) -> String {
    if !text.contains(|c: char| c.is_control() || reorders(c)) {
        return text.to_owned();
    }
    let text = anstream::adapter::strip_str(text).to_string();
    // A progress bar overwrites its line again and again; the last one counts.
    let text = text.trim_end_matches(['\r', '\n']);
    let last = text.rsplit('\r').next().unwrap_or_default();
    let mut cleaned = String::with_capacity(last.len());
    for c in last.chars() {
        match c {
            '\t' => cleaned.push_str("    "),
            '\n' => cleaned.push(' '),
            c if c.is_control() || reorders(c) => {}
            c => cleaned.push(c),
        }
    }
    cleaned
}

/// Whether a character makes text read otherwise than it is written.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Columns a text takes.
pub(in crate::cli) fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// Columns a character takes.
fn width_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_to_columns() {
        let line = || Line::new().with(BOLD, "app").and(" is ready");
        assert_eq!(line().cut(12).plain(), "app is ready");
        assert_eq!(line().cut(11).plain(), "app is rea…");
        assert_eq!(line().cut(4).plain(), "app…");
        assert_eq!(line().cut(3).plain(), "ap…");
        assert_eq!(line().cut(1).plain(), "…");
        assert_eq!(line().cut(0).plain(), "");
        let wide = Line::new().and("日本語");
        assert_eq!(wide.clone().cut(6).plain(), "日本語");
        assert_eq!(wide.clone().cut(5).plain(), "日本…");
        assert_eq!(wide.cut(4).plain(), "日…");
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        let wrapped = |columns| {
            let line = Line::new()
                .with(BAD, "✗ ")
                .and("one two three")
                .with(DIM, " four");
            let lines = line.wrap(columns, 2).into_iter();
            lines.map(|line| line.plain()).collect::<Vec<_>>()
        };
        assert_eq!(wrapped(20), ["✗ one two three four"]);
        assert_eq!(wrapped(19), ["✗ one two three", "  four"]);
        assert_eq!(wrapped(9), ["✗ one two", "  three", "  four"]);
        assert_eq!(wrapped(3), ["✗", "  one", "  two", "  three", "  four"]);
    }

    #[test]
    fn only_styles_of_ours_reach_the_terminal() {
        let line = Line::new().with(BAD, "\u{1b}[2J\u{1b}]0;title\u{7}a\tb\u{202e}c");
        assert_eq!(line.plain(), "a    bc");
        assert_eq!(line.styled(), "\u{1b}[31ma    bc\u{1b}[0m");
        assert_eq!(clean("10%\r50%\r100%\r\n"), "100%");
    }
}
