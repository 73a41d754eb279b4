//! Takes a TOML document apart and collects everything wrong with its form.
//!
//! Input: text, and a function that asks for the keys it knows. Output: what
//! the function made, and all problems. It never stops at the first one, and
//! it never puts a value of `env` or `values` into a message.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Entries;
use crate::group::problem::{Problem, Problems, Source, did_you_mean};

mod json;
mod private;

/// Reads one document.
pub(super) struct Reader {
    pub(super) source: Arc<Source>,
    problems: Problems,
}

/// A table of the document, or what stands for one that is missing.
#[derive(Default)]
pub(super) struct Table<'t> {
    keys: Option<&'t DeTable<'t>>,
    /// Its header, or the table itself where it is inline.
    pub(super) place: Range<usize>,
}

type Written<'t> = Spanned<DeValue<'t>>;

impl Table<'_> {
    /// Whether it is not in the document.
    pub(super) fn is_missing(&self) -> bool {
        self.keys.is_none()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
}

impl<'t> Table<'t> {
    fn get(&self, key: &str) -> Option<&'t Written<'t>> {
        self.keys.and_then(|keys| keys.get(key))
    }
}

impl Reader {
    pub(super) fn read<T>(
        path: &str,
        text: &str,
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
            return (None, errors.into_iter().map(problem).collect());
        }
        let mut reader = Self {
            source,
            problems: Problems::new(),
        };
        let root = Table {
            keys: Some(root.get_ref()),
            place: 0..0,
        };
        let made = take(&mut reader, &root);
        (Some(made), reader.problems)
    }

    /// Says which keys there are that nobody will ask for.
    pub(super) fn known(&mut self, table: &Table<'_>, what: &str, known: &[&str]) {
        for key in table.keys.into_iter().flat_map(DeTable::keys) {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let hint = did_you_mean(name, known.iter().copied())
                .unwrap_or_else(|| format!("there are {}", known.join(", ")));
            let message = format!("{what} has no key `{name}`");
            self.problems
                .push(Problem::error(&self.source, key.span(), message).hint(hint));
        }
    }

    /// Says that a key is missing.
    pub(super) fn missing(&mut self, table: &Table<'_>, key: &str) {
        let message = format!("`{key}` is missing");
        self.problem(table.place.clone(), message);
    }

    pub(super) fn text(&mut self, table: &Table<'_>, key: &str) -> Option<Spanned<String>> {
        let value = table.get(key)?;
        self.string(value, &format!("`{key}`"))
    }

    pub(super) fn required_text(
        &mut self,
        table: &Table<'_>,
        key: &str,
    ) -> Option<Spanned<String>> {
        // That the whole table is missing has been said.
        if !table.is_missing() && !table.has(key) {
            self.missing(table, key);
        }
        self.text(table, key)
    }

    /// A list of texts; none if it is missing.
    pub(super) fn texts(&mut self, table: &Table<'_>, key: &str) -> Vec<Spanned<String>> {
        let Some(value) = table.get(key) else {
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
        let value = table.get(key)?;
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

    pub(super) fn boolean(&mut self, table: &Table<'_>, key: &str) -> Option<Spanned<bool>> {
        let value = table.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.mismatch(value, &format!("`{key}`"), "true or false");
        }
        Some(Spanned::new(value.span(), flag?))
    }

    pub(super) fn table<'t>(&mut self, table: &Table<'t>, key: &str) -> Option<Table<'t>> {
        let value = table.get(key)?;
        let keys = value.get_ref().as_table();
        if keys.is_none() {
            self.mismatch(value, &format!("`{key}`"), "a table");
        }
        let place = value.span();
        keys.map(|keys| Table {
            keys: Some(keys),
            place,
        })
    }

    pub(super) fn required_table<'t>(&mut self, table: &Table<'t>, key: &str) -> Table<'t> {
        if !table.has(key) {
            self.problem(table.place.clone(), format!("the table [{key}] is missing"));
        }
        self.table(table, key).unwrap_or_default()
    }

    /// The tables of a list like `[[app]]`.
    pub(super) fn tables<'t>(&mut self, table: &Table<'t>, key: &str) -> Vec<Table<'t>> {
        let Some(value) = table.get(key) else {
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
                Some(keys) => tables.push(Table {
                    keys: Some(keys),
                    place: item.span(),
                }),
                None => self.mismatch(item, &format!("`{key}`"), &expected),
            }
        }
        tables
    }

    /// A table of texts, like environment variables.
    pub(super) fn env(&mut self, table: &Table<'_>, key: &str) -> Option<Spanned<Entries<String>>> {
        let inner = self.table(table, key)?;
        let mut entries = Vec::new();
        for (name, value) in inner.keys.into_iter().flatten() {
            let what = format!("`{key}.{}`", name.get_ref());
            if let Some(text) = self.string(value, &what) {
                entries.push((owned(name), text.into_inner()));
            }
        }
        Some(Spanned::new(inner.place, entries))
    }

    /// A table of anything that JSON can say.
    pub(super) fn json(&mut self, table: &Table<'_>, key: &str) -> Option<Spanned<Entries<Value>>> {
        let inner = self.table(table, key)?;
        let mut entries = Vec::new();
        for (name, value) in inner.keys.into_iter().flatten() {
            match json::from_toml(value) {
                Ok(value) => entries.push((owned(name), value)),
                Err((span, reason)) => self.problem(span, reason),
            }
        }
        Some(Spanned::new(inner.place, entries))
    }

    /// The table `values`.
    pub(super) fn values(&mut self, table: &Table<'_>) -> BTreeMap<String, Value> {
        let entries = self.json(table, "values").map(Spanned::into_inner);
        let entries = entries.into_iter().flatten();
        entries
            .map(|(key, value)| (key.into_inner(), value))
            .collect()
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
