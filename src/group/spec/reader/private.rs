//! Which parts of a document may hold secrets: the values below `env` and
//! `values`, a `token`, which no file has a place for, and addresses with a user.
//!
//! Input: the document. Output: byte ranges whose lines are never shown.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys whose values are private, and all that is below them.
const PRIVATE: [&str; 3] = ["env", "values", "token"];

/// The places of all private values of a document that could be read.
pub(super) fn values(root: &DeTable<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    below(root, false, &mut found);
    found
}

fn below(table: &DeTable<'_>, private: bool, found: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        let private = private || is_private(key.get_ref());
        within(value, private, found);
    }
}

fn within(value: &Spanned<DeValue<'_>>, private: bool, found: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => below(table, private, found),
        DeValue::Array(items) => items.iter().for_each(|item| within(item, private, found)),
        DeValue::String(text) if has_user(text) => found.push(value.span()),
        _ if private => found.push(value.span()),
        _ => {}
    }
}

/// The lines that could be private in a document with broken syntax: from any
/// line that names a private table to the next header.
pub(super) fn lines(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut private = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let words = |c: char| !c.is_alphanumeric() && c != '_' && c != '-';
        let names = line.split(words).any(is_private);
        private = names || (private && !is_header(line));
        if private {
            found.push(start..start + line.trim_end().len());
        }
        start += line.len();
    }
    found
}

/// Whether a key is private, or one of the private ones misspelt.
fn is_private(key: &str) -> bool {
    let near = |private: &&str| strsim::damerau_levenshtein(private, key) <= 1;
    PRIVATE.iter().any(near)
}

/// Whether it is an address that holds a user, and so perhaps a password.
fn has_user(text: &str) -> bool {
    let authority = text
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').next());
    authority.is_some_and(|authority| authority.contains('@'))
}

fn is_header(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "[]._-".contains(c);
    line.starts_with('[') && line.ends_with(']') && line.chars().all(allowed)
}
