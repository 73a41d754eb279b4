//! Keeping the old colour warm, then letting it go, callers before callees.

use std::collections::BTreeSet;

use super::{Mark, Next, Phase, Reason, ReasonKind, Situation, Step, enter, names};
use crate::group::name::AppName;
use crate::plan::color::Color;

/// Wait out `keep_old`, then delete level by level, then prune.
pub(super) fn next(situation: Situation<'_>) -> Next {
    let old = situation.promotion.candidate.other();
    if situation.is_overdue() {
        return overdue(situation, old);
    }
    let kept_until = kept_until(situation);
    if situation.now < kept_until && remains(situation, old) {
        return Next::Wait {
            wait_for: format!("keep_old: {old} stays for an instant way back"),
            until: kept_until,
        };
    }
    for level in teardown(situation, old) {
        let deployments = situation.observed.deployments.iter();
        let standing =
            deployments.filter(|d| d.color == old && level.contains(&d.app) && !d.deleting);
        let standing: Vec<_> = standing.map(|d| (d.name.clone(), d.uid.clone())).collect();
        if !standing.is_empty() {
            return Next::Do(Step::DeleteDeployments(standing));
        }
        let pods: Vec<_> = old_pods(situation, old, &level);
        if !pods.is_empty() {
            return situation.wait(format!("old pods to end: {}", names(&pods)));
        }
    }
    let jobs: Vec<_> = situation
        .observed
        .jobs
        .iter()
        .filter(|job| !job.deleting)
        .collect();
    if !jobs.is_empty() {
        let jobs = jobs.iter().map(|job| (job.name.clone(), job.uid.clone()));
        return Next::Do(Step::DeleteJobs(jobs.collect()));
    }
    if !situation.is_marked(Mark::Pruned) {
        return Next::Do(Step::Prune);
    }
    enter(Phase::Promoted)
}

/// Never shorter than the drain that the plan's `keep_old` guarantees, unless
/// a newer promotion has work (design: settle).
fn kept_until(situation: Situation<'_>) -> jiff::Timestamp {
    let kept = if situation.promotion.hurry {
        crate::group::MIN_KEEP_OLD
    } else {
        situation.plan.keep_old
    };
    situation
        .promotion
        .phase_since
        .saturating_add(kept)
        .unwrap_or(jiff::Timestamp::MAX)
}

fn remains(situation: Situation<'_>, old: Color) -> bool {
    situation
        .observed
        .deployments
        .iter()
        .any(|deployment| deployment.color == old)
}

fn old_pods(situation: Situation<'_>, old: Color, level: &BTreeSet<AppName>) -> Vec<String> {
    let pods = situation.observed.pods.iter();
    let old = pods
        .filter(|pod| pod.color == old && pod.app.as_ref().is_some_and(|app| level.contains(app)));
    old.map(|pod| pod.name.clone()).collect()
}

/// The order of the plan that is replaced: its pods call each other by its
/// `needs`. Apps that no plan knows go last, as nobody known calls on from them.
fn teardown(situation: Situation<'_>, old: Color) -> Vec<BTreeSet<AppName>> {
    let order = situation
        .replaced
        .unwrap_or(situation.plan)
        .teardown_order();
    let mut levels: Vec<BTreeSet<_>> = order.into_iter().map(BTreeSet::from_iter).collect();
    let known: BTreeSet<_> = levels.iter().flatten().cloned().collect();
    let observed = situation.observed;
    let deployed = observed
        .deployments
        .iter()
        .filter(|d| d.color == old)
        .map(|d| &d.app);
    let running = observed
        .pods
        .iter()
        .filter(|p| p.color == old)
        .filter_map(|p| p.app.as_ref());
    let standing = deployed.chain(running).cloned();
    levels.push(standing.filter(|app| !known.contains(app)).collect());
    levels
}

/// Users are served by what was tested; what hangs is named and left to a person.
fn overdue(situation: Situation<'_>, old: Color) -> Next {
    let pods = situation
        .observed
        .pods
        .iter()
        .filter(|pod| pod.app.is_some() && pod.color == old);
    let pods: Vec<_> = pods.map(|pod| pod.name.clone()).collect();
    let text = if pods.is_empty() {
        "promoted, but cleaning up did not finish in time".to_owned()
    } else {
        format!("promoted, but old pods do not end: {}", names(&pods))
    };
    Next::Enter {
        phase: Phase::Promoted,
        reasons: vec![Reason::new(ReasonKind::Deploy, text)],
        tested: Vec::new(),
    }
}
