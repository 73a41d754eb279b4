//! Running the checks and, once all have ended, asking the gate.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Mark, Next, Phase, Reason, ReasonKind, Situation, Step, abort, enter, hooks, names, walling,
};
use crate::group::{ENDPOINT_DELAY, Report, When};
use crate::plan::CheckPlan;
use crate::plan::check::reporter::REPORTER;
use crate::plan::check::{CONTAINER, MAX_ATTEMPTS, job_name};
use crate::promotion::gate::{AbortKind, AbortReason, Decision};
use crate::promotion::observed::{ContainerState, Ended, JobState, PodState};
use crate::promotion::verdict::{
    CheckFacts, ContainerEnd, ContainerFacts, JobFacts, Owner, PodFacts, PodPhase, Presence,
    ReportFacts, Ruling, rule,
};

/// The time limit of checks that may begin early: a failure of theirs is only
/// believed once they ran again.
const LONGEST_EARLY: Duration = Duration::from_mins(5);

/// What is waited for before a check may call the candidate.
const LEARN: &str = "every node to learn the candidate's endpoints";

/// Start what may start, conclude what has ended, decide when all have.
pub(super) fn next(situation: Situation<'_>) -> Next {
    let mut wrong = situation.changed_since_tested();
    wrong.extend(situation.exposing());
    if !wrong.is_empty() {
        return abort(wrong);
    }
    if let Some(step) = walling::due(situation) {
        return Next::Do(step);
    }
    let open: Vec<_> = situation
        .plan
        .checks
        .iter()
        .filter(|c| situation.promotion.result(&c.name).is_none())
        .collect();
    if open.is_empty() {
        return decide(situation);
    }
    if situation.is_overdue() {
        let text = format!(
            "checks did not end in time: {}",
            names(open.iter().map(|check| &check.name))
        );
        return abort(vec![Reason::new(ReasonKind::CheckErrored, text)]);
    }
    // A run against pods that are just made again says nothing about the release.
    let unready = situation.unready();
    let unreachable = situation.pending(situation.reachable_from());
    let mut waits = Vec::new();
    let mut unstarted = Vec::new();
    let mut ended = Vec::new();
    let mut lost = None;
    for check in open {
        let Some(attempt) = situation.promotion.attempt(&check.name) else {
            unstarted.push(check);
            continue;
        };
        match rule(&facts(
            situation,
            check,
            attempt,
            ReportFacts::unread(&check.report),
        )) {
            Ruling::Running { waiting_for, until } => {
                waits.push((until, format!("check {}: {waiting_for}", check.name)));
            }
            Ruling::ReadReport | Ruling::Ended(_) => ended.push(check.name.clone()),
            Ruling::Rerun { .. } if !unready.is_empty() => {
                let names = names(unready.iter().copied());
                let what = format!("check {}: pods of {names} to be ready again", check.name);
                waits.push((situation.deadline(), what));
            }
            Ruling::Rerun { .. } if let Some(until) = unreachable => {
                waits.push((until, format!("check {}: {LEARN}", check.name)));
            }
            Ruling::Rerun { reason } => lost = lost.or(Some((check.name.clone(), reason))),
        }
    }
    if !ended.is_empty() {
        return Next::Do(Step::Conclude(ended));
    }
    if let Some((check, reason)) = lost {
        return Next::Do(Step::Repeat { check, reason });
    }
    unstarted.truncate(
        situation
            .plan
            .parallel_checks
            .max(1)
            .saturating_sub(waits.len()),
    );
    if !unstarted.is_empty() && !unready.is_empty() {
        return situation.wait(format!("pods of {} to be ready again", names(unready)));
    }
    match start(situation, &unstarted, unreachable) {
        Start::Now(step) => return Next::Do(step),
        Start::At(until) => waits.push((until, LEARN.to_owned())),
        Start::Nothing => {}
    }
    if !situation.is_marked(Mark::Unpublished) {
        return Next::Do(Step::Unpublish);
    }
    let until = waits
        .iter()
        .map(|(until, _)| *until)
        .min()
        .unwrap_or_else(|| situation.deadline());
    let wait_for: Vec<_> = waits.into_iter().map(|(_, text)| text).collect();
    Next::Wait {
        wait_for: wait_for.join("; "),
        until: until.min(situation.deadline()),
    }
}

