//! Who is told of what is asked of outside systems, so that it can be counted.
//!
//! A call is one request and what came of it; one that is repeated is told of
//! each time. It says no more than what has few values: no names of objects, no
//! addresses, no credentials.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// Takes note of calls.
pub trait Calls: Send + Sync {
    /// A call was made; must not block.
    fn made(&self, call: &Call<'_>);
}

/// One request to an outside system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// Who was asked.
    pub system: System<'a>,
    /// What for: an operation of AWS, or a verb of Kubernetes.
    pub operation: &'a str,
    /// What came of it.
    pub result: CallResult,
}

/// Who can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System<'a> {
    /// A service of AWS, by its name.
    Aws(&'a str),
    /// An API server.
    Kubernetes,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// It was answered as asked.
    Ok,
    /// It was turned away as one too many.
    Throttled,
    /// It was refused, or failed.
    Failed,
    /// Nobody answered.
    Unanswered,
}

impl CallResult {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Throttled => "throttled",
            Self::Failed => "failed",
            Self::Unanswered => "unanswered",
        }
    }
}

/// Whoever takes note, once somebody does. Clones are one.
#[derive(Clone, Default)]
pub struct Listener(Arc<OnceLock<Arc<dyn Calls>>>);

impl Listener {
    /// From now on they are told; whoever came first stays.
    pub fn listen(&self, calls: Arc<dyn Calls>) {
        // Somebody listens already.
        drop(self.0.set(calls));
    }

    /// A call was made.
    pub fn tell(&self, call: &Call<'_>) {
        if let Some(calls) = self.0.get() {
            calls.made(call);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listens = self.0.get().is_some();
        f.debug_tuple("Listener").field(&listens).finish()
    }
}
