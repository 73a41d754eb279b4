//! Every combination of facts, and the words of single rulings.

mod every;
mod report;

use super::*;
use crate::group::report::ReportFile;
use crate::promotion::junit::JunitReport;
use crate::promotion::tap::TapReport;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn at(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

/// A container that ended well after ten seconds.
fn good_end() -> ContainerEnd {
    ContainerEnd {
        exit_code: 0,
        signal: None,
        reason: "Completed".to_owned(),
        message: String::new(),
        started_at: Some(at(-20)),
        finished_at: Some(at(-10)),
    }
}

fn pod(container: ContainerFacts) -> PodFacts {
    PodFacts {
        phase: PodPhase::Running,
        deleting: false,
        disrupted: None,
        reason: None,
        unschedulable: None,
        container,
        ended_at: Some(at(-10)),
        reporter: None,
    }
}

fn facts(container: ContainerFacts) -> CheckFacts {
    CheckFacts {
        owner: Owner::Ours,
        job: JobFacts {
            presence: Presence::Present,
            ended: None,
        },
        pod: Some(pod(container)),
        report: ReportFacts::NotDemanded,
        attempt: 1,
        early: false,
        disturbed: None,
        max_attempts: 3,
        timeout: Duration::from_mins(5),
        start_timeout: Duration::from_mins(2),
        created_at: at(-25),
        now: NOW,
    }
}

fn ended(change: impl FnOnce(&mut ContainerEnd)) -> CheckFacts {
    let mut end = good_end();
    change(&mut end);
    facts(ContainerFacts::Ended(end))
}

fn waiting(reason: &str, message: &str) -> CheckFacts {
    facts(ContainerFacts::Waiting {
        reason: reason.to_owned(),
        message: message.to_owned(),
    })
}

fn tap(log: &str) -> ReportFacts {
    ReportFacts::Tap(TapReport::read(log))
}

fn junit(output: &str) -> ReportFacts {
    let file = ReportFile::parse("/r/junit.xml").unwrap();
    ReportFacts::Junit(JunitReport::read(&file, output))
}

/// One file of the report, as the sidecar writes it.
fn written(document: &str) -> ReportFacts {
    junit(&format!(
        "\u{1}begin\n\u{1}file /r/junit.xml\n{document}\n\u{1}done 0\n\u{1}end 1\n"
    ))
}

#[track_caller]
fn check(facts: &CheckFacts, expected: &str) {
    let found = match rule(facts) {
        Ruling::Running { waiting_for, until } => {
            let left = until.duration_since(facts.now).as_secs();
            format!("waiting for {waiting_for} ({left} s left)")
        }
        Ruling::ReadReport => "read the report".to_owned(),
        Ruling::Ended(Finding {
            verdict, reason, ..
        }) => format!("{verdict}: {reason}"),
        Ruling::Rerun { reason } => format!("rerun: {reason}"),
    };
    assert_eq!(found, expected);
}

#[test]
fn ends() {
    check(&ended(|_| {}), "passed: exit 0");
    check(&ended(|end| end.reason.clear()), "passed: exit 0");
    check(&ended(|end| end.exit_code = 1), "failed: exit 1");
    check(
        &ended(|end| end.exit_code = 143),
        "failed: exit 143 (SIGTERM)",
    );
    check(&ended(|end| end.exit_code = -1), "failed: exit -1");
    check(
        &ended(|end| {
            end.exit_code = 137;
            end.reason = "OOMKilled".to_owned();
        }),
        "failed: out of memory (exit 137)",
    );
    check(
        &ended(|end| end.reason = "OOMKilled".to_owned()),
        "failed: out of memory (exit 0)",
    );
    check(
        &ended(|end| end.signal = Some(15)),
        "failed: killed by signal 15 (SIGTERM) (exit 0)",
    );
    check(
        &ended(|end| end.reason = "Error".to_owned()),
        "errored: its container exited 0, but ended as Error",
    );
    check(
        &ended(|end| {
            end.exit_code = 128;
            end.reason = "StartError".to_owned();
            end.started_at = Some(at(-1_000_000));
            end.message = "exec: \"npm\": not found\nin $PATH".to_owned();
        }),
        "errored: its container could not be started: exec: \"npm\": not found in $PATH",
    );
    let Ruling::Ended(finding) = rule(&ended(|_| {})) else {
        panic!("it ended");
    };
    assert_eq!(finding.exit_code, Some(0));
    assert_eq!(finding.duration, Some(Duration::from_secs(10)));
}

#[test]
fn deadlines() {
    let exactly = ended(|end| end.started_at = Some(at(-310)));
    check(&exactly, "passed: exit 0");
    let late = ended(|end| end.started_at = Some(at(-311)));
    check(&late, "timed out: not ended within its timeout of 5m");
    check(
        &facts(ContainerFacts::Running { since: at(-300) }),
        "timed out: not ended within its timeout of 5m",
    );
    check(
        &facts(ContainerFacts::Running { since: at(-100) }),
        "waiting for its container to end (200 s left)",
    );
    let mut unknown = ended(|end| end.started_at = None);
    unknown.created_at = at(-400);
    check(&unknown, "timed out: not ended within its timeout of 5m");
    let mut job = ended(|_| {});
    job.job.ended = Some(DEADLINE_EXCEEDED.to_owned());
    check(&job, "timed out: not ended within its timeout of 5m");
    // Kubernetes deletes the pod of a Job past its deadline.
    job.pod = None;
    check(&job, "timed out: not ended within its timeout of 5m");
    let mut of_pod = ended(|_| {});
    if let Some(pod) = &mut of_pod.pod {
        pod.reason = Some(DEADLINE_EXCEEDED.to_owned());
    }
    check(&of_pod, "timed out: not ended within its timeout of 5m");
    let mut unstarted = waiting("ContainerCreating", "");
    unstarted.job.ended = Some(DEADLINE_EXCEEDED.to_owned());
    check(
        &unstarted,
        "rerun: not started within 2m, still waiting for its container to start (ContainerCreating)",
    );
}

#[test]
fn starts() {
    check(
        &waiting("ContainerCreating", ""),
        "waiting for its container to start (ContainerCreating) (95 s left)",
    );
    let mut pulling = waiting("ErrImagePull", "not found");
    check(
        &pulling,
        "waiting for its container to start (ErrImagePull): not found (5 s left)",
    );
    pulling.created_at = at(-30);
    check(
        &pulling,
        "rerun: its image cannot be pulled (ErrImagePull): not found",
    );
    pulling.attempt = 3;
    check(
        &pulling,
        "errored: no verdict after 3 runs: its image cannot be pulled (ErrImagePull): not found",
    );
    check(
        &waiting("InvalidImageName", ""),
        "errored: its image cannot be pulled (InvalidImageName)",
    );
    let mut config = waiting("CreateContainerConfigError", "secret \"db\" not found");
    config.created_at = at(-60);
    check(
        &config,
        "rerun: its container cannot be made (CreateContainerConfigError): secret \"db\" not found",
    );
    let mut crowded = facts(ContainerFacts::Unreported);
    if let Some(pod) = &mut crowded.pod {
        pod.phase = PodPhase::Pending;
        pod.unschedulable = Some("0/3 nodes are available".to_owned());
    }
    check(
        &crowded,
        "waiting for a node: 0/3 nodes are available (95 s left)",
    );
    crowded.created_at = at(-120);
    check(
        &crowded,
        "rerun: not started within 2m, still waiting for a node: 0/3 nodes are available",
    );
    let mut none = facts(ContainerFacts::Unreported);
    none.pod = None;
    check(&none, "waiting for its pod to be made (95 s left)");
    none.created_at = at(-120);
    check(
        &none,
        "rerun: not started within 2m, still waiting for its pod to be made",
    );
    none.attempt = 3;
    check(
        &none,
        "errored: no verdict after 3 runs: not started within 2m, still waiting for its pod to be made",
    );
}

#[test]
fn a_failure_beside_pods_that_were_taken_away_is_not_believed() {
    let why = "pods of web were taken away meanwhile";
    let disturbed = |code: i32, attempt| {
        let mut facts = ended(|end| end.exit_code = code);
        (facts.disturbed, facts.attempt) = (Some(why.to_owned()), attempt);
        facts
    };
    check(&disturbed(0, 1), "passed: exit 0");
    check(&disturbed(1, 1), &format!("rerun: exit 1, but {why}"));
    check(
        &disturbed(1, 3),
        &format!("errored: no verdict after 3 runs: exit 1, but {why}"),
    );
}

#[test]
fn a_run_that_was_disturbed_does_not_time_out() {
    let disturbed = |since| {
        let mut facts = facts(ContainerFacts::Running { since });
        facts.disturbed = Some("its node was not heard of meanwhile".to_owned());
        facts
    };
    check(
        &disturbed(at(-100)),
        "waiting for its container to end (200 s left)",
    );
    let why = "not ended within its timeout of 5m, but its node was not heard of meanwhile";
    check(&disturbed(at(-300)), &format!("rerun: {why}"));
    let mut last = disturbed(at(-300));
    last.attempt = 3;
    check(&last, &format!("errored: no verdict after 3 runs: {why}"));
}

#[test]
fn a_task_that_the_runtime_lost_says_nothing() {
    let lost = ended(|end| {
        end.exit_code = 255;
        end.reason = "Unknown".to_owned();
    });
    check(&lost, "rerun: its node lost track of it");
}

#[test]
fn lost_runs() {
    let mut lost = ended(|_| {});
    if let Some(pod) = &mut lost.pod {
        pod.deleting = true;
    }
    check(&lost, "rerun: its pod was deleted");
    if let Some(pod) = &mut lost.pod {
        pod.reason = Some("Evicted".to_owned());
    }
    check(&lost, "rerun: its pod was taken off its node: Evicted");
    if let Some(pod) = &mut lost.pod {
        pod.disrupted = Some("EvictionByEvictionAPI".to_owned());
    }
    check(&lost, "rerun: its pod was disrupted: EvictionByEvictionAPI");
    lost.job.presence = Presence::Deleting;
    check(&lost, "rerun: its Job was deleted");
    lost.job.presence = Presence::Gone;
    lost.attempt = 3;
    check(&lost, "errored: no verdict after 3 runs: its Job is gone");
    lost.owner = Owner::Foreign("promotion abc".to_owned());
    check(&lost, "errored: its Job is somebody else's: promotion abc");

    let mut gone = ended(|_| {});
    gone.pod = None;
    gone.job.ended = Some("BackoffLimitExceeded".to_owned());
    check(&gone, "rerun: its pod is gone");
    let mut unknown = ended(|end| {
        end.exit_code = 137;
        end.reason = "ContainerStatusUnknown".to_owned();
        end.started_at = None;
        end.finished_at = None;
    });
    unknown.created_at = at(-10_000);
    check(&unknown, "rerun: its node lost track of it");
    let mut early = waiting("PodInitializing", "");
    if let Some(pod) = &mut early.pod {
        pod.phase = PodPhase::Failed;
    }
    check(&early, "rerun: its pod ended without its container `check`");
}

/// What began before nodes could know the candidate is believed only if it is
/// an outright pass.
#[test]
fn early_runs() {
    #[track_caller]
    fn early(code: i32, log: Option<&str>, expected: &str) {
        let mut facts = ended(|end| end.exit_code = code);
        facts.early = true;
        facts.report = log.map_or(ReportFacts::NotDemanded, tap);
        let found = match rule(&facts) {
            Ruling::Rerun { .. } => "rerun",
            Ruling::Ended(finding) if finding.verdict == Verdict::Passed => "passed",
            _ => "something else",
        };
        assert_eq!(found, expected, "exit {code}, {log:?}");
    }
    early(0, None, "passed");
    early(0, Some("1..1\nok 1 - a"), "passed");
    early(1, None, "rerun");
    early(1, Some("1..1\nok 1 - a"), "rerun");
    early(0, Some("1..1\nnot ok 1 - a"), "rerun");
    early(
        0,
        Some("1..2\nok 1 - a\nok 2 - b # SKIP unreachable"),
        "rerun",
    );
    early(0, Some("1..1\nok 1 - a # TODO later"), "rerun");
    early(0, Some("1..0 # SKIP unreachable"), "rerun");
    let mut facts = ended(|_| {});
    facts.early = true;
    for document in [
        "<testsuite><testcase/><testcase><skipped/></testcase></testsuite>",
        "<testsuite/>",
        "<testsuite><testcase><failure/></testcase></testsuite>",
    ] {
        facts.report = written(document);
        assert!(matches!(rule(&facts), Ruling::Rerun { .. }), "{document}");
    }
}
