//! What shows that CI found the commit of an image good.
//!
//! Input: what was reported on a commit. Output: its [`Standing`]. A commit is
//! good only if something passed and nothing else speaks against it; whatever
//! is not known counts as not good. Nothing here asks anybody.

mod claim;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

pub use claim::{Claim, REVISION_LABEL, SOURCE_LABEL, claim};

/// Longest name of a report that is shown, in characters.
const LONGEST: usize = 60;

/// Images that a warning names one by one.
const NAMED: usize = 3;

/// A commit by its hash, in full or the beginning of it: 7 to 40 lower-case
/// hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commit(String);

/// The text is no commit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a commit has 7 to 40 hexadecimal digits")]
pub struct CommitError;

impl Commit {
    /// Digits of a whole hash.
    const FULL: usize = 40;

    /// Takes a hash, or the beginning of one, in either case.
    pub fn parse(text: &str) -> Result<Self, CommitError> {
        let is_hash = text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hash && (7..=Self::FULL).contains(&text.len()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(CommitError)
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the whole hash.
    pub fn is_full(&self) -> bool {
        self.0.len() == Self::FULL
    }

    /// Whether both may be the same commit: one begins with the other.
    pub fn agrees(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What CI says of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It passed.
    Good,
    /// It did not: what failed.
    Bad(String),
    /// It is not decided yet: what is awaited.
    Pending(String),
    /// CI does not say, and why that is.
    Unknown(String),
}

impl Standing {
    /// Why the commit proves nothing; `None`: it is good.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Good => None,
            Self::Bad(why) | Self::Pending(why) | Self::Unknown(why) => Some(why),
        }
    }

    /// Whether it stays like this unless somebody runs something again.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Good | Self::Bad(_))
    }
}

/// All that was reported on a commit, each word as GitHub writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reports {
    /// The last status of each context.
    pub statuses: Vec<CommitStatus>,
    /// The last check run of each name and app.
    pub runs: Vec<CheckRun>,
}

/// A status that something set on a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// Who set it, like `ci/build`.
    pub context: String,
    /// `success`, `pending`, `failure` or `error`.
    pub state: String,
}

/// A run of a check, like a job of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// What was run.
    pub name: String,
    /// `completed`, or what it is before that.
    pub status: String,
    /// How it ended, once it has.
    pub conclusion: Option<String>,
}

/// What one report means.
enum Says {
    Passed,
    /// Neither for nor against: it was skipped, or found nothing to say.
    Nothing,
    Pending(String),
    Failed(String),
}

/// What the reports on a commit come to. `required`: those that count, and all
/// of which must be there; empty: whatever there is counts.
///
/// Failures come before what is awaited, as nothing that is awaited undoes them.
pub fn standing(reports: &Reports, required: &[String]) -> Standing {
    let statuses = reports.statuses.iter().map(|status| {
        let says = status.says();
        (
            &status.context,
            format!("status {}", shown(&status.context)),
            says,
        )
    });
    let runs = reports.runs.iter().map(|run| {
        (
            &run.name,
            format!("check run {}", shown(&run.name)),
            run.says(),
        )
    });
    let mut missing: BTreeSet<&String> = required.iter().collect();
    let (mut failed, mut awaited) = (Vec::new(), Vec::new());
    let (mut passed, mut counted) = (0, 0);
    for (name, what, says) in statuses.chain(runs) {
        if !required.is_empty() && !required.contains(name) {
            continue;
        }
        missing.remove(name);
        counted += 1;
        match says {
            Says::Passed => passed += 1,
            Says::Nothing => {}
            Says::Pending(how) => awaited.push(format!("{what} {how}")),
            Says::Failed(how) => failed.push(format!("{what} {how}")),
        }
    }
    let missing = missing.into_iter();
    awaited.extend(missing.map(|name| format!("`{}` has not reported", shown(name))));
    if let Some(all) = together(failed) {
        Standing::Bad(all)
    } else if let Some(all) = together(awaited) {
        Standing::Pending(all)
    } else if counted == 0 {
        Standing::Unknown("nothing has reported on its commit".to_owned())
    } else if passed == 0 {
        Standing::Unknown("all that reported on its commit was skipped or neutral".to_owned())
    } else {
        Standing::Good
    }
}

impl CommitStatus {
    fn says(&self) -> Says {
        match self.state.as_str() {
            "success" => Says::Passed,
            "pending" => Says::Pending("is pending".to_owned()),
            "failure" => Says::Failed("failed".to_owned()),
            "error" => Says::Failed("errored".to_owned()),
            other => Says::Failed(format!("is `{}`", shown(other))),
        }
    }
}

impl CheckRun {
    fn says(&self) -> Says {
        let failed = |how: &str| Says::Failed(how.to_owned());
        match (self.status.as_str(), self.conclusion.as_deref()) {
            ("completed", Some("success")) => Says::Passed,
            ("completed", Some("neutral" | "skipped")) => Says::Nothing,
            ("completed", Some("failure")) => failed("failed"),
            ("completed", Some("timed_out")) => failed("timed out"),
            ("completed", Some("cancelled")) => failed("was cancelled"),
            ("completed", Some("action_required")) => failed("waits for somebody's action"),
            ("completed", Some("startup_failure")) => failed("could not start"),
            ("completed", Some("stale")) => failed("never ended"),
            ("completed", Some(other)) => Says::Failed(format!("is `{}`", shown(other))),
            ("completed", None) => Says::Pending("has no conclusion yet".to_owned()),
            (other, _) => Says::Pending(format!("has not ended ({})", shown(other))),
        }
    }
}

/// One of several texts, always the same one, and how many more there are.
fn together(mut all: Vec<String>) -> Option<String> {
    all.sort();
    let more = all.len().checked_sub(1)?;
    let first = all.swap_remove(0);
    Some(match more {
        0 => first,
        more => format!("{first}, and {more} more"),
    })
}

/// A word from outside, fit for one line of a terminal.
fn shown(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(LONGEST).map(visible).collect()
}

/// An image that is newer than the one that was chosen, and not proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Its tag.
    pub tag: String,
    /// Why.
    pub why: String,
}

/// What a person should know of a choice that passed these over.
pub fn warnings(passed: &[PassedOver]) -> Vec<String> {
    let named = passed.iter().take(NAMED);
    let mut warnings: Vec<_> = named
        .map(|PassedOver { tag, why }| format!("{tag} passed over: {why}"))
        .collect();
    if let Some(more) = passed.len().checked_sub(NAMED).filter(|more| *more > 0) {
        warnings.push(format!("{more} older ones passed over as well"));
    }
    warnings
}

/// The first of those that were passed over, and how many more there are.
pub(super) fn listed(passed: &[PassedOver]) -> String {
    let named = passed.iter().take(NAMED);
    let named: Vec<_> = named
        .map(|PassedOver { tag, why }| format!("`{tag}` ({why})"))
        .collect();
    match passed.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
