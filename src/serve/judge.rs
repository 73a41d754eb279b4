//! What an engine call came to: for the agenda of its group, and for people.

use std::time::Duration;

use crate::engine::propose::ProposeError;
use crate::engine::resolve::ResolveError;
use crate::engine::{Deployed, EngineError};
use crate::port::registry::Said;
use crate::port::{ClusterError, LockError};
use crate::promotion::agenda::Came;
use crate::promotion::phase::Phase;
use crate::promotion::record::Outcome;
use crate::promotion::restraint::Restraint;
use crate::promotion::{ReasonKind, Trigger};

/// How soon a lock that somebody has is asked for again.
pub(super) const LOCKED: Duration = Duration::from_secs(10);
/// How soon it is looked whether what is in the way is gone; a change that the cluster
/// shows ends the wait.
const RESTRAINED: Duration = Duration::from_mins(10);

/// What people should know of how a job ended, where no event of a promotion says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Says {
    /// It is as it should be.
    Well(String),
    /// Something is wrong.
    Wrong(String),
}

/// What there is to say of a promotion.
pub(super) fn says(deployed: &Result<Deployed, EngineError>) -> Option<Says> {
    match deployed {
        Ok(Deployed::UpToDate(_)) => Some(Says::Well("nothing new to promote".to_owned())),
        Ok(Deployed::Met) => Some(Says::Well("done by another daemon".to_owned())),
        Ok(Deployed::Refused(restraints)) => {
            let why: Vec<_> = restraints.iter().map(ToString::to_string).collect();
            Some(Says::Well(format!("not promoted: {}", why.join("; "))))
        }
        Ok(
            Deployed::Ended { .. }
            | Deployed::Detached(_)
            | Deployed::Unfinished(_)
            | Deployed::Stopped,
        ) => None,
        Err(error) => {
            let why = Said::of(error).0;
            Some(Says::Wrong(format!("not promoted: {why}")))
        }
    }
}

/// What came of a promotion that was started by `trigger`.
pub(super) fn came(deployed: &Result<Deployed, EngineError>, trigger: Trigger) -> Came {
    match deployed {
        Ok(Deployed::UpToDate(_) | Deployed::Met | Deployed::Detached(_)) => Came::Settled,
        Ok(Deployed::Ended { outcome, .. }) => ended(outcome),
        // Something new is due, or the daemon ends.
        Ok(Deployed::Unfinished(_) | Deployed::Stopped) => Came::Waits {
            why: "what was stopped".to_owned(),
            pause: Duration::ZERO,
        },
        Ok(Deployed::Refused(restraints)) => refused(restraints, trigger),
        Err(error) => failed(error),
    }
}

fn ended(outcome: &Outcome) -> Came {
    let may_be_unlucky = |kind: ReasonKind| match kind {
        ReasonKind::CheckErrored | ReasonKind::Deploy | ReasonKind::Apply => true,
        ReasonKind::Check
        | ReasonKind::Gate
        | ReasonKind::Interrupted
        | ReasonKind::Regressed
        | ReasonKind::RolledBack
        | ReasonKind::Held
        | ReasonKind::Banned => false,
    };
    let reasons = &outcome.reasons;
    match reasons.first() {
        Some(first)
            if outcome.phase != Phase::Promoted
                && reasons.iter().all(|reason| may_be_unlucky(reason.kind)) =>
        {
            Came::Unlucky {
                why: first.text.clone(),
            }
        }
        _ => Came::Settled,
    }
}

/// What passes by itself is waited for. A moment of a schedule that a person stands in
/// the way of is over; new images wait for them.
fn refused(restraints: &[Restraint], trigger: Trigger) -> Came {
    let waits = |restraint: &Restraint| match restraint {
        Restraint::Held { .. } | Restraint::Banned { .. } => trigger == Trigger::Push,
        restraint => restraint.may_pass(),
    };
    match restraints.first() {
        Some(first) if restraints.iter().all(waits) => Came::Waits {
            why: first.to_string(),
            pause: RESTRAINED,
        },
        _ => Came::Settled,
    }
}

fn failed(error: &EngineError) -> Came {
    let why = || Said::of(error).0;
    match error {
        EngineError::Lock(LockError::Held { .. })
        | EngineError::LockLost { .. }
        | EngineError::Removing { .. }
        | EngineError::Cluster(ClusterError::Fenced) => Came::Waits {
            why: why(),
            pause: LOCKED,
        },
        EngineError::Propose(ProposeError::Refused(_)) => Came::Settled,
        EngineError::Propose(ProposeError::Resolve(errors))
            if !errors.iter().any(ResolveError::is_outside) =>
        {
            Came::Settled
        }
        _ => Came::Failed { why: why() },
    }
}
