//! How a promotion ended, in a word or two: the same words everywhere.

use super::Outcome;
use crate::promotion::ReasonKind;
use crate::promotion::phase::Phase;

/// How a promotion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// What it deployed serves.
    Promoted,
    /// It could not even be aborted.
    AbortStuck,
    /// A person moved traffic back.
    RolledBack,
    /// It lost pods inside `keep_old`.
    Regressed,
    /// A person stopped it.
    Stopped,
    /// The group is held.
    Held,
    /// An image of it is banned.
    Banned,
    /// A check failed.
    Failed,
    /// A check gave no verdict.
    Errored,
    /// The gate refused it.
    Refused,
    /// The candidate could not be deployed.
    NotDeployed,
}

impl Outcome {
    /// How it ended.
    pub fn ending(&self) -> Ending {
        let has = |kind| self.reasons.iter().any(|reason| reason.kind == kind);
        match self.phase {
            Phase::Promoted => Ending::Promoted,
            Phase::Failed => Ending::AbortStuck,
            _ if has(ReasonKind::RolledBack) => Ending::RolledBack,
            _ if has(ReasonKind::Regressed) => Ending::Regressed,
            _ if has(ReasonKind::Interrupted) => Ending::Stopped,
            _ if has(ReasonKind::Held) => Ending::Held,
            _ if has(ReasonKind::Banned) => Ending::Banned,
            _ if has(ReasonKind::Check) => Ending::Failed,
            _ if has(ReasonKind::CheckErrored) => Ending::Errored,
            _ if has(ReasonKind::Gate) => Ending::Refused,
            _ => Ending::NotDeployed,
        }
    }
}

impl Ending {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Promoted,
        Self::AbortStuck,
        Self::RolledBack,
        Self::Regressed,
        Self::Stopped,
        Self::Held,
        Self::Banned,
        Self::Failed,
        Self::Errored,
        Self::Refused,
        Self::NotDeployed,
    ];

    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::AbortStuck => "abort stuck",
            Self::RolledBack => "rolled back",
            Self::Regressed => "regressed",
            Self::Stopped => "stopped",
            Self::Held => "held",
            Self::Banned => "banned",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Refused => "refused",
            Self::NotDeployed => "not deployed",
        }
    }
}
