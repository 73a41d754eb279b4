//! What is wrong with the files, said so that it can be put right.
//!
//! Input: messages with a place in a file. Output: all of them in the order of
//! the files, as text for people (with the line itself) or one line each. The
//! lines of `env` and `values` are never shown: they may hold secrets.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A file, or what stands for one, that problems point into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    path: String,
    text: String,
    /// Where each line starts.
    lines: Vec<usize>,
    /// Ranges of values that may be secrets, sorted; none is in another.
    private: Vec<Range<usize>>,
}

/// More problems than anybody reads are counted instead of shown.
const MOST_SHOWN: usize = 200;

/// Columns in which a line of a file is shown, at most.
const WIDEST: usize = 140;

/// Longer lines are not shown: no terminal has room for them.
const LONGEST_LINE: usize = 1000;

impl Source {
    /// A file with its text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let starts = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self {
            path: path.into(),
            lines: [0].into_iter().chain(starts).collect(),
            text,
            private: Vec::new(),
        }
    }

    /// Something without text: a folder, a file that cannot be read, the
    /// command line.
    pub fn named(path: impl Into<String>) -> Self {
        Self::new(path, "")
    }

    /// Keeps the lines that touch one of these ranges from being shown.
    #[must_use]
    pub fn with_private(mut self, mut private: Vec<Range<usize>>) -> Self {
        private.sort_by_key(|range| (range.start, range.end));
        self.private = private;
        self
    }

    /// The path as shown to people.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file's text with a mark in place of each line that is not to be shown.
    pub fn masked(&self) -> String {
        let mut masked = String::with_capacity(self.text.len());
        for start in self.lines.iter().copied() {
            let line = self.line(start);
            let text = &self.text[line.clone()];
            let is_hidden = self.is_private(&line) && !text.trim().is_empty();
            masked += if is_hidden { "(not shown)" } else { text };
            if self.text[line.end..].contains('\n') {
                masked.push('\n');
            }
        }
        masked
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let byte = self.text.floor_char_boundary(byte);
        let line = self.line_of(byte);
        let before = &self.text[self.lines[line]..byte];
        // A byte order mark is not a character people count.
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        (line + 1, column)
    }

    /// The line that a byte is in, from 1.
    pub fn line_number(&self, byte: usize) -> usize {
        self.line_of(byte) + 1
    }

    /// The index of the line that a byte is in.
    fn line_of(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start <= byte) - 1
    }

    /// The range of the line that a byte is in, without its end.
    fn line(&self, byte: usize) -> Range<usize> {
        let line = self.line_of(self.text.floor_char_boundary(byte));
        let start = self.lines[line];
        let next = self.lines.get(line + 1).copied();
        let text = &self.text[start..next.unwrap_or(self.text.len())];
        start..start + text.trim_end_matches(['\r', '\n']).len()
    }

    /// Whether a private value touches a line.
    fn is_private(&self, line: &Range<usize>) -> bool {
        let first = self.private.partition_point(|range| range.end < line.start);
        self.private
            .get(first)
            .is_some_and(|range| range.start <= line.end)
    }
}

/// Whether a problem keeps the file from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but somebody should know.
    Warning,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it keeps the file from being used.
    pub severity: Severity,
    /// The file.
    pub source: Arc<Source>,
    /// The bytes it is about; `None` if it is about the file as a whole.
    pub span: Option<Range<usize>>,
    /// What is wrong: lower-case start, no period.
    pub message: String,
    /// What to do about it, where the message does not say so.
    pub hint: Option<String>,
}

