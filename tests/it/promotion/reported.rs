//! Reports that checks and hooks leave in files: read once they are written, and
//! what they say counts.

use std::time::Duration;

use promoter::engine::Deployed;
use promoter::group::{Check, Group};
use promoter::plan::color::Color;
use promoter::port::ClusterError;
use promoter::promotion::ReasonKind;
use promoter::promotion::check::{CheckResult, Verdict};
use promoter::promotion::phase::Phase;

use crate::support::given::{self, junit};
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::Run;
use crate::support::world::State;

const PASSING: &str = "<testsuite name='greets'>\n<testcase name='hello'/>\n</testsuite>";
const FAILING: &str = "<testsuite>\n<testcase name='hello'/>\n\
    <testcase name='bye'><failure message='no'/></testcase>\n</testsuite>";

fn reporting() -> Group {
    let mut group = given::hello();
    group.checks = vec![junit("greets")];
    group
}

/// A first promotion whose check runs so; what came of it.
async fn with_runs(runs: &[Run]) -> (Scenario, Phase, CheckResult) {
    let scenario = Scenario::new(reporting());
    for run in runs {
        scenario.world.run("greets", run.clone());
    }
    let deployed = scenario.deploy().await.unwrap();
    let Deployed::Ended { outcome, results } = deployed else {
        panic!("{deployed:?}");
    };
    let [result] = results.as_slice() else {
        panic!("{results:?}");
    };
    (scenario, outcome.phase, result.clone())
}

async fn ends(run: Run, verdict: Verdict, reason: &str) {
    let (scenario, phase, result) = with_runs(&[run]).await;
    assert_eq!((result.verdict, result.reason.as_str()), (verdict, reason));
    let (promoted, serves) = match verdict {
        Verdict::Passed => (Phase::Promoted, Some(Color::Blue)),
        _ => (Phase::Aborted, None),
    };
    assert_eq!(phase, promoted);
    scenario.rests_at(serves);
}

