//! What somebody promoted in spite of, with their reason.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Restraint;

/// That somebody promotes nevertheless, and in the face of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Why, in their words.
    pub reason: String,
    /// What kept the release from users when they said so. What comes later
    /// still does.
    pub known: Vec<Known>,
}

/// Something that was overridden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What tells it from anything else: 16 hexadecimal digits.
    pub id: String,
    /// What it is, in words; empty where a record had no room for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
}

impl Override {
    /// What can be overridden at once: the record has to have room for it.
    pub const MOST: usize = 20;

    /// One in the face of these.
    pub fn of(restraints: &[Restraint], reason: String) -> Self {
        let known = restraints.iter().map(|restraint| Known {
            id: restraint.id(),
            what: restraint.to_string(),
        });
        Self {
            reason,
            known: known.collect(),
        }
    }

    /// Whether it was made in the face of that.
    pub fn knew(&self, restraint: &Restraint) -> bool {
        let id = restraint.id();
        self.known.iter().any(|known| known.id == id)
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.known.iter().map(|known| known.what.as_str());
        let texts: Vec<_> = texts.filter(|what| !what.is_empty()).collect();
        write!(f, "{} ({})", self.reason, texts.join("; "))?;
        match self.known.len() - texts.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
