//! Collects problems of one file while its values are parsed.
//!
//! Input: written values and the parsers of their types. Output: the valid
//! ones; for every other one a problem at its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use crate::group::choice::Choice;
use crate::group::problem::{Problem, Problems, Source, did_you_mean};
use crate::group::spec::{Entries, Spanned};

/// Names that are compared with all others in search of what was meant. Nobody
/// reads more hints, and a file may hold a hundred thousand names.
const MOST_COMPARED: usize = 50;

pub(super) struct Report {
    source: Arc<Source>,
    pub(super) problems: Problems,
    compared: usize,
}

impl Report {
    pub(super) fn new(source: &Arc<Source>) -> Self {
        Self {
            source: Arc::clone(source),
            problems: Problems::new(),
            compared: 0,
        }
    }

    pub(super) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Makes an error to be pushed.
    pub(super) fn error(&self, place: &Range<usize>, message: impl Into<String>) -> Problem {
        Problem::error(&self.source, place.clone(), message)
    }

    pub(super) fn parse<T, E: Display>(
        &mut self,
        written: Option<&Spanned<String>>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let written = written?;
        parse(written.get_ref())
            .map_err(|error| self.push(self.error(&written.span(), error.to_string())))
            .ok()
    }

    /// Complains about names that are in a list more than once.
    pub(super) fn each_once(&mut self, names: &[Spanned<String>]) {
        let mut seen = BTreeMap::new();
        for name in names {
            self.once(&mut seen, name, "");
        }
    }

    /// Complains if the name was seen before.
    pub(super) fn once<'a>(
        &mut self,
        seen: &mut BTreeMap<&'a str, usize>,
        name: &'a Spanned<String>,
        what: &str,
    ) {
        let start = name.span().start;
        if let Some(first) = seen.insert(name.get_ref(), start) {
            let line = self.source.line_number(first);
            let message = format!("{what}`{}` is already in line {line}", name.get_ref());
            self.push(self.error(&name.span(), message));
        }
    }

    /// Which of the group's apps may have been meant.
    pub(super) fn meant(&mut self, name: &str, apps: &BTreeSet<&str>) -> Option<String> {
        self.compared += 1;
        if self.compared > MOST_COMPARED {
            return None;
        }
        did_you_mean(name, apps.iter().copied())
    }

    /// Takes one of several words.
    pub(super) fn choice<T: Choice>(
        &mut self,
        written: Option<&Spanned<String>>,
        key: &str,
    ) -> Option<T> {
        let written = written?;
        let found = T::WORDS.iter().find(|(word, _)| word == written.get_ref());
        if found.is_none() {
            let words = T::words();
            let message = format!("`{key}` cannot be `{}`", written.get_ref());
            let hint = did_you_mean(written.get_ref(), words.iter().copied());
            let hint = hint.unwrap_or_else(|| format!("write {}", quoted(&words)));
            self.push(self.error(&written.span(), message).hint(hint));
        }
        found.map(|(_, choice)| *choice)
    }

    /// Takes a number within bounds.
    pub(super) fn number<T: TryFrom<i64>>(
        &mut self,
        written: Option<&Spanned<i64>>,
        key: &str,
        bounds: RangeInclusive<i64>,
    ) -> Option<T> {
        let written = written?;
        let number = Some(*written.get_ref()).filter(|number| bounds.contains(number));
        if number.is_none() {
            let (least, most) = (bounds.start(), bounds.end());
            let message = format!(
                "`{key}` must be from {least} to {most}, not {}",
                written.get_ref()
            );
            self.push(self.error(&written.span(), message));
        }
        number.and_then(|number| T::try_from(number).ok())
    }

    /// Takes environment variables.
    pub(super) fn env(
        &mut self,
        written: Option<&Spanned<Entries<String>>>,
    ) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for (name, value) in written.into_iter().flat_map(Spanned::get_ref) {
            let text = name.get_ref();
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            if text.is_empty()
                || text.starts_with(|c: char| c.is_ascii_digit())
                || !text.chars().all(allowed)
            {
                let message = format!("`{text}` cannot be the name of an environment variable");
                let problem = self.error(&name.span(), message);
                self.push(problem.hint(
                    "use letters, digits, `_`, `.` and `-`, and start with none of the digits",
                ));
            }
            env.insert(text.clone(), value.clone());
        }
        env
    }

    /// A file says the name it has itself, so that the name finds the file.
    pub(super) fn same_as_stem(&mut self, name: Option<&Spanned<String>>) {
        let Some(name) = name else { return };
        let stem = stem(self.source.path());
        if name.get_ref() != stem {
            let message = format!("the name `{}` is not that of the file", name.get_ref());
            let hint = format!(
                "write name = \"{stem}\", or call the file {}.toml",
                name.get_ref()
            );
            self.push(self.error(&name.span(), message).hint(hint));
        }
    }
}

/// A file's name without its folder and `.toml`.
fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".toml").unwrap_or(name)
}

/// `"a", "b" or "c"`.
fn quoted(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.join(""),
    }
}
