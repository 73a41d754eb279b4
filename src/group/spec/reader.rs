//! Takes a TOML document apart and collects everything wrong with its form.
//!
//! Input: text, and a function that asks for the keys it knows. Output: what
//! the function made, and all problems. It never stops at the first one, tells
//! only some of what is no TOML at all, and never puts a value of `env` or
//! `values` into a message.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{Keys, Kind};
use super::{Entries, TextOrNumber};
use crate::group::problem::{Problem, Problems, Source, did_you_mean};

mod json;
mod private;

/// Most errors of syntax that are told of one document: the others mostly follow from
/// these, and what is no TOML at all has one in each few bytes.
const MOST: usize = 20;

/// Reads one document.
pub(super) struct Reader {
    pub(super) source: Arc<Source>,
    problems: Problems,
}

/// A table of the document, or what stands for one that is missing.
pub(super) struct Table<'t> {
    keys: Option<&'t DeTable<'t>>,
    /// What it may say.
    known: &'static Keys,
    /// Its header, or the table itself where it is inline.
    pub(super) place: Range<usize>,
}

type Written<'t> = Spanned<DeValue<'t>>;

impl<'t> Table<'t> {
    /// Whether it is not in the document.
    pub(super) fn is_missing(&self) -> bool {
        self.keys.is_none()
    }

    /// What is written under a key that the table has as a kind of this sort.
    fn get(&self, key: &str, is_sort: impl Fn(&Kind) -> bool) -> Option<&'t Written<'t>> {
        debug_assert!(
            self.known
                .all()
                .any(|known| known.name == key && is_sort(&known.kind)),
            "{} has no key `{key}` of this kind, so no file could have it",
            self.known.title
        );
        self.keys.and_then(|keys| keys.get(key))
    }
}

impl Reader {
    pub(super) fn read<T>(
        path: &str,
        text: &str,
        known: &'static Keys,
        take: impl FnOnce(&mut Self, &Table<'_>) -> T,
    ) -> (Option<T>, Problems) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut private = private::values(root.get_ref());
        if !errors.is_empty() {
            private.extend(private::lines(text));
        }
        let source = Arc::new(Source::new(path, text).with_private(private));
        if !errors.is_empty() {
            let problem = |error: toml::de::Error| {
                let span = error.span().unwrap_or_default();
                Problem::error(&source, span, error.message())
            };
            let problems: Problems = errors.into_iter().map(problem).collect();
            return (None, problems.bounded(MOST));
        }
        let mut reader = Self {
            source,
            problems: Problems::new(),
        };
        let root = reader.enter(root.get_ref(), known, 0..0);
        let made = take(&mut reader, &root);
        (Some(made), reader.problems)
    }

