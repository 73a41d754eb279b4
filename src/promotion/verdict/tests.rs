//! Every combination of facts, and the words of single rulings.

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

#[test]
fn reports() {
    let with = |exit_code, report| {
        let mut facts = ended(|end| end.exit_code = exit_code);
        facts.report = report;
        facts
    };
    check(&with(0, ReportFacts::Unread), "read the report");
    check(&with(1, ReportFacts::Unread), "read the report");
    check(&with(0, tap("ok 1\n1..1\n")), "passed: 1 test case passed");
    check(
        &with(0, tap("not ok 1 - a\n1..1\n")),
        "failed: 1 of 1 test case failed: 'a'",
    );
    check(
        &with(0, tap("1..0\n")),
        "errored: no test was run: the report is empty",
    );
    check(
        &with(0, ReportFacts::Lost("its node is gone".to_owned())),
        "rerun: its report could not be read: its node is gone",
    );
    check(
        &with(1, tap("ok 1\n1..1\n")),
        "failed: exit 1; 1 test case passed",
    );
    check(
        &with(1, tap("not ok 1 - a\n1..1\n")),
        "failed: exit 1; 1 of 1 test case failed: 'a'",
    );
    check(
        &with(1, tap("")),
        "failed: exit 1; no test was run: the log holds no result and no plan",
    );
    check(
        &with(1, ReportFacts::Lost("its node is gone".to_owned())),
        "failed: exit 1",
    );
}

/// One row each of the table of reports in docs/verdicts.md.
#[test]
fn reports_in_files() {
    let with = |exit_code, report| {
        let mut facts = ended(|end| end.exit_code = exit_code);
        facts.report = report;
        facts
    };
    let passing = "<testsuite><testcase name='a'/></testsuite>";
    let failing = "<testsuite><testcase name='a'><failure/></testcase></testsuite>";
    let skipping = "<testsuite><testcase name='a'><skipped/></testcase></testsuite>";
    let cut = "<testsuite><testcase name='a'/>";
    check(&with(0, written(passing)), "passed: 1 test case passed");
    check(
        &with(0, written(failing)),
        "failed: 1 of 1 test case failed: 'a'",
    );
    check(
        &with(0, written(cut)),
        "failed: the JUnit report does not add up: /r/junit.xml line 2: it ends within <testsuite>, so it was cut off",
    );
    check(
        &with(0, junit("\u{1}begin\n\u{1}end 0\n")),
        "errored: no report: there is no /r/junit.xml",
    );
    check(
        &with(0, written("")),
        "errored: no report: /r/junit.xml is empty",
    );
    check(
        &with(0, written(skipping)),
        "errored: no test was run: 1 skipped",
    );
    check(
        &with(1, written(passing)),
        "failed: exit 1; 1 test case passed",
    );
    check(
        &with(1, junit("\u{1}begin\n\u{1}end 0\n")),
        "failed: exit 1; no report: there is no /r/junit.xml",
    );
    let lost = || ReportFacts::Lost("its container `report` ended without a word".to_owned());
    check(
        &with(0, lost()),
        "rerun: its report could not be read: its container `report` ended without a word",
    );
    check(&with(1, lost()), "failed: exit 1");
}

/// The sidecar writes once the check has ended; a check waits for that, not for ever.
#[test]
fn reports_are_waited_for() {
    let with = |reporter, phase| {
        let mut facts = ended(|_| {});
        facts.report = ReportFacts::Unread;
        if let Some(pod) = &mut facts.pod {
            (pod.reporter, pod.phase) = (Some(reporter), phase);
        }
        facts
    };
    let running = || ContainerFacts::Running { since: at(-30) };
    let waits = "waiting for its report to be written (50 s left)";
    check(&with(running(), PodPhase::Running), waits);
    check(&with(ContainerFacts::Unreported, PodPhase::Running), waits);
    let mut late = with(running(), PodPhase::Running);
    late.now = at(50);
    check(&late, "read the report");
    check(&with(running(), PodPhase::Succeeded), "read the report");
    let ended = ContainerFacts::Ended(good_end());
    check(&with(ended, PodPhase::Running), "read the report");
}

