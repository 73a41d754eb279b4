//! The one table of exit codes (design: exit codes). Scripts rely on it.

use std::process::ExitCode;

use crate::promotion::ReasonKind;
use crate::promotion::phase::Phase;
use crate::promotion::record::Outcome;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: promoted, or nothing to do.
    Success,
    /// 1: a mistake in promoter.
    Unexpected,
    /// 2: usage, or what the files say.
    Usage,
    /// 3: a check failed or timed out.
    CheckFailed,
    /// 4: the gate refused for another reason.
    Refused,
    /// 5: the candidate did not become ready, or could not be applied.
    DeployFailed,
    /// 6: somebody else holds the group's lock.
    Locked,
    /// 7: an outside system failed; also a check without a verdict.
    Outside,
    /// 10: `plan --detailed-exitcode` found changes.
    Changes,
    /// 130: interrupted, or rolled back, by a person.
    Interrupted,
}

impl Exit {
    /// How a promotion's end is told to the shell.
    pub fn of(outcome: &Outcome) -> Self {
        if outcome.phase == Phase::Promoted {
            return Self::Success;
        }
        // The first kind that is there decides: what a person did before what
        // the apps did, what they did before what surrounds them.
        let has = |kind| outcome.reasons.iter().any(|reason| reason.kind == kind);
        let ranked = [
            (ReasonKind::Interrupted, Self::Interrupted),
            (ReasonKind::RolledBack, Self::Interrupted),
            (ReasonKind::Held, Self::Refused),
            (ReasonKind::Banned, Self::Refused),
            (ReasonKind::Check, Self::CheckFailed),
            (ReasonKind::CheckErrored, Self::Outside),
            (ReasonKind::Gate, Self::Refused),
        ];
        let found = ranked.into_iter().find(|(kind, _)| has(*kind));
        found.map_or(Self::DeployFailed, |(_, exit)| exit)
    }

    /// The code itself.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::CheckFailed => 3,
            Self::Refused => 4,
            Self::DeployFailed => 5,
            Self::Locked => 6,
            Self::Outside => 7,
            Self::Changes => 10,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