/// When checks start.
enum Start {
    Now(Step),
    At(Timestamp),
    /// There is none to start.
    Nothing,
}

/// Starts checks, those that cost little to run twice as soon as nodes can be
/// expected to know the candidate. Who says that nodes are slow is believed.
fn start(situation: Situation<'_>, checks: &[&CheckPlan], unreachable: Option<Timestamp>) -> Start {
    let expected = situation.pending(situation.expected_from());
    let starts = |check: &CheckPlan| {
        let is_cheap = check.timeout <= LONGEST_EARLY;
        let is_usual = situation.plan.endpoint_delay <= ENDPOINT_DELAY;
        if is_cheap && is_usual {
            expected
        } else {
            unreachable
        }
    };
    let (now, later): (Vec<&CheckPlan>, Vec<_>) = checks
        .iter()
        .copied()
        .partition(|check| starts(check).is_none());
    if !now.is_empty() {
        return Start::Now(Step::StartChecks {
            checks: now.iter().map(|check| check.name.clone()).collect(),
            early: unreachable.is_some(),
        });
    }
    let first = later.into_iter().filter_map(starts).min();
    first.map_or(Start::Nothing, Start::At)
}

fn decide(situation: Situation<'_>) -> Next {
    match situation.gate_of_checks() {
        Decision::Promote => before_switch(situation),
        Decision::Abort(reasons) => abort(reasons.iter().map(reason).collect()),
        // Results of another promotion or plan count as none, and nobody brings others.
        Decision::Wait(what) if situation.is_overdue() => {
            let text = format!("checks did not end in time: waited in vain for {what}");
            abort(vec![Reason::new(ReasonKind::CheckErrored, text)])
        }
        Decision::Wait(what) => situation.wait(what),
    }
}

/// What passed its checks is switched to once the hooks that come first passed.
fn before_switch(situation: Situation<'_>) -> Next {
    // What comes later may build on it.
    let refused = hooks::refused(situation, When::BeforeSwitch);
    if !refused.is_empty() {
        return abort(refused);
    }
    let open = hooks::unfinished(situation, When::BeforeSwitch);
    if situation.is_overdue() && !open.is_empty() {
        let text = format!("hooks did not end in time: {}", names(&open));
        return abort(vec![Reason::new(ReasonKind::CheckErrored, text)]);
    }
    if let Some(hook) = hooks::at(situation, When::BeforeSwitch) {
        return hook;
    }
    match situation.gate() {
        Decision::Promote => enter(Phase::Promoting),
        decision => {
            let text = format!("the record does not say that every hook passed: {decision:?}");
            abort(vec![Reason::new(ReasonKind::Gate, text)])
        }
    }
}

fn reason(refused: &AbortReason) -> Reason {
    let kind = match refused.kind() {
        AbortKind::Check => ReasonKind::Check,
        AbortKind::Errored => ReasonKind::CheckErrored,
        AbortKind::Gate => ReasonKind::Gate,
    };
    Reason::new(kind, refused.to_string())
}

/// What is known of a check's run, for the rules of [`rule`].
pub fn facts(
    situation: Situation<'_>,
    check: &CheckPlan,
    attempt: u32,
    report: ReportFacts,
) -> CheckFacts {
    let name = job_name(
        &situation.plan.group,
        check,
        situation.promotion.id.as_ref(),
        attempt,
    );
    // One of the same name is somebody's who put it in the place of ours.
    let uid = situation.promotion.runs.get(&check.name);
    let mut jobs = situation.observed.jobs.iter();
    let job = jobs.find(|job| job.name == name && Some(&job.uid) == uid);
    let is_hook = situation.plan.is_hook(&check.name);
    let pods = job.map(|job| pods_of(situation, job)).unwrap_or_default();
    let pod = pods.iter().max_by_key(|pod| pod.created_at).copied();
    CheckFacts {
        owner: job.map_or(Owner::Ours, |job| owner(situation, job, pod)),
        job: JobFacts {
            presence: match job {
                None => Presence::Gone,
                Some(job) if job.deleting => Presence::Deleting,
                Some(_) => Presence::Present,
            },
            ended: job.and_then(|job| job.ended.clone()),
        },
        pod: pod.map(|pod| pod_facts(pod, pods.len(), &check.report)),
        report,
        attempt,
        early: situation.promotion.early.contains(&check.name),
        disturbed: job
            .filter(|_| !is_hook)
            .and_then(|job| disturbed(situation, job, pod)),
        max_attempts: if is_hook { 1 } else { MAX_ATTEMPTS },
        timeout: check.timeout,
        start_timeout: check.start_timeout,
        created_at: job.map_or(situation.promotion.phase_since, |job| job.created_at),
        now: situation.now,
    }
}

