//! Results as text for people, or as JSON for programs. Pure functions.
//!
//! Texts carry colour; whoever prints them goes through `anstream`, which
//! takes it out where it is not wanted.

use std::error::Error;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::adapter::kubernetes::GroupStatus;
use crate::engine::propose::Proposal;
use crate::engine::resolve::ResolveError;
use crate::plan::refusal::Refusal;
use crate::promotion::check::CheckResult;
use crate::promotion::record::Outcome;

/// Columns of the terminal.
pub fn width() -> usize {
    100
}

/// What a deploy would do.
pub fn proposal(proposal: &Proposal, now: Timestamp, width: usize, full: bool) -> String {
    format!("{} {now} {width} {full}\n", proposal.plan.release)
}

/// That there is nothing to do.
pub fn up_to_date(proposal: &Proposal) -> String {
    format!("Up to date: {}\n", proposal.plan.release)
}

/// A proposal for programs.
pub fn proposal_json(proposal: &Proposal) -> Value {
    json!({ "release": proposal.plan.release })
}

/// How a promotion ended.
pub fn outcome(outcome: &Outcome, results: &[CheckResult]) -> String {
    format!("{} ({} checks)\n", outcome.phase, results.len())
}

/// Groups, one per line.
pub fn status(groups: &[GroupStatus], now: Timestamp) -> String {
    groups.iter().map(|group| format!("{} {now}\n", group.name)).collect()
}

/// One group in detail.
pub fn status_detail(group: &GroupStatus, now: Timestamp) -> String {
    format!("{} {now}\n", group.name)
}

/// Groups for programs.
pub fn status_json(groups: &[GroupStatus]) -> Value {
    groups.iter().map(|group| json!({ "name": group.name })).collect()
}

/// Reasons against a plan.
pub fn refusals(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| format!("error: {refusal}\n")).collect()
}

/// Images that could not be resolved.
pub fn resolve_errors(errors: &[ResolveError]) -> String {
    errors.iter().map(|failed| error(failed)).collect()
}

/// An error with its causes.
pub fn error(error: &dyn Error) -> String {
    let mut text = format!("error: {error}\n");
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!("  caused by: {next}\n"));
        cause = next.source();
    }
    text
}
