//! Keeping the old colour warm, then letting it go, callers before callees.
//!
//! Until `keep_old` is over there is a way back: a person may ask for it, and a
//! member that falls below its ready count takes it by itself. That it is over
//! is on record before anything is deleted: a deletion that arrives late, from
//! a promoter that is dead by then, would hit what serves again.

use jiff::Timestamp;

use super::teardown::take_down;
use super::{
    Mark, Next, Phase, Reason, ReasonKind, Situation, Step, abort, adopting, delete_jobs,
    enter_for, handover, hooks, names, walling,
};
use crate::group::{MIN_KEEP_OLD, OnRegression, When};
use crate::plan::color::Color;
use crate::promotion::later;
use crate::promotion::request::Action;

/// Wait out `keep_old`, then delete level by level, then prune.
pub(super) fn next(situation: Situation<'_>) -> Next {
    let old = situation.promotion.candidate.other();
    if situation.is_overdue() {
        let left = walling::left(situation);
        return left.map_or_else(|| overdue(situation, old), Next::Do);
    }
    if let Some(reasons) = turns_back(situation) {
        return abort(reasons);
    }
    if let Some(step) = walling::due(situation) {
        return Next::Do(step);
    }
    let kept_until = kept_until(situation);
    // Done before, unless it was refused until Promoting had to be over, or the
    // record that said so was lost. It does not keep the old colour any longer.
    if !situation.is_marked(Mark::Services) && situation.now < kept_until {
        return Next::Do(Step::ApplyServices);
    }
    // Where nothing was left to go back to, it was not waited for.
    if let Some(step) = handover::rest(situation) {
        return Next::Do(step);
    }
    if situation.now < kept_until && remains(situation, old) {
        if let Some(step) = adopting::unlabelled(situation) {
            return Next::Do(step);
        }
        return Next::Wait {
            wait_for: kept(situation, old),
            until: kept_until,
        };
    }
    // Somebody pointed a Service at what was to go: its users come first.
    let serving = situation.led_to(old);
    if !serving.is_empty() {
        return situation.wait_to_leave(&serving, old);
    }
    // They call what is about to go.
    if let Some(wait) = handover::wait_for_runs(situation, old) {
        return wait;
    }
    if remains(situation, old) {
        if let Some(wait) = situation.wait_for_nodes() {
            return wait;
        }
        if !situation.is_marked(Mark::LetGo) {
            return Next::Do(Step::LetGo);
        }
    }
    let plan = situation.replaced.unwrap_or(situation.plan);
    if let Some(step) = take_down(situation, old, plan) {
        return step;
    }
    // Hooks come last, and their Jobs go with the last of them.
    if situation.is_marked(Mark::Pruned)
        && let Some(hook) = hooks::at(situation, When::AfterPromote)
    {
        return hook;
    }
    if let Some(step) = delete_jobs(situation.observed.jobs.iter()) {
        return Next::Do(step);
    }
    if !situation.is_marked(Mark::Pruned) {
        return Next::Do(Step::Prune);
    }
    // Users are at what passed; that a hook failed is said, no more.
    enter_for(
        Phase::Promoted,
        hooks::refused(situation, When::AfterPromote),
    )
}

/// Why traffic goes back, if it does: somebody wants it, or the new colour
/// fell, and what served before stands.
pub(super) fn turns_back(situation: Situation<'_>) -> Option<Vec<Reason>> {
    if !situation.has_way_back() {
        return None;
    }
    let promotion = &situation.promotion.id;
    let request = situation.observed.request.as_ref();
    if let Some(request) = request.filter(|request| request.is_for(Action::Rollback, promotion)) {
        let text = format!("rolled back by {} inside keep_old", request.asked_by());
        return Some(vec![Reason::new(ReasonKind::RolledBack, text)]);
    }
    let fallen = situation.regressed();
    let switches_back = situation.plan.on_regression == OnRegression::SwitchBack;
    (switches_back && !fallen.is_empty()).then(|| {
        let reason = |text: String| Reason::new(ReasonKind::Regressed, text);
        fallen.into_iter().map(reason).collect()
    })
}

fn kept(situation: Situation<'_>, old: Color) -> String {
    let fallen = situation.regressed();
    match (fallen.as_slice(), situation.has_way_back()) {
        ([], true) => format!("keep_old: {old} stays for an instant way back"),
        ([], false) => format!("keep_old: {old} stays, but is not whole any more"),
        (fallen, _) => format!("keep_old: {old} stays; {}", fallen.join("; ")),
    }
}

/// For `keep_old`, unless a newer promotion has work; never shorter than old
/// connections need to drain (design: settle). How long they had by the clock
/// of a promoter that is gone says nothing, so a successor lets them drain anew.
fn kept_until(situation: Situation<'_>) -> Timestamp {
    let promotion = situation.promotion;
    let kept = if promotion.hurry {
        MIN_KEEP_OLD
    } else {
        situation.plan.keep_old
    };
    let drained = promotion.resumed_at.map(|at| later(at, MIN_KEEP_OLD));
    later(promotion.phase_since, kept).max(drained.unwrap_or(Timestamp::MIN))
}

fn remains(situation: Situation<'_>, old: Color) -> bool {
    situation
        .observed
        .deployments
        .iter()
        .any(|deployment| deployment.color == old)
}

/// Users are served by what was tested; what hangs is named and left to a person.
fn overdue(situation: Situation<'_>, old: Color) -> Next {
    let pods = situation
        .observed
        .pods
        .iter()
        .filter(|pod| pod.app.is_some() && pod.color == old);
    let pods: Vec<_> = pods.map(|pod| pod.name.clone()).collect();
    let serving = situation.led_to(old);
    let unfinished = hooks::unfinished(situation, When::AfterPromote);
    let runs = handover::runs(situation, old);
    let text = if !unfinished.is_empty() {
        format!(
            "promoted, but hooks did not end in time: {}",
            names(&unfinished)
        )
    } else if !serving.is_empty() {
        let names = names(&serving);
        format!("promoted, but somebody pointed Service {names} at {old}, which therefore stays")
    } else if !runs.is_empty() {
        format!(
            "promoted, but Jobs of {old} do not end, so it stays until the next promotion: {}",
            names(&runs)
        )
    } else if pods.is_empty() {
        "promoted, but cleaning up did not finish in time".to_owned()
    } else {
        format!("promoted, but old pods do not end: {}", names(&pods))
    };
    enter_for(Phase::Promoted, vec![Reason::new(ReasonKind::Deploy, text)])
}
