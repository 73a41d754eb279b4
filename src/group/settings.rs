//! Every setting of a group and of its environment: what holds, and who says so.
//!
//! Input: what was written, and the valid [`Group`] that came of it. Output: a
//! row for each key a file can have, also where none has it. Values below `env`
//! and `values` may be secrets: only their names are told.

mod environment;
mod group;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

pub use environment::environment;
pub use group::group;

use super::choice::Choice;
use super::duration::Short;
use super::problem::Source;
use super::spec::{Entries, Spanned};

/// A setting, under the name it has in its file: `strategy.keep_old`,
/// `app.hello-a.branch`.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What holds.
    pub value: Shown,
    /// Who says so.
    pub from: Origin,
}

/// As much of a value as may be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// There is none.
    Nothing,
    /// The value.
    Is(Value),
    /// It may be secret; these names are not.
    Hidden(Vec<String>),
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: there is no value.
    Unset,
    /// It holds unless somebody says otherwise.
    BuiltIn,
    /// A line of a file, from 1.
    File {
        /// Its path, as shown to people.
        path: String,
        /// The line.
        line: usize,
    },
    /// The command line.
    CommandLine,
    /// An environment variable.
    Variable(&'static str),
    /// Something else of the machine.
    Machine(&'static str),
}

/// For people: `groups/master.toml:12`, `built-in`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("not set"),
            Self::BuiltIn => f.write_str("built-in"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::CommandLine => f.write_str("command line"),
            Self::Variable(name) => f.write_str(name),
            Self::Machine(what) => f.write_str(what),
        }
    }
}

impl Setting {
    /// A setting; without an origin it is built in, or not set.
    pub fn new(name: impl Into<String>, value: impl Into<Shown>, from: Option<Origin>) -> Self {
        let value = value.into();
        let unsaid = match value {
            Shown::Nothing => Origin::Unset,
            Shown::Is(_) | Shown::Hidden(_) => Origin::BuiltIn,
        };
        Self {
            name: name.into(),
            from: from.unwrap_or(unsaid),
            value,
        }
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self::Is(text.into())
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Self::Is(text.into())
    }
}

impl From<&Path> for Shown {
    fn from(path: &Path) -> Self {
        path.display().to_string().into()
    }
}

impl From<Duration> for Shown {
    fn from(duration: Duration) -> Self {
        Short(duration).to_string().into()
    }
}

impl From<Vec<String>> for Shown {
    fn from(list: Vec<String>) -> Self {
        Self::Is(list.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Shown {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// A number, a flag, a table.
fn is(value: impl Into<Value>) -> Shown {
    Shown::Is(value.into())
}

fn word<T: Choice>(value: T) -> Shown {
    value.word().into()
}

fn names<T>(written: Option<&Spanned<Entries<T>>>) -> Shown {
    let names = |entries: &Spanned<Entries<T>>| {
        let entries = entries.get_ref().iter();
        Shown::Hidden(entries.map(|(name, _)| name.get_ref().clone()).collect())
    };
    written.map_or(Shown::Nothing, names)
}

/// The line a value is in.
fn at<T>(source: &Source, written: Option<&Spanned<T>>) -> Option<Origin> {
    let start = written?.span().start;
    Some(Origin::File {
        path: source.path().to_owned(),
        line: source.line_number(start),
    })
}
