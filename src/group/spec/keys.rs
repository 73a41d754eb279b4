//! What a table may say: its keys, what each holds, and a line of help.
//!
//! The reader takes a document apart by these tables and editors are given them
//! as a schema, so that neither knows a key that the other does not.

use std::ops::RangeInclusive;

use crate::group::choice::Choice;

/// The keys of a table.
pub(super) struct Keys {
    /// What messages call it: `[group]`, `[[app]]`.
    pub(super) title: &'static str,
    /// Its keys; those that several tables share are a part of their own.
    pub(super) parts: &'static [&'static [Key]],
}

impl Keys {
    /// All keys, in the order they are told.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static Key> {
        self.parts.iter().copied().flatten()
    }
}

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether the table is not valid without it.
    pub(super) required: bool,
    /// What it says, for who writes it.
    pub(super) help: &'static str,
}

/// What a key holds.
pub(super) enum Kind {
    /// Text.
    Text,
    /// Text that is a duration.
    Duration,
    /// Text that is one of these words.
    Word(fn() -> Vec<&'static str>),
    /// A whole number within bounds.
    Number(RangeInclusive<i64>),
    /// Text, or a number above 0 that need not be whole.
    TextOrAmount,
    /// True or false.
    Flag,
    /// A list of texts.
    Texts,
    /// A table of texts under names that are free to choose.
    Entries,
    /// A table of anything that JSON can say.
    Free,
    /// A table.
    Table(&'static Keys),
    /// A list of tables.
    Tables(&'static Keys),
}

impl Kind {
    /// Whether it is written as text, whatever the text means.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Duration | Self::Word(_))
    }
}

impl Key {
    pub(super) const fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            kind,
            required: false,
            help,
        }
    }

    pub(super) const fn text(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Text, help)
    }

    pub(super) const fn duration(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Duration, help)
    }

    pub(super) const fn word<T: Choice>(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Word(T::words), help)
    }

    pub(super) const fn texts(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Texts, help)
    }

    /// The same, but the table needs it.
    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}
