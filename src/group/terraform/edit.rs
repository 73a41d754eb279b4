//! Changes single keys of a TOML document and leaves everything else as it is.
//!
//! Input: tables of the document, and what keys have to say. Output: the same
//! tables. What says it already is not touched; a new key is written beside the
//! others in their manner, `=` below `=`.

mod list;

use toml_edit::{Item, RawString, Table, TableLike, Value};

/// Lets a key say something.
pub(super) fn set(table: &mut dyn TableLike, key: &str, value: impl Into<Value>) {
    let mut value = value.into();
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(written) if says_the_same(written, &value) => {}
        Some(written) => {
            // What stands around it, such as a comment behind it.
            *value.decor_mut() = written.decor().clone();
            *written = value;
        }
        None => {
            let padding = padding(table, key);
            table.insert(key, Item::Value(value));
            if let Some(mut key) = table.key_mut(key) {
                key.leaf_decor_mut().set_suffix(padding);
            }
        }
    }
}

/// Lets a key say these texts, in any order; those that stay keep their
/// comments.
pub(super) fn set_texts(table: &mut dyn TableLike, key: &str, texts: &[String]) {
    match table.get_mut(key).and_then(Item::as_array_mut) {
        Some(array) => list::set(array, texts),
        None => set(table, key, list::of(texts)),
    }
}

/// Takes a key out, and gives what it said and the comments above it.
pub(super) fn take(table: &mut dyn TableLike, key: &str) -> Option<(Item, String)> {
    let above = table.key(key).and_then(|key| key.leaf_decor().prefix());
    let above = above.and_then(RawString::as_str).unwrap_or_default();
    let above = above.to_owned();
    Some((table.remove(key)?, above))
}

/// Puts comments above a key, if there are any.
pub(super) fn put_above(table: &mut dyn TableLike, key: &str, comments: String) {
    if let Some(mut key) = table.key_mut(key).filter(|_| comments.contains('#')) {
        key.leaf_decor_mut().set_prefix(comments);
    }
}

/// A table of the document, which is added at its end if it is not there.
/// `None`: something else is there.
pub(super) fn table<'t>(
    root: &'t mut Table,
    trailing: &mut RawString,
    name: &str,
) -> Option<&'t mut dyn TableLike> {
    if !root.contains_key(name) {
        let mut table = Table::new();
        // Comments at the end of the file are about what stands above them.
        let above = trailing.as_str().unwrap_or_default();
        let is_first = root.is_empty() && above.is_empty();
        let gap = if is_first || above.ends_with("\n\n") {
            ""
        } else {
            "\n"
        };
        table.decor_mut().set_prefix(format!("{above}{gap}"));
        *trailing = RawString::default();
        root.insert(name, Item::Table(table));
    }
    root.get_mut(name).and_then(Item::as_table_like_mut)
}

/// Takes blanks before commas out of a table that is written on one line, as a
/// new key behind the last one leaves them.
pub(super) fn close_ranks(item: &mut Item) {
    let Some(table) = item.as_inline_table_mut() else {
        return;
    };
    let last = table.len().saturating_sub(1);
    for (n, (_, value)) in table.iter_mut().enumerate() {
        let suffix = value.decor().suffix().and_then(RawString::as_str);
        if suffix.is_none_or(|suffix| suffix.trim().is_empty()) {
            value
                .decor_mut()
                .set_suffix(if n == last { " " } else { "" });
        }
    }
}

/// Whether both are the same, however they are written.
fn says_the_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.value() == other.value(),
        (Value::Boolean(one), Value::Boolean(other)) => one.value() == other.value(),
        _ => false,
    }
}

/// Blanks that bring the `=` behind a new key below that of the last one.
fn padding(table: &dyn TableLike, key: &str) -> String {
    let last = table.iter().filter(|(_, item)| item.is_value()).last();
    let column = last.and_then(|(last, _)| {
        let blanks = table.key(last)?.leaf_decor().suffix()?.as_str()?;
        Some(last.len() + blanks.len())
    });
    let blanks = column.unwrap_or(0).saturating_sub(key.len()).max(1);
    " ".repeat(blanks)
}
