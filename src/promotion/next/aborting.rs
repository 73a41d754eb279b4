//! Taking the candidate down; what served before goes on serving.

use super::{Mark, Next, Phase, Reason, ReasonKind, Situation, Step, enter, names};

/// Move traffic back if any was moved, restore what is shared, delete the candidate.
pub(super) fn next(situation: Situation<'_>) -> Next {
    if situation.is_overdue() {
        return overdue(situation);
    }
    // `None` too: a switch that was cut off half-way is undone before anything goes.
    if situation.switched() != Some(false) && situation.plan.services().next().is_some() {
        return Next::Do(Step::SwitchBack);
    }
    if situation.is_marked(Mark::SharedBegun) && !situation.is_marked(Mark::Restored) {
        return Next::Do(Step::Restore);
    }
    let jobs: Vec<_> = situation.our_jobs().filter(|job| !job.deleting).collect();
    if !jobs.is_empty() {
        let jobs = jobs.iter().map(|job| (job.name.clone(), job.uid.clone()));
        return Next::Do(Step::DeleteJobs(jobs.collect()));
    }
    let color = situation.promotion.candidate;
    let deployments: Vec<_> = situation
        .observed
        .deployments
        .iter()
        .filter(|d| d.color == color)
        .collect();
    let standing: Vec<_> = deployments.iter().filter(|d| !d.deleting).collect();
    if !standing.is_empty() {
        let standing = standing.iter().map(|d| (d.name.clone(), d.uid.clone()));
        return Next::Do(Step::DeleteDeployments(standing.collect()));
    }
    let pods = left_pods(situation);
    if !pods.is_empty() || !deployments.is_empty() {
        return situation.wait(format!("candidate pods to end: {}", names(&pods)));
    }
    if !situation.is_marked(Mark::Pruned) {
        return Next::Do(Step::Prune);
    }
    enter(Phase::Aborted)
}

fn left_pods(situation: Situation<'_>) -> Vec<String> {
    let color = situation.promotion.candidate;
    let pods = situation
        .observed
        .pods
        .iter()
        .filter(|pod| pod.color == color && pod.app.is_some());
    pods.map(|pod| pod.name.clone()).collect()
}

fn overdue(situation: Situation<'_>) -> Next {
    let pods = left_pods(situation);
    let text = if pods.is_empty() {
        "the abort did not finish in time; look at the group's objects and run `promoter deploy` again".to_owned()
    } else {
        format!(
            "the abort did not finish: candidate pods do not end: {}",
            names(&pods)
        )
    };
    Next::Enter {
        phase: Phase::Failed,
        reasons: vec![Reason::new(ReasonKind::Deploy, text)],
        tested: Vec::new(),
    }
}
