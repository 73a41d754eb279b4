//! Taking the candidate down; what served before goes on serving.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::teardown::{take_down, take_down_at_once};
use super::{
    Mark, Next, Phase, Reason, ReasonKind, Situation, Step, delete_jobs, enter, enter_for,
    handover, names, raising, walling,
};
use crate::group::MIN_KEEP_OLD;
use crate::plan::{Plan, ServicePlan};

/// Move traffic back if any was moved, restore what is shared, let the
/// candidate drain if users may have reached it, delete it.
pub(super) fn next(situation: Situation<'_>) -> Next {
    if situation.is_overdue() {
        return overdue(situation);
    }
    let promotion = situation.promotion;
    let has_services = situation.plan.services().next().is_some();
    let has_to_return = has_services && promotion.exposed && promotion.returned_at.is_none();
    // A switch that was cut off half-way is undone before anything goes as well.
    if situation.leads_any() || has_to_return {
        let barred = barred(situation);
        if !barred.is_empty() {
            return situation.wait(format!(
                "pods of what served before to be ready behind {}",
                names(&barred)
            ));
        }
        let all_follow = situation.switched() == Some(true);
        let before = all_follow.then(|| raising::before_return(situation));
        return before.flatten().unwrap_or(Next::Do(Step::SwitchBack));
    }
    if let Some(next) = handover::back(situation) {
        return next;
    }
    if situation.is_marked(Mark::SharedBegun) && !situation.is_marked(Mark::Restored) {
        return Next::Do(Step::Restore);
    }
    if let Some(until) = kept_until(situation) {
        if let Some(step) = walling::due(situation) {
            return Next::Do(step);
        }
        return Next::Wait {
            wait_for: format!(
                "keep_failed to be over: {} stays to be looked at; Ctrl-C or the next deploy lets it go",
                situation.promotion.candidate
            ),
            until,
        };
    }
    if let Some(step) = delete_jobs(situation.our_jobs()) {
        return Next::Do(step);
    }
    if let Some(next) = take_candidate_down(situation) {
        return next;
    }
    if !situation.is_marked(Mark::Pruned) {
        return Next::Do(Step::Prune);
    }
    // The Services may select whatever bears their apps' labels again from then on.
    if promotion.adopts && !situation.is_marked(Mark::GivenBack) {
        return Next::Do(Step::GiveBack);
    }
    let unready = handover::unready_again(situation);
    if !unready.is_empty() {
        return situation.wait(format!("pods of {} to be ready again", names(unready)));
    }
    enter(Phase::Aborted)
}

/// Until when the candidate stays to be looked at, if it does: it failed by itself, no
/// user was ever at it, and nobody is in a hurry.
fn kept_until(situation: Situation<'_>) -> Option<Timestamp> {
    let promotion = situation.promotion;
    let failed = |reason: &Reason| {
        use ReasonKind::{Check, CheckErrored, Deploy};
        matches!(reason.kind, Check | CheckErrored | Deploy)
    };
    let is_kept = !promotion.hurry && !promotion.exposed && promotion.reasons.iter().all(failed);
    let until = promotion
        .phase_since
        .checked_add(situation.plan.keep_failed);
    until.ok().filter(|until| is_kept && situation.now < *until)
}

/// Active Services that would lose their last pod on the way back: it waits
/// until what served before takes requests again.
fn barred(situation: Situation<'_>) -> Vec<&str> {
    let before = situation.replaced.into_iter().flat_map(Plan::services);
    let before: BTreeMap<_, _> = before.map(|old| (old.active.name(), old)).collect();
    let is_barred = |service: &&ServicePlan| {
        let old = before.get(service.active.name());
        situation.follows(service)
            && situation.observed.is_served(service)
            && old.is_some_and(|old| !situation.observed.is_served(old))
    };
    let barred = situation.plan.services().filter(is_barred);
    barred.map(|service| service.active.name()).collect()
}

fn take_candidate_down(situation: Situation<'_>) -> Option<Next> {
    let color = situation.promotion.candidate;
    let stands = situation
        .observed
        .deployments
        .iter()
        .any(|d| d.color == color && !d.deleting);
    // Somebody pointed a Service at it in a way of their own: its users come first.
    let serving = situation.led_to(color);
    if stands && !serving.is_empty() {
        return Some(situation.wait_to_leave(&serving, color));
    }
    if handover::has_strange_runs(situation, color) {
        // An earlier promotion left them, and nothing of this one was made yet.
        return None;
    }
    if !situation.promotion.exposed {
        return take_down_at_once(situation, color);
    }
    // Nodes route to it for a moment yet, and connections are kept alive. When
    // that began is not taken from the clock of a promoter that is gone.
    let promotion = situation.promotion;
    let returned = promotion.returned_at.max(promotion.resumed_at);
    let drained = returned.and_then(|at| at.checked_add(MIN_KEEP_OLD).ok());
    match drained {
        Some(until) if stands && situation.now < until => Some(Next::Wait {
            wait_for: format!("users of {color} to be done"),
            until,
        }),
        _ => {
            let behind = stands.then(|| situation.wait_for_nodes()).flatten();
            let behind = behind.or_else(|| handover::wait_for_runs(situation, color));
            behind.or_else(|| take_down(situation, color, situation.plan))
        }
    }
}

fn overdue(situation: Situation<'_>) -> Next {
    let color = situation.promotion.candidate;
    let pods = situation
        .observed
        .pods
        .iter()
        .filter(|pod| pod.color == color && pod.app.is_some());
    let deployments = situation.observed.deployments.iter();
    let deployments = deployments.filter(|d| d.color == color);
    let left = pods.map(|pod| pod.name.clone());
    let left = left.chain(deployments.map(|d| d.name.clone()));
    let left: Vec<_> = left.chain(handover::runs(situation, color)).collect();
    let unready = handover::unready_again(situation);
    let stays_stopped = if handover::back(situation).is_some() {
        "; what was stopped for it stays so until then, and the next `promoter resume` or \
         `promoter deploy` starts it"
    } else {
        ""
    };
    let serving = situation.led_to(color);
    let barred = barred(situation);
    let text = if !barred.is_empty() {
        format!(
            "the abort did not finish: what served before has no ready pods for {}, \
             so users stay at the candidate; `promoter resume` moves them back once it has",
            names(&barred)
        )
    } else if !serving.is_empty() {
        format!(
            "the abort did not finish: somebody pointed Service {} at the candidate, which therefore stays",
            names(&serving)
        )
    } else if left.is_empty() && !unready.is_empty() {
        format!(
            "the abort did not finish: pods of {}, which was stopped for the candidate, do not \
             get ready again",
            names(unready)
        )
    } else if left.is_empty() {
        "the abort did not finish in time; look at the group's objects and run `promoter deploy` again".to_owned()
    } else {
        format!(
            "the abort did not finish: of the candidate these do not end: {}{stays_stopped}",
            names(&left)
        )
    };
    enter_for(Phase::Failed, vec![Reason::new(ReasonKind::Deploy, text)])
}
