//! Only checks that passed let anybody through.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use promoter::engine::Deployed;
use promoter::plan::color::Color;
use promoter::promotion::ReasonKind;
use promoter::promotion::check::{CheckResult, Verdict};
use promoter::promotion::phase::Phase;

use crate::support::given::{self, app, check, tap};
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::{End, Run};
use crate::support::world::State;

const PASSING: &str = "TAP version 13\nok 1 - greets\n1..1";

/// A second promotion whose check runs as scripted; what came of it.
async fn with_runs(scenario: &Scenario, runs: &[Run]) -> (Phase, CheckResult) {
    scenario.push_all();
    for run in runs {
        scenario.world.run("greets", run.clone());
    }
    scenario.forget();
    let deployed = scenario.deploy().await.unwrap();
    let Deployed::Ended { outcome, results } = deployed else {
        panic!("{deployed:?}");
    };
    let [result] = results.as_slice() else {
        panic!("{results:?}");
    };
    assert_eq!(result.promotion, outcome.promotion.to_string());
    (outcome.phase, result.clone())
}

async fn serving_with(report: promoter::group::Check) -> Scenario {
    let mut group = given::hello();
    group.checks = vec![report];
    let scenario = Scenario::new(group);
    let run = Run::exits(0).writes(PASSING);
    scenario.world.run("greets", run);
    scenario.promote().await;
    scenario
}

/// The run aborts the promotion with this verdict, and leaves no trace.
async fn aborts(check: promoter::group::Check, runs: &[Run], verdict: Verdict, reason: &str) {
    let scenario = serving_with(check).await;
    let (phase, result) = with_runs(&scenario, runs).await;
    assert_eq!(
        (phase, result.verdict),
        (Phase::Aborted, verdict),
        "{result:?}"
    );
    assert_eq!(result.reason, reason);
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(state.journal.calls("point"), [""; 0], "traffic was touched");
    // What serves was not even looked at the wrong way.
    let touched = state.journal.calls("delete Deployment hello-a-blue");
    assert_eq!(touched, [""; 0]);
    let kind = match verdict {
        Verdict::Errored => ReasonKind::CheckErrored,
        _ => ReasonKind::Check,
    };
    assert_eq!(state.record.outcomes[0].reasons[0].kind, kind);
}

#[tokio::test(start_paused = true)]
async fn a_failed_check() {
    let runs = [Run::exits(1).writes("boom")];
    aborts(check("greets"), &runs, Verdict::Failed, "exit 1").await;
}

