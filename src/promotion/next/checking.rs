//! Running the checks and, once all have ended, asking the gate.

use std::time::Duration;

use super::{Next, Phase, Reason, ReasonKind, Situation, Step, abort, enter, names};
use crate::plan::CheckPlan;
use crate::plan::check::{CONTAINER, MAX_ATTEMPTS, PARALLEL, job_name};
use crate::promotion::gate::{AbortKind, AbortReason, Decision, gate};
use crate::promotion::observed::{ContainerState, JobState, PodState};
use crate::promotion::verdict::{
    CheckFacts, ContainerEnd, ContainerFacts, JobFacts, Owner, PodFacts, PodPhase, Presence,
    ReportFacts, Ruling, rule,
};

/// How long nodes may take to route to endpoints that are ready.
///
/// kube-proxy gathers changes for a second before it writes its rules, and no
/// API tells when it has. A check that started at once was refused connections
/// to candidates that were ready (measured).
const PROPAGATION: Duration = Duration::from_secs(2);

/// Start what may start, conclude what has ended, decide when all have.
pub(super) fn next(situation: Situation<'_>) -> Next {
    let mut wrong = situation.changed_since_tested();
    wrong.extend(situation.exposing());
    if !wrong.is_empty() {
        return abort(wrong);
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
    let mut waits = Vec::new();
    let mut unstarted = Vec::new();
    for check in open {
        let Some(attempt) = situation.promotion.attempt(&check.name) else {
            unstarted.push(check.name.clone());
            continue;
        };
        match rule(&facts(
            situation,
            check,
            attempt,
            ReportFacts::unread(check.report),
        )) {
            Ruling::Running { waiting_for, until } => {
                waits.push((until, format!("check {}: {waiting_for}", check.name)));
            }
            Ruling::ReadReport | Ruling::Ended(_) => {
                return Next::Do(Step::Conclude(check.name.clone()));
            }
            Ruling::Rerun { reason } => {
                return Next::Do(Step::Repeat {
                    check: check.name.clone(),
                    reason,
                });
            }
        }
    }
    unstarted.truncate(PARALLEL.saturating_sub(waits.len()));
    if !unstarted.is_empty() {
        let reachable = situation
            .promotion
            .phase_since
            .saturating_add(PROPAGATION)
            .unwrap_or(situation.now);
        if situation.now < reachable {
            let wait_for = "every node to learn the candidate's endpoints".to_owned();
            return Next::Wait {
                wait_for,
                until: reachable,
            };
        }
        return Next::Do(Step::StartChecks(unstarted));
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

fn decide(situation: Situation<'_>) -> Next {
    let required: Vec<_> = situation
        .plan
        .checks
        .iter()
        .map(|check| check.name.clone())
        .collect();
    let promotion = situation.promotion;
    let decision = gate(
        &required,
        &promotion.results,
        promotion.id.as_ref(),
        promotion.plan.as_ref(),
        situation.plan.untested_allowed,
    );
    match decision {
        Decision::Promote => enter(Phase::Promoting),
        Decision::Abort(reasons) => abort(reasons.iter().map(reason).collect()),
        // Results of another promotion or plan count as none, and nobody brings others.
        Decision::Wait(what) if situation.is_overdue() => {
            let text = format!("checks did not end in time: waited in vain for {what}");
            abort(vec![Reason::new(ReasonKind::CheckErrored, text)])
        }
        Decision::Wait(what) => situation.wait(what),
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
    let job = situation.observed.jobs.iter().find(|job| job.name == name);
    let pod = job.and_then(|job| newest_pod(situation, job));
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
        pod: pod.map(pod_facts),
        report,
        attempt,
        max_attempts: MAX_ATTEMPTS,
        timeout: check.timeout,
        start_timeout: check.start_timeout,
        created_at: job.map_or(situation.promotion.phase_since, |job| job.created_at),
        now: situation.now,
    }
}

/// A Job has one pod, as it may not fail; were there more, the newest counts.
fn newest_pod<'a>(situation: Situation<'a>, job: &JobState) -> Option<&'a PodState> {
    let pods = situation
        .observed
        .pods
        .iter()
        .filter(|pod| pod.owner.as_deref() == Some(&job.uid));
    pods.max_by_key(|pod| pod.created_at)
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

fn pod_facts(pod: &PodState) -> PodFacts {
    let container = pod
        .containers
        .iter()
        .find(|container| container.name == CONTAINER);
    PodFacts {
        phase: PodPhase::from_status(&pod.phase),
        deleting: pod.deleting,
        disrupted: pod.disrupted.clone(),
        reason: pod.reason.clone(),
        unschedulable: pod.unschedulable.clone(),
        container: container.map_or(ContainerFacts::Unreported, container_facts),
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
    let Some(ended) = &container.ended else {
        return ContainerFacts::Unreported;
    };
    ContainerFacts::Ended(ContainerEnd {
        exit_code: ended.exit_code,
        signal: ended.signal,
        reason: ended.reason.clone(),
        message: ended.message.clone(),
        started_at: ended.started_at,
        finished_at: ended.finished_at,
    })
}