    /// Says which of its keys a table does not have, and which it has to.
    fn enter<'t>(
        &mut self,
        keys: &'t DeTable<'t>,
        known: &'static Keys,
        place: Range<usize>,
    ) -> Table<'t> {
        for key in keys.keys() {
            let name = key.get_ref().as_ref();
            if known.all().any(|known| known.name == name) {
                continue;
            }
            let names = || known.all().map(|known| known.name);
            let all = || names().collect::<Vec<_>>().join(", ");
            let hint =
                did_you_mean(name, names()).unwrap_or_else(|| format!("there are {}", all()));
            let message = format!("{} has no key `{name}`", known.title);
            self.problems
                .push(Problem::error(&self.source, key.span(), message).hint(hint));
        }
        for key in known.all().filter(|key| key.required) {
            if keys.contains_key(key.name) {
                continue;
            }
            let is_header = place.is_empty();
            let message = if is_header {
                format!("the table [{}] is missing", key.name)
            } else {
                format!("`{}` is missing", key.name)
            };
            self.problem(place.clone(), message);
        }
        Table {
            keys: Some(keys),
            known,
            place,
        }
    }

    pub(super) fn text(&mut self, table: &Table<'_>, key: &str) -> Option<Spanned<String>> {
        let value = table.get(key, Kind::is_text)?;
        self.string(value, &format!("`{key}`"))
    }

    /// A list of texts; none if it is missing.
    pub(super) fn texts(&mut self, table: &Table<'_>, key: &str) -> Vec<Spanned<String>> {
        let Some(value) = table.get(key, |kind| matches!(kind, Kind::Texts)) else {
            return Vec::new();
        };
        let Some(items) = value.get_ref().as_array() else {
            self.mismatch(
                value,
                &format!("`{key}`"),
                "a list of texts, like [\"one\", \"two\"]",
            );
            return Vec::new();
        };
        let what = format!("an entry of `{key}`");
        items
            .iter()
            .filter_map(|item| self.string(item, &what))
            .collect()
    }

    pub(super) fn integer(&mut self, table: &Table<'_>, key: &str) -> Option<Spanned<i64>> {
        let value = table.get(key, |kind| matches!(kind, Kind::Number(_)))?;
        let Some(written) = value.get_ref().as_integer() else {
            self.mismatch(value, &format!("`{key}`"), "a whole number");
            return None;
        };
        let number = i64::from_str_radix(written.as_str(), written.radix());
        if number.is_err() {
            self.problem(value.span(), format!("`{key}` is too large a number"));
        }
        Some(Spanned::new(value.span(), number.ok()?))
    }

    /// Text, or a number, whole or not.
    pub(super) fn text_or_number(
        &mut self,
        table: &Table<'_>,
        key: &str,
    ) -> Option<Spanned<TextOrNumber>> {
        let value = table.get(key, |kind| matches!(kind, Kind::TextOrAmount))?;
        let number = match value.get_ref() {
            DeValue::String(text) => {
                let text = TextOrNumber::Text(text.clone().into_owned());
                return Some(Spanned::new(value.span(), text));
            }
            DeValue::Integer(written) => {
                let number = i32::from_str_radix(written.as_str(), written.radix());
                number.ok().map(f64::from)
            }
            DeValue::Float(written) => written.as_str().parse().ok(),
            _ => {
                self.mismatch(value, &format!("`{key}`"), "text in quotes, or a number");
                return None;
            }
        };
        if number.is_none() {
            self.problem(value.span(), format!("`{key}` is too large a number"));
        }
        Some(Spanned::new(value.span(), TextOrNumber::Number(number?)))
    }

    pub(super) fn boolean(&mut self, table: &Table<'_>, key: &str) -> Option<Spanned<bool>> {
        let value = table.get(key, |kind| matches!(kind, Kind::Flag))?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.mismatch(value, &format!("`{key}`"), "true or false");
        }
        Some(Spanned::new(value.span(), flag?))
    }

    /// A table, or what stands for one that is missing.
    pub(super) fn table<'t>(
        &mut self,
        table: &Table<'t>,
        key: &str,
        known: &'static Keys,
    ) -> Table<'t> {
        let is_it = |kind: &Kind| matches!(kind, Kind::Table(keys) if keys.title == known.title);
        match self.keys(table, key, is_it) {
            Some((keys, place)) => self.enter(keys, known, place),
            None => Table {
                keys: None,
                known,
                place: Range::default(),
            },
        }
    }

    fn keys<'t>(
        &mut self,
        table: &Table<'t>,
        key: &str,
        is_sort: impl Fn(&Kind) -> bool,
    ) -> Option<(&'t DeTable<'t>, Range<usize>)> {
        let value = table.get(key, is_sort)?;
        let keys = value.get_ref().as_table();
        if keys.is_none() {
            self.mismatch(value, &format!("`{key}`"), "a table");
        }
        Some((keys?, value.span()))
    }

    /// The tables of a list like `[[app]]`.
    pub(super) fn tables<'t>(
        &mut self,
        table: &Table<'t>,
        key: &str,
        known: &'static Keys,
    ) -> Vec<Table<'t>> {
        let is_it = |kind: &Kind| matches!(kind, Kind::Tables(keys) if keys.title == known.title);
        let Some(value) = table.get(key, is_it) else {
            return Vec::new();
        };
        let expected = format!("a list of tables, each headed [[{key}]]");
        let Some(items) = value.get_ref().as_array() else {
            self.mismatch(value, &format!("`{key}`"), &expected);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(keys) => tables.push(self.enter(keys, known, item.span())),
                None => self.mismatch(item, &format!("`{key}`"), &expected),
            }
        }
        tables
    }

    /// A table of texts, like environment variables.
    pub(super) fn entries(
        &mut self,
        table: &Table<'_>,
        key: &str,
    ) -> Option<Spanned<Entries<String>>> {
        let (keys, place) = self.keys(table, key, |kind| matches!(kind, Kind::Entries))?;
        let mut entries = Vec::new();
        for (name, value) in keys {
            let what = format!("`{key}.{}`", name.get_ref());
            if let Some(text) = self.string(value, &what) {
                entries.push((owned(name), text.into_inner()));
            }
        }
        Some(Spanned::new(place, entries))
    }

    /// A table of anything that JSON can say.
    pub(super) fn json(&mut self, table: &Table<'_>, key: &str) -> Option<Spanned<Entries<Value>>> {
        let (keys, place) = self.keys(table, key, |kind| matches!(kind, Kind::Free))?;
        let mut entries = Vec::new();
        for (name, value) in keys {
            match json::from_toml(value) {
                Ok(value) => entries.push((owned(name), value)),
                Err((span, reason)) => self.problem(span, reason),
            }
        }
        Some(Spanned::new(place, entries))
    }

    fn string(&mut self, value: &Written<'_>, what: &str) -> Option<Spanned<String>> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.mismatch(value, what, "text in quotes");
        }
        text.map(|text| Spanned::new(value.span(), text.to_owned()))
    }

    fn mismatch(&mut self, value: &Written<'_>, what: &str, expected: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.problem(
            value.span(),
            format!("{what} must be {expected}, not {found}"),
        );
    }

    fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.problems
            .push(Problem::error(&self.source, span, message));
    }
}

fn owned(key: &Spanned<std::borrow::Cow<'_, str>>) -> Spanned<String> {
    Spanned::new(key.span(), key.get_ref().clone().into_owned())
}
