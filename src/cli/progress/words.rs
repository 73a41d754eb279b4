//! What events are called, wherever they are shown.

use std::time::Duration;

use crate::cli::view::count;
use crate::group::name::{AppName, CheckName};
use crate::plan::color::Color;
use crate::promotion::event::Fact;
use crate::promotion::phase::Phase;

/// All active Services point at the old colour again.
pub(super) const SWITCHED_BACK: &str = "switched back: the old colour serves again";

/// All active Services point at a colour.
pub(super) fn switched(services: usize, color: Color, skew: Option<Duration>) -> String {
    let took = skew.map_or_else(String::new, |skew| format!(" in {} ms", skew.as_millis()));
    format!("switched {} to {color}{took}", count(services, "Service"))
}

/// What is about the group rather than about one promotion of it.
pub(super) fn of_group(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::LockAwaited { holder } => {
            format!("waits to see whether {holder}, who holds the lock, is still at it (15 s)")
        }
        Fact::ReturnAsked { promotion, holder } => {
            format!("{holder}, who drives promotion {promotion}, is asked to move traffic back")
        }
        Fact::AbortAsked { promotion, holder } => {
            format!("{holder}, who drives promotion {promotion}, is asked to give it up")
        }
        Fact::Held { by } => format!("held by {by}"),
        Fact::Unheld { by } => format!("let go by {by}"),
        Fact::Overridden { overrides, .. } => format!("goes on all the same: {overrides}"),
        Fact::Removing { by } => format!("{by} takes the group out of the cluster"),
        Fact::Removed => "all of the group is gone".to_owned(),
        Fact::ReturnSeen { color } => {
            format!("traffic is back at {color}; the candidate drains and goes")
        }
        Fact::Waiting { wait_for, .. } => waiting(wait_for),
        Fact::TakenOver { apps } => {
            format!("took over {}, which serve as before", named(apps))
        }
        Fact::GivenBack { apps } => format!("gave back {}, as they were found", named(apps)),
        Fact::Rebuilt { serving, in_flight } => {
            let serves = serving.map_or_else(
                || "nothing serves".to_owned(),
                |color| format!("{color} serves"),
            );
            let flight = in_flight.as_ref().map_or_else(String::new, |promotion| {
                format!(", promotion {promotion} was under way")
            });
            format!("the DeploymentGroup was gone; by what the cluster holds {serves}{flight}")
        }
        Fact::Repaired { service, color } => {
            format!("Service {service}, which somebody had changed, points at {color} again")
        }
        Fact::Astray { found } if found.is_empty() => {
            "all active Services point where they should again".to_owned()
        }
        Fact::Astray { found } => found.join("; "),
        _ => return None,
    })
}

fn named(apps: &[AppName]) -> String {
    let names = apps.iter().map(ToString::to_string);
    names.collect::<Vec<_>>().join(", ")
}

/// A promotion without an owner is driven on.
pub(super) fn resumed(promotion: &str, phase: Phase) -> String {
    format!("promotion {promotion} was left while {phase}; it is driven on first")
}

/// A check's run gave no verdict.
pub(super) fn repeated(check: &CheckName, reason: &str) -> String {
    format!("check {check} is run again: {reason}")
}

/// So many reasons.
pub(super) fn reasons(n: usize) -> String {
    count(n, "reason")
}

/// What a phase has achieved, if the promotion goes on as it should.
pub(super) fn done(left: Phase, entered: Phase) -> Option<&'static str> {
    match (left, entered) {
        (Phase::Deploying, Phase::Checking) => Some("all candidates are ready"),
        (Phase::Checking, Phase::Promoting) => Some("the gate lets it pass"),
        (Phase::Settling, Phase::Promoted) => Some("the old colour is gone"),
        (Phase::Aborting, Phase::Aborted) => Some("the candidate is gone"),
        _ => None,
    }
}

/// How many pods of an app take requests.
pub(super) fn pods(ready: u32, wanted: u32) -> String {
    if wanted == 0 {
        "starts when it is promoted".to_owned()
    } else {
        format!("{ready}/{wanted} ready")
    }
}

/// A wait, in words that fit behind the phase.
pub(super) fn waiting(wait_for: &str) -> String {
    if wait_for.starts_with("keep_old") {
        wait_for.to_owned()
    } else {
        format!("waits for {wait_for}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_without_pods_waits_for_its_promotion() {
        assert_eq!(pods(1, 2), "1/2 ready");
        assert_eq!(pods(0, 0), "starts when it is promoted");
    }
}