/// Without its sidecar a check never begins, and that is no pod's fault.
#[test]
fn images_without_a_shell() {
    let mut facts = waiting("PodInitializing", "");
    if let Some(pod) = &mut facts.pod {
        pod.reporter = Some(ContainerFacts::Ended(ContainerEnd {
            exit_code: 128,
            reason: "StartError".to_owned(),
            message: "exec: \"sh\": not found".to_owned(),
            ..good_end()
        }));
    }
    check(
        &facts,
        "errored: its container `report` could not be started; a report in files needs `sh`, `cat` and `sleep` in the check's image: exec: \"sh\": not found",
    );
}

fn containers() -> Vec<ContainerFacts> {
    let mut all = vec![
        ContainerFacts::Unreported,
        ContainerFacts::Waiting {
            reason: "ContainerCreating".to_owned(),
            message: String::new(),
        },
        ContainerFacts::Waiting {
            reason: "ErrImagePull".to_owned(),
            message: String::new(),
        },
        ContainerFacts::Waiting {
            reason: "InvalidImageName".to_owned(),
            message: String::new(),
        },
        ContainerFacts::Running { since: at(-20) },
        ContainerFacts::Running { since: at(-400) },
    ];
    let reasons = [
        "Completed",
        "",
        "Error",
        "OOMKilled",
        "StartError",
        "ContainerStatusUnknown",
    ];
    for exit_code in [0, 1, 137] {
        for signal in [None, Some(0), Some(9)] {
            for reason in reasons {
                for started_at in [Some(at(-20)), Some(at(-400)), None] {
                    all.push(ContainerFacts::Ended(ContainerEnd {
                        exit_code,
                        signal,
                        reason: reason.to_owned(),
                        started_at,
                        ..good_end()
                    }));
                }
            }
        }
    }
    all
}

fn pods() -> Vec<Option<PodFacts>> {
    let mut all = vec![None];
    for container in containers() {
        for phase in [PodPhase::Running, PodPhase::Succeeded, PodPhase::Failed] {
            for deleting in [false, true] {
                for disrupted in [None, Some("PreemptionByScheduler".to_owned())] {
                    for reason in [None, Some("Evicted"), Some(DEADLINE_EXCEEDED)] {
                        all.push(Some(PodFacts {
                            phase,
                            deleting,
                            disrupted: disrupted.clone(),
                            reason: reason.map(str::to_owned),
                            ..pod(container.clone())
                        }));
                    }
                }
            }
        }
    }
    all
}

fn report_facts() -> Vec<ReportFacts> {
    let mut all: Vec<ReportFacts> = [
        "1..1\nok 1\n",
        "1..1\nnot ok 1\n",
        "1..1\nok 1\nBail out!\n",
        "1..2\nok 1\n",
        "ok 1\n",
        "1..0\n",
        "1..1\nok 1 # SKIP\n",
    ]
    .map(tap)
    .into();
    all.extend(
        [
            "<testsuite><testcase/></testsuite>",
            "<testsuite><testcase><failure/></testcase></testsuite>",
            "<testsuite><testcase><skipped/></testcase></testsuite>",
            "<testsuite><testcase/>",
        ]
        .map(written),
    );
    all.push(junit("\u{1}begin\n\u{1}end 0\n"));
    all.push(ReportFacts::NotDemanded);
    all.push(ReportFacts::Unread);
    all.push(ReportFacts::Lost("gone".to_owned()));
    all
}

