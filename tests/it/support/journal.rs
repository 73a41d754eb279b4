//! Every port call, in order, in words that tests can look for.

use std::fmt;

/// One call of a port of the cluster or the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Whose.
    pub(crate) process: String,
    /// `create Deployment hello-a-blue`, `point hello-a to blue`, `write Checking`, …
    pub(crate) call: String,
    /// The epoch it was made under, if it was a write.
    pub(crate) epoch: Option<u64>,
    /// Why it was not done.
    pub(crate) error: Option<String>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.process, self.call)?;
        match &self.error {
            Some(error) => write!(f, " -> {error}"),
            None => Ok(()),
        }
    }
}

/// All calls of a test.
#[derive(Debug, Default, Clone)]
pub(crate) struct Journal(pub(crate) Vec<Entry>);

impl Journal {
    /// The calls that begin with these words.
    pub(crate) fn calls(&self, start: &str) -> Vec<&str> {
        let calls = self.0.iter().map(|entry| entry.call.as_str());
        calls.filter(|call| call.starts_with(start)).collect()
    }

    /// Where the first call that begins with these words stands.
    pub(crate) fn first(&self, start: &str) -> usize {
        let found = self.0.iter().position(|e| e.call.starts_with(start));
        found.unwrap_or_else(|| panic!("nobody called `{start}`:\n{self}"))
    }

    /// Where the last call that begins with these words stands.
    pub(crate) fn last(&self, start: &str) -> usize {
        let found = self.0.iter().rposition(|e| e.call.starts_with(start));
        found.unwrap_or_else(|| panic!("nobody called `{start}`:\n{self}"))
    }
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}
