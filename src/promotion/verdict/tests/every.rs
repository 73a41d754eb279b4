//! Every combination of facts.

use super::*;

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