/// The conditions of a pass, said once more and in another way.
fn may_pass(facts: &CheckFacts) -> bool {
    let Some(pod) = &facts.pod else { return false };
    let ContainerFacts::Ended(end) = &pod.container else {
        return false;
    };
    let report_passes = match &facts.report {
        ReportFacts::NotDemanded => true,
        ReportFacts::Unread | ReportFacts::Lost(_) => false,
        ReportFacts::Tap(report) => report.judge().0 == Verdict::Passed,
        ReportFacts::Junit(report) => report.judge().0 == Verdict::Passed,
    };
    facts.owner == Owner::Ours
        && facts.job.presence == Presence::Present
        && facts.job.ended.as_deref() != Some(DEADLINE_EXCEEDED)
        && !pod.deleting
        && pod.disrupted.is_none()
        && pod.reason.is_none()
        && end.exit_code == 0
        && end.signal.unwrap_or(0) == 0
        && ["", "Completed"].contains(&end.reason.as_str())
        && end.started_at != Some(at(-400))
        && report_passes
}

/// Passed comes out exactly when every condition holds: over all combinations
/// of owner, Job, pod, container and report.
#[test]
fn passed_if_and_only_if_all_holds() {
    let mut all: Vec<CheckFacts> = report_facts()
        .into_iter()
        .map(|report| CheckFacts {
            report,
            ..ended(|_| {})
        })
        .collect();
    let (mut visited, mut passed, mut disturbed) = (0_u64, 0_u64, 0_u64);
    for pod in pods() {
        for facts in &mut all {
            facts.pod.clone_from(&pod);
            for owner in [Owner::Ours, Owner::Foreign(String::new())] {
                facts.owner = owner;
                for presence in [Presence::Present, Presence::Deleting, Presence::Gone] {
                    facts.job.presence = presence;
                    for ended in [None, Some("Complete"), Some(DEADLINE_EXCEEDED)] {
                        facts.job.ended = ended.map(str::to_owned);
                        let ruling = rule(facts);
                        let is_pass = matches!(
                            &ruling,
                            Ruling::Ended(Finding {
                                verdict: Verdict::Passed,
                                ..
                            })
                        );
                        assert_eq!(is_pass, may_pass(facts), "{facts:?} -> {ruling:?}");
                        visited += 1;
                        passed += u64::from(is_pass);
                        disturbed += u64::from(is_disturbed(facts));
                        assert!(!(is_pass && is_disturbed(facts)), "{facts:?}");
                    }
                }
            }
        }
    }
    println!("{visited} combinations, {passed} of them pass, {disturbed} are disturbed");
    assert!(visited > 1_000_000 && passed > 0 && disturbed > 0);
}

/// Deleted, disrupted, evicted, somebody else's or past a deadline.
fn is_disturbed(facts: &CheckFacts) -> bool {
    let pod = facts.pod.as_ref();
    facts.owner != Owner::Ours
        || facts.job.presence != Presence::Present
        || facts.job.ended.as_deref() == Some(DEADLINE_EXCEEDED)
        || pod.is_none_or(|pod| pod.deleting || pod.disrupted.is_some() || pod.reason.is_some())
}

/// However a run is lost, the last one ends in a verdict.
#[test]
fn the_last_run_is_not_repeated() {
    let mut visited = 0;
    for pod in pods() {
        for attempt in [1, 2, 3, 4] {
            let facts = CheckFacts {
                pod: pod.clone(),
                attempt,
                ..ended(|_| {})
            };
            let repeats = matches!(rule(&facts), Ruling::Rerun { .. });
            assert!(!(repeats && attempt >= 3), "{facts:?}");
            visited += 1;
        }
    }
    println!("{visited} runs");
}

/// Nothing waits for ever: at the time a ruling names, it is another one.
#[test]
fn every_wait_ends_when_it_says() {
    let mut waits = 0;
    for pod in pods() {
        let mut facts = CheckFacts {
            pod,
            ..ended(|_| {})
        };
        if let Ruling::Running { until, .. } = rule(&facts) {
            facts.now = until;
            let ruling = rule(&facts);
            assert!(!matches!(ruling, Ruling::Running { .. }), "{facts:?}");
            waits += 1;
        }
    }
    println!("{waits} waits");
    assert!(waits > 0);
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