/// What was taken away or fell silent since a Job was made: a pod of the candidate
/// that goes, or that came later in the place of another, or the node of such a
/// pod or of the check's own. What crashes stays where it is, and is the
/// candidate's own doing.
fn disturbed(situation: Situation<'_>, job: &JobState, own: Option<&PodState>) -> Option<String> {
    let was_silent = |pod: &PodState| pod.unheard_at.is_some_and(|at| at >= job.created_at);
    if own.is_some_and(was_silent) {
        return Some("its node was not heard of meanwhile".to_owned());
    }
    let color = situation.promotion.candidate;
    let pods = situation.observed.pods.iter();
    let mut pods = pods.filter(|pod| pod.color == color && situation.is_ours(&pod.promotion));
    pods.find_map(|pod| {
        let app = pod.app.as_ref()?;
        let taken = pod.deleting || pod.disrupted.is_some() || pod.reason.is_some();
        if taken || pod.created_at > job.created_at {
            return Some(format!("pods of {app} were taken away meanwhile"));
        }
        let silent = format!("the node of a pod of {app} was not heard of meanwhile");
        was_silent(pod).then_some(silent)
    })
}

/// The pods that say they are of a Job.
fn pods_of<'a>(situation: Situation<'a>, job: &JobState) -> Vec<&'a PodState> {
    let pods = situation.observed.pods.iter();
    let of_job = pods.filter(|pod| pod.owner.as_deref() == Some(&job.uid));
    of_job.collect()
}

fn owner(situation: Situation<'_>, job: &JobState, pod: Option<&PodState>) -> Owner {
    if !situation.is_ours(&job.promotion) {
        return Owner::Foreign(format!("its Job was made by promotion {:?}", job.promotion));
    }
    match pod {
        Some(pod) if !situation.is_ours(&pod.promotion) => {
            Owner::Foreign(format!("its pod was made by promotion {:?}", pod.promotion))
        }
        _ => Owner::Ours,
    }
}

/// A Job makes one pod, as that may not fail: which of several ran the check, and
/// which somebody made up, cannot be told.
fn pod_facts(pod: &PodState, of_job: usize, report: &Report) -> PodFacts {
    let container = pod.container(CONTAINER);
    let another = (of_job > 1).then(|| "its Job has another pod".to_owned());
    PodFacts {
        phase: PodPhase::from_status(&pod.phase),
        deleting: pod.deleting,
        disrupted: another.or_else(|| pod.disrupted.clone()),
        reason: pod.reason.clone(),
        unschedulable: pod.unschedulable.clone(),
        container: container.map_or(ContainerFacts::Unreported, container_facts),
        ended_at: container.and_then(|container| container.ended_at),
        reporter: matches!(report, Report::Junit(_)).then(|| reporter_facts(pod)),
    }
}

/// The sidecar is started again and again where that fails; why it did is what counts.
fn reporter_facts(pod: &PodState) -> ContainerFacts {
    let Some(container) = pod.container(REPORTER) else {
        return ContainerFacts::Unreported;
    };
    match container.ended.as_ref().map(container_end) {
        Some(end) if end.could_not_start() => ContainerFacts::Ended(end),
        _ => container_facts(container),
    }
}

fn container_facts(container: &ContainerState) -> ContainerFacts {
    if let Some(since) = container.running_since {
        return ContainerFacts::Running { since };
    }
    if let Some((reason, message)) = &container.waiting {
        return ContainerFacts::Waiting {
            reason: reason.clone(),
            message: message.clone(),
        };
    }
    let ended = container.ended.as_ref().map(container_end);
    ended.map_or(ContainerFacts::Unreported, ContainerFacts::Ended)
}

fn container_end(ended: &Ended) -> ContainerEnd {
    ContainerEnd {
        exit_code: ended.exit_code,
        signal: ended.signal,
        reason: ended.reason.clone(),
        message: ended.message.clone(),
        started_at: ended.started_at,
        finished_at: ended.finished_at,
    }
}