#[tokio::test(start_paused = true)]
async fn a_check_that_does_not_end() {
    let reason = "not ended within its timeout of 1m";
    aborts(
        check("greets"),
        &[Run::new(End::Never)],
        Verdict::TimedOut,
        reason,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_check_out_of_memory() {
    let reason = "out of memory (exit 137)";
    aborts(
        check("greets"),
        &[Run::new(End::OutOfMemory)],
        Verdict::Failed,
        reason,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_check_whose_image_is_not_there() {
    let runs = [
        Run::new(End::PullError),
        Run::new(End::PullError),
        Run::new(End::PullError),
    ];
    let reason = "no verdict after 3 runs: its image cannot be pulled (ErrImagePull): not found";
    aborts(check("greets"), &runs, Verdict::Errored, reason).await;
}

#[tokio::test(start_paused = true)]
async fn a_check_deleted_by_hand_again_and_again() {
    // Its process exits 0 each time.
    let runs = [
        Run::new(End::PodDeleted),
        Run::new(End::PodDeleted),
        Run::new(End::PodDeleted),
    ];
    let reason = "no verdict after 3 runs: its pod was deleted";
    aborts(check("greets"), &runs, Verdict::Errored, reason).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_deleted_by_hand_again_and_again() {
    let runs = [
        Run::new(End::JobDeleted),
        Run::new(End::JobDeleted),
        Run::new(End::JobDeleted),
    ];
    let reason = "no verdict after 3 runs: its Job is gone";
    aborts(check("greets"), &runs, Verdict::Errored, reason).await;
}

/// Anybody who may make pods can say that a Job made them.
#[tokio::test(start_paused = true)]
async fn a_pod_that_was_made_up_passes_nothing() {
    let runs = [
        Run::new(End::Forged),
        Run::new(End::Forged),
        Run::new(End::Forged),
    ];
    let reason = "no verdict after 3 runs: its pod was disrupted: its Job has another pod";
    aborts(check("greets"), &runs, Verdict::Errored, reason).await;
}

#[tokio::test(start_paused = true)]
async fn a_disturbed_run_is_repeated() {
    for disturbed in [
        End::Evicted,
        End::NodeLost,
        End::NodeSilent,
        End::PodDeleted,
        End::JobDeleted,
    ] {
        let scenario = serving_with(check("greets")).await;
        let runs = [Run::new(disturbed), Run::exits(0)];
        let (phase, result) = with_runs(&scenario, &runs).await;
        assert_eq!(phase, Phase::Promoted, "{disturbed:?} {result:?}");
        assert_eq!((result.verdict, result.attempt), (Verdict::Passed, 2));
        assert_eq!(scenario.events.of("check-repeated").len(), 1);
        scenario.rests_at(Some(Color::Green));
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_without_a_test() {
    let scenario = serving_with(tap("greets")).await;
    let runs = [Run::exits(0).writes("TAP version 13\n1..0")];
    let (phase, result) = with_runs(&scenario, &runs).await;
    assert_eq!(
        (phase, result.verdict),
        (Phase::Aborted, Verdict::Errored),
        "{result:?}"
    );
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_says_no_although_the_exit_code_says_yes() {
    let scenario = serving_with(tap("greets")).await;
    let runs = [Run::exits(0).writes("TAP version 13\nok 1 - a\nnot ok 2 - b\n1..2")];
    let (phase, result) = with_runs(&scenario, &runs).await;
    assert_eq!(
        (phase, result.verdict),
        (Phase::Aborted, Verdict::Failed),
        "{result:?}"
    );
    let cases: Vec<_> = result.cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(cases, ["a", "b"]);
    assert_eq!(result.tail.last().map(String::as_str), Some("1..2"));
    let kept = &scenario.world.state().record.outcomes[0].checks[0];
    assert_eq!(
        (kept.passed, kept.failed),
        (1, 1),
        "counted before cases were dropped"
    );
    assert_eq!(kept.failed_cases, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_check_writes_is_told() {
    let scenario = serving_with(tap("greets")).await;
    let runs = [Run::exits(0).writes(PASSING)];
    let (phase, _) = with_runs(&scenario, &runs).await;
    assert_eq!(phase, Phase::Promoted);
    let lines = scenario.events.of("check-output");
    let lines: Vec<_> = lines
        .iter()
        .map(|fact| fact["line"].as_str().unwrap())
        .collect();
    assert_eq!(lines, PASSING.lines().collect::<Vec<_>>());
}

/// A server takes so many requests at a time, and these do not end.
#[tokio::test(start_paused = true)]
async fn of_very_many_checks_not_all_are_read_along() {
    let (group, names) = given::checked_at_once(130);
    let scenario = Scenario::new(group);
    for name in &names {
        scenario.world.run(name, Run::exits(0).lasts(30));
    }
    let read = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&read);
    scenario.world.when("create Job", move |state| {
        state.later(Duration::from_secs(20), move |state| {
            let calls = state.journal.calls("lines");
            count.store(calls.len(), Ordering::Relaxed);
        });
    });
    scenario.promote().await;
    assert_eq!(read.load(Ordering::Relaxed), 100);
    let state = scenario.world.state();
    let pods: BTreeSet<_> = state.journal.calls("lines").into_iter().collect();
    assert_eq!(pods.len(), names.len(), "the others are read at their end");
}

#[tokio::test(start_paused = true)]
async fn all_checks_are_named_not_only_the_first() {
    let names = ["one", "two", "three", "four", "five", "six"];
    let checks = names.iter().map(|name| check(name)).collect();
    let scenario = Scenario::new(given::group(vec![app("hello-a")], checks));
    scenario.world.run("two", Run::exits(1));
    scenario.world.run("six", Run::exits(2));
    let outcome = scenario.abort().await;
    assert_eq!(
        reasons(&outcome),
        [
            (ReasonKind::Check, "check two failed: exit 1"),
            (ReasonKind::Check, "check six failed: exit 2")
        ]
    );
    scenario.rests_at(None);
}

#[tokio::test(start_paused = true)]
async fn a_few_checks_at_a_time() {
    let names: Vec<_> = (0..9).map(|n| format!("check-{n}")).collect();
    let checks = names.iter().map(|name| check(name)).collect();
    let scenario = Scenario::new(given::group(vec![app("hello-a")], checks));
    let mut begun = 0_i32;
    let (mut most, mut all) = (0, 0);
    scenario.promote().await;
    for fact in scenario.events.facts() {
        let fact = serde_json::to_value(fact).unwrap();
        match fact["event"].as_str() {
            Some("check-started") => {
                begun += 1;
                all += 1;
            }
            Some("check-ended") => begun -= 1,
            _ => {}
        }
        most = most.max(begun);
    }
    assert_eq!((most, all), (4, 9));
}

#[tokio::test(start_paused = true)]
async fn no_check_at_all() {
    let mut group = given::hello();
    group.checks.clear();
    let scenario = Scenario::new(group.clone());
    let outcome = scenario.abort().await;
    assert_eq!(reasons(&outcome)[0].0, ReasonKind::Gate);
    group.environment.untested = promoter::group::Untested::Allowed;
    let scenario = Scenario::new(group);
    scenario.promote().await;
    let said = "group master has no checks; environment v2 allows that, so nothing will be tested";
    assert!(scenario.events.warnings().contains(&said.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_was_changed_after_it_was_tested() {
    for phase in ["checking", "promoting"] {
        let scenario = serving_with(check("greets")).await;
        scenario.push_all();
        let start = match phase {
            "checking" => "create Job",
            _ => "point hello-a to green",
        };
        scenario.world.when(start, |state| {
            state.edit("Deployment", "hello-b-green", |object| {
                object["spec"]["replicas"] = 1.into();
            });
        });
        // The switch itself fails, so that the change is seen before it is tried again.
        let unreachable = promoter::port::ClusterError::Unreachable {
            cluster: "test".to_owned(),
            reason: "timeout".to_owned(),
        };
        scenario
            .world
            .fail("point hello-a to green", 1, unreachable);
        let outcome = scenario.abort().await;
        let said = "app hello-b: somebody changed its candidate after its checks began";
        assert_eq!(reasons(&outcome), [(ReasonKind::Gate, said)]);
        scenario.rests_at(Some(Color::Blue));
    }
}

/// Somebody changes something once a call is made; the promotion is refused for it.
async fn meddled(start: &str, change: fn(&mut State), said: &str) {
    let scenario = serving_with(check("greets")).await;
    scenario.push_all();
    scenario.world.when(start, change);
    let outcome = scenario.abort().await;
    assert_eq!(reasons(&outcome), [(ReasonKind::Gate, said)], "{start}");
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_was_changed_before_it_was_tested() {
    let change: fn(&mut State) = |state| {
        state.edit("Deployment", "hello-a-green", |object| {
            object["spec"]["template"]["metadata"]["labels"]["evil"] = "1".into();
        });
    };
    let said = "app hello-a: somebody changed its candidate while it was deployed";
    meddled("create Deployment hello-b-green", change, said).await;
}

#[tokio::test(start_paused = true)]
async fn a_color_service_that_leads_elsewhere() {
    let change: fn(&mut State) = |state| {
        state.edit("Service", "hello-a-green", |object| {
            object["spec"]["selector"]["promoter.dev/color"] = "blue".into();
        });
    };
    meddled(
        "create Job",
        change,
        "somebody changed Service hello-a-green",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_reaches_the_candidate_while_it_is_tested() {
    let change: fn(&mut State) = |state| {
        state.edit("Service", "hello-a", |object| {
            object["spec"]["selector"]["promoter.dev/color"] = "green".into();
        });
    };
    let scenario = serving_with(check("greets")).await;
    scenario.push_all();
    scenario.world.when("create Job", change);
    let deployed = scenario.deploy().await.unwrap();
    let Deployed::Ended { outcome, .. } = deployed else {
        panic!("{deployed:?}")
    };
    assert_eq!(outcome.phase, Phase::Aborted);
    let said = "Service hello-a selects the untested candidate of app hello-a";
    assert_eq!(reasons(&outcome), [(ReasonKind::Gate, said)]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_check_that_passes_in_time() {
    let scenario = serving_with(check("greets")).await;
    let (phase, result) = with_runs(&scenario, &[Run::exits(0).lasts(59)]).await;
    assert_eq!(phase, Phase::Promoted);
    assert_eq!(result.duration, Some(Duration::from_secs(59)));
    let waits = scenario.events.waits();
    let said = "check greets: its container to end".to_owned();
    assert!(waits.contains(&said), "{waits:?}");
}

/// A drain takes a member of the candidate away while its check runs.
#[tokio::test(start_paused = true)]
async fn a_failure_while_pods_of_the_candidate_are_replaced_is_not_its_own() {
    let scenario = serving_with(check("greets")).await;
    scenario.world.when("create Job", |state| {
        state.later(Duration::from_secs(4), |state| {
            state.green_pod().disrupted = Some("EvictionByEvictionAPI".to_owned());
        });
    });
    let (phase, result) = with_runs(&scenario, &[Run::exits(1), Run::exits(0)]).await;
    assert_eq!(
        (phase, result.verdict, result.attempt),
        (Phase::Promoted, Verdict::Passed, 2),
        "{result:?}"
    );
}
