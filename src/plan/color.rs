//! The two colours of a group.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Blue or Green: one is active and serves, the other is idle or the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// The colour a group starts with.
    Blue,
    /// The other one.
    Green,
}

impl Color {
    /// Both colours.
    pub const ALL: [Self; 2] = [Self::Blue, Self::Green];

    /// The colour that is not this one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// As it stands in names and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    /// The colour that a label's value names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|color| color.as_str() == text)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
