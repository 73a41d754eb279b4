//! Why a group cannot be planned as it stands. All reasons are collected.

use std::fmt;

use super::object::ObjectRef;
use super::text::cut;

/// Most bytes of a reason: it may repeat what a manifest says, which may be anything.
const LONGEST: usize = 1500;

/// One reason why a plan is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it is about: an app, an object, the namespace.
    pub subject: String,
    /// What is wrong.
    pub reason: String,
    /// What to do about it; empty where the reason says it.
    pub hint: String,
}

impl Refusal {
    /// A refusal about an app.
    pub fn app(app: &impl fmt::Display, reason: impl Into<String>) -> Self {
        Self::about(format!("app {app}"), reason)
    }

    /// A refusal about one object of an app's manifest.
    pub fn object(app: &impl fmt::Display, object: &ObjectRef, reason: impl Into<String>) -> Self {
        Self::about(format!("app {app}, {object}"), reason)
    }

    /// A refusal about anything else.
    pub fn about(subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            reason: cut(&reason.into(), LONGEST),
            hint: String::new(),
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.reason)
    }
}
