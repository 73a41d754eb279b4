//! What events are called, wherever they are shown.

use std::time::Duration;

use crate::cli::view::count;
use crate::group::name::CheckName;
use crate::plan::color::Color;
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;

/// All active Services point at the old colour again.
pub(super) const SWITCHED_BACK: &str = "switched back: the old colour serves again";

/// All active Services point at a colour.
pub(super) fn switched(services: usize, color: Color, skew: Duration) -> String {
    format!(
        "switched {} to {color} in {} ms",
        count(services, "Service"),
        skew.as_millis()
    )
}

/// A promotion without an owner is driven on.
pub(super) fn resumed(promotion: &PromotionId, phase: Phase) -> String {
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

/// A wait, in words that fit behind the phase.
pub(super) fn waiting(wait_for: &str) -> String {
    if wait_for.starts_with("keep_old") {
        wait_for.to_owned()
    } else {
        format!("waits for {wait_for}")
    }
}