#[tokio::test(start_paused = true)]
async fn one_that_passes() {
    let run = Run::exits(0).writes("all is well").reports(PASSING);
    let (scenario, phase, result) = with_runs(&[run]).await;
    assert_eq!(phase, Phase::Promoted);
    assert_eq!(result.reason, "1 test case passed");
    assert_eq!(result.cases[0].name, "greets > hello");
    // Its log is what it wrote itself.
    assert_eq!(result.tail, ["all is well"]);
    let waits = scenario.events.waits();
    let said = "check greets: its report to be written".to_owned();
    assert!(waits.contains(&said), "{waits:?}");
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn what_the_report_says_counts() {
    let exits = Run::exits;
    ends(
        exits(0).reports(FAILING),
        Verdict::Failed,
        "1 of 2 test cases failed: 'bye'",
    )
    .await;
    ends(
        exits(2).reports(FAILING),
        Verdict::Failed,
        "exit 2; 1 of 2 test cases failed: 'bye'",
    )
    .await;
    ends(
        exits(0).reports("<testsuite>\n<testcase name='hello'/>"),
        Verdict::Failed,
        "the JUnit report does not add up: /reports/junit.xml line 3: it ends within <testsuite>, so it was cut off",
    )
    .await;
    ends(
        exits(0),
        Verdict::Errored,
        "no report: there is no /reports/junit.xml",
    )
    .await;
    ends(
        exits(1),
        Verdict::Failed,
        "exit 1; no report: there is no /reports/junit.xml",
    )
    .await;
    ends(
        exits(0).reports("<testsuites/>"),
        Verdict::Errored,
        "no test was run: the report is empty",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn more_than_anybody_writes_is_cut_off() {
    let line = format!("<testcase name='{}'/>\n", "a".repeat(1_000_000));
    let document = format!("<testsuite>\n{}</testsuite>", line.repeat(9));
    ends(
        Run::exits(0).reports(&document),
        Verdict::Failed,
        "the JUnit report does not add up: /reports/junit.xml: it was cut off; all files together may have 8 MiB, or less than the node keeps of a log",
    )
    .await;
}

/// A sidecar that was killed says nothing; a further run may.
#[tokio::test(start_paused = true)]
async fn a_report_that_is_lost() {
    let silent = Run::exits(0).report_says("");
    let (scenario, phase, result) =
        with_runs(&[silent.clone(), Run::exits(0).reports(PASSING)]).await;
    assert_eq!((phase, result.attempt), (Phase::Promoted, 2));
    assert_eq!(
        scenario.events.of("check-repeated")[0]["reason"],
        "its report could not be read: its container `report` ended without a word"
    );
    let (_, phase, result) = with_runs(&[silent.clone(), silent.clone(), silent]).await;
    assert_eq!((phase, result.verdict), (Phase::Aborted, Verdict::Errored));
}

/// What a sidecar wrote that was killed may be cut anywhere: it is not read.
#[tokio::test(start_paused = true)]
async fn a_report_whose_writer_was_killed() {
    for (code, reason, said) in [
        (
            137,
            "Error",
            "was killed before it had written all of it (exit 137)",
        ),
        (
            137,
            "OOMKilled",
            "ran out of memory before it had written all of it (exit 137)",
        ),
        (
            0,
            "OOMKilled",
            "ran out of memory before it had written all of it (exit 0)",
        ),
        (2, "Error", "ended before it had written all of it (exit 2)"),
    ] {
        for written in ["\u{1}begin\n\u{1}file /reports/junit.xml\n<testsuite>", ""] {
            let killed = Run::exits(0).report_says(written).report_ends(code, reason);
            let (_, phase, result) = with_runs(&[killed.clone(), killed.clone(), killed]).await;
            assert_eq!((phase, result.verdict), (Phase::Aborted, Verdict::Errored));
            let expected = format!(
                "no verdict after 3 runs: its report could not be read: its container `report` {said}"
            );
            assert_eq!(result.reason, expected);
        }
    }
    let killed = Run::exits(0).reports(PASSING).report_ends(137, "Error");
    let (_, phase, result) = with_runs(&[killed, Run::exits(0).reports(PASSING)]).await;
    assert_eq!((phase, result.attempt), (Phase::Promoted, 2));
    ends(
        Run::exits(1).report_says("").report_ends(137, "Error"),
        Verdict::Failed,
        "exit 1",
    )
    .await;
}

/// The sidecar never ends: the check does not wait for ever.
#[tokio::test(start_paused = true)]
async fn a_report_that_is_never_written() {
    let scenario = Scenario::new(reporting());
    for _ in 0..3 {
        scenario.world.run("greets", Run::exits(0).never_reports());
    }
    let outcome = scenario.abort().await;
    let said = "check greets errored: no verdict after 3 runs: its report could not be read: its container `report` has not written it";
    assert_eq!(reasons(&outcome), [(ReasonKind::CheckErrored, said)]);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_cannot_be_read_for_a_moment() {
    let scenario = Scenario::new(reporting());
    scenario.world.run("greets", Run::exits(0).reports(PASSING));
    let error = ClusterError::Unreachable {
        cluster: "test".to_owned(),
        reason: "stream reset".to_owned(),
    };
    scenario.world.fail("report", 5, error);
    scenario.promote().await;
    let reads = scenario.world.state().journal.calls("report").len();
    assert_eq!(reads, 6);
}

#[tokio::test(start_paused = true)]
async fn an_image_without_a_shell() {
    let scenario = Scenario::new(reporting());
    scenario.world.when("create Job", |state| {
        state.later(Duration::from_millis(500), no_shell);
    });
    let outcome = scenario.abort().await;
    let said = "check greets errored: its container `report` could not be started; a report in files needs `sh`, `cat` and `sleep` in the check's image: exec: \"sh\": not found";
    assert_eq!(reasons(&outcome), [(ReasonKind::CheckErrored, said)]);
}

fn no_shell(state: &mut State) {
    let of_check = |pod: &&mut crate::support::world::Pod| pod.state.check.is_some();
    let pod = state.pods.iter_mut().find(of_check).unwrap();
    let reporter = &mut pod.state.containers[1];
    reporter.waiting = Some(("CrashLoopBackOff".to_owned(), "back-off 10s".to_owned()));
    reporter.ended = Some(promoter::promotion::observed::Ended {
        exit_code: 128,
        signal: None,
        reason: "StartError".to_owned(),
        message: "exec: \"sh\": not found".to_owned(),
        started_at: None,
        finished_at: None,
    });
}

/// A hook is judged alike.
#[tokio::test(start_paused = true)]
async fn hooks_report_as_well() {
    for (document, phase) in [(PASSING, Phase::Promoted), (FAILING, Phase::Aborted)] {
        let mut group = given::hooked();
        let migrate = &mut group.hooks[0].job;
        *migrate = Check {
            report: junit("x").report,
            ..migrate.clone()
        };
        let scenario = Scenario::new(group);
        scenario
            .world
            .run("migrate", Run::exits(0).reports(document));
        let outcome = scenario.outcome().await;
        assert_eq!(outcome.phase, phase, "{outcome:?}");
        let counts = (outcome.hooks[0].passed, outcome.hooks[0].failed);
        assert_eq!(counts, (1, usize::from(phase == Phase::Aborted)));
    }
}