impl Problem {
    /// An error at a place in a file.
    pub fn error(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            source: Arc::clone(source),
            span: Some(span),
            message: on_one_line(&message.into()),
            hint: None,
        }
    }

    /// An error about something without a place.
    pub fn general(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            source: Arc::new(Source::named(path)),
            span: None,
            message: on_one_line(&message.into()),
            hint: None,
        }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(on_one_line(&hint.into()));
        self
    }

    /// The same with a hint, if there is one.
    #[must_use]
    pub fn maybe_hint(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// `file:line:column`, or the file alone.
    pub fn place(&self) -> String {
        let path = self.source.path();
        match &self.span {
            Some(span) => {
                let (line, column) = self.source.position(span.start);
                format!("{path}:{line}:{column}")
            }
            None => path.to_owned(),
        }
    }

    /// Several lines for people, the place in the first one; what is said is
    /// broken between words to fit into so many columns.
    pub fn render(&self, color: bool, columns: usize) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut report = annotate_snippets::Group::with_title(
            level.primary_title(broken(&self.to_string(), columns)),
        );
        if let Some(span) = self.shown() {
            let line = self.source.line(span.start);
            let number = self.source.position(span.start).0;
            let shown = span.start - line.start..span.end - line.start;
            report = report.element(
                Snippet::source(&self.source.text()[line])
                    .line_start(number)
                    .annotation(AnnotationKind::Primary.span(shown)),
            );
        }
        if let Some(hint) = &self.hint {
            report = report.element(Level::HELP.message(broken(hint, columns)));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.term_width(columns.min(WIDEST)).render(&[report])
    }

    /// What of the problem's first line may be shown.
    fn shown(&self) -> Option<Range<usize>> {
        let span = self.span.as_ref()?;
        let text = self.source.text();
        let line = self.source.line(span.start);
        let is_shown = line.len() <= LONGEST_LINE && !text[line.clone()].trim().is_empty();
        if !is_shown || self.source.is_private(&line) {
            return None;
        }
        let start = text.floor_char_boundary(span.start).min(line.end);
        let end = text.ceil_char_boundary(span.end).clamp(start, line.end);
        Some(start..end)
    }

    fn key(&self) -> (&str, usize, Severity, &str) {
        let start = self.span.as_ref().map_or(0, |span| span.start);
        (self.source.path(), start, self.severity, &self.message)
    }
}

/// One line: `file:line:column: message`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)
    }
}

impl PartialOrd for Problem {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Problem {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// Every problem once, sorted by file and place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(BTreeSet<Problem>);

impl Problems {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.0.insert(problem);
    }

    /// Whether there is neither an error nor a warning.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// The errors, in order.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.iter()
            .filter(|problem| problem.severity == Severity::Error)
    }

    /// The warnings, in order.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.iter()
            .filter(|problem| problem.severity == Severity::Warning)
    }

    /// Keeps only those for which `keep` holds.
    pub fn retain(&mut self, keep: impl FnMut(&Problem) -> bool) {
        self.0.retain(keep);
    }

    /// Of each file the first `most`, and at the next one how many more there are: who
    /// has put these right looks again.
    #[must_use]
    pub fn bounded(self, most: usize) -> Self {
        let mut kept = Self::new();
        let mut all = self.0.into_iter().peekable();
        while let Some(first) = all.next() {
            let source = Arc::clone(&first.source);
            let is_beside = |other: &Problem| other.source.path() == source.path();
            let beside = std::iter::from_fn(|| all.next_if(is_beside));
            let mut its = std::iter::once(first).chain(beside);
            kept.extend(its.by_ref().take(most));
            if let Some(next) = its.next() {
                let more = its.count() + 1;
                let message = match more {
                    1 => "there is 1 more problem".to_owned(),
                    more => format!("there are {more} more problems"),
                };
                kept.push(Problem {
                    message,
                    hint: None,
                    ..next
                });
            }
        }
        kept
    }

    /// All as text for people, with an empty line between them; the first 200
    /// if there are more, and the number of the others. See [`Problem::render`].
    pub fn render(&self, color: bool, columns: usize) -> String {
        let shown = self.iter().take(MOST_SHOWN);
        let mut rendered: Vec<_> = shown
            .map(|problem| problem.render(color, columns))
            .collect();
        if self.0.len() > MOST_SHOWN {
            rendered.push(format!("and {} more", self.0.len() - MOST_SHOWN));
        }
        rendered.join("\n\n")
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        self.0.extend(problems);
    }
}

impl FromIterator<Problem> for Problems {
    fn from_iter<I: IntoIterator<Item = Problem>>(problems: I) -> Self {
        Self(problems.into_iter().collect())
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::collections::btree_set::IntoIter<Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self::from_iter([problem])
    }
}

/// As [`Problems::render`], without colour.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, usize::MAX))
    }
}

impl std::error::Error for Problems {}

/// Columns that stand before what is said: `error: `, and those of a snippet.
const BEFORE: usize = 14;

/// The same on several lines, none of which is too long unless a word is.
fn broken(text: &str, columns: usize) -> String {
    let columns = columns.saturating_sub(BEFORE);
    let mut broken = String::with_capacity(text.len());
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > columns {
            broken.push('\n');
            used = 0;
        } else if used > 0 {
            broken.push(' ');
            used += 1;
        }
        broken.push_str(word);
        used += length;
    }
    broken
}

/// Names quoted in a message may have any characters.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// "did you mean": the known word that is closest to a misspelt one.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // The comparison takes the product of both lengths.
    if word.len() > 100 {
        return None;
    }
    let distance = |known: &&str| strsim::damerau_levenshtein(word, known);
    let best = known.into_iter().min_by_key(distance)?;
    let close = distance(&best) <= (word.chars().count() / 3).max(1);
    close.then(|| format!("did you mean `{best}`?"))
}

#[cfg(test)]
mod tests;
