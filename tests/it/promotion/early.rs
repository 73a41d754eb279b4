//! Checks that begin before every node can be taken to know the candidate: they
//! pass, or say nothing.

use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;
use promoter::group::{Group, Report};
use promoter::plan::color::Color;
use promoter::promotion::ReasonKind;
use promoter::promotion::record::Outcome;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::Run;

/// How long a failure is not believed.
const DELAY: Duration = Duration::from_secs(2);

fn eager() -> Group {
    let mut group = given::hello();
    group.strategy.endpoint_delay = DELAY;
    group
}

/// When a run may begin, as seconds after readiness.
const AT_ONCE: Range<u64> = 0..1;
const AFTER_THE_DELAY: Range<u64> = 2..8;

/// Asserts how long after readiness each run of the check was made.
#[track_caller]
fn runs<const N: usize>(scenario: &Scenario, expected: [Range<u64>; N]) {
    let events = scenario.events.events();
    let at = |named: &str| -> Vec<Timestamp> {
        let named = events.iter().filter(|event| {
            let fact = serde_json::to_value(&event.fact).unwrap();
            fact["event"] == named
        });
        named.map(|event| event.at).collect()
    };
    let ready = at("app").pop().unwrap();
    let after: Vec<u64> = at("check-started")
        .into_iter()
        .map(|started| started.duration_since(ready).unsigned_abs().as_secs())
        .collect();
    assert_eq!(after.len(), N, "{after:?}");
    for (after, expected) in after.iter().zip(expected) {
        assert!(expected.contains(after), "{after} s, not {expected:?}");
    }
}

async fn promoted(scenario: &Scenario) -> Outcome {
    let outcome = scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
    outcome
}

#[tokio::test(start_paused = true)]
async fn one_that_passes_counts() {
    let scenario = Scenario::new(eager());
    promoted(&scenario).await;
    runs(&scenario, [AT_ONCE]);
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_is_run_again_once_nodes_know_the_candidate() {
    let scenario = Scenario::new(eager());
    scenario.world.run("greets", Run::exits(1));
    promoted(&scenario).await;
    runs(&scenario, [AT_ONCE, AFTER_THE_DELAY]);
    assert_eq!(
        scenario.events.of("check-repeated")[0]["reason"],
        "exit 1, but it began before every node could know the candidate"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_again_has_failed() {
    let scenario = Scenario::new(eager());
    for _ in 0..2 {
        scenario.world.run("greets", Run::exits(1));
    }
    let outcome = scenario.abort().await;
    assert_eq!(
        reasons(&outcome),
        [(ReasonKind::Check, "check greets failed: exit 1")]
    );
    runs(&scenario, [AT_ONCE, AFTER_THE_DELAY]);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_says_no_is_not_believed_either() {
    let mut group = eager();
    group.checks[0].report = Report::Tap;
    let scenario = Scenario::new(group);
    let refused = Run::exits(0).writes("1..1\nnot ok 1 - connects");
    scenario.world.run("greets", refused);
    scenario
        .world
        .run("greets", Run::exits(0).writes("1..1\nok 1 - connects"));
    promoted(&scenario).await;
    runs(&scenario, [AT_ONCE, AFTER_THE_DELAY]);
}

#[tokio::test(start_paused = true)]
async fn one_that_may_take_long_does_not_begin_early() {
    let mut group = eager();
    group.checks[0].timeout = Duration::from_mins(6);
    let scenario = Scenario::new(group);
    scenario.world.run("greets", Run::exits(1));
    scenario.abort().await;
    runs(&scenario, [AFTER_THE_DELAY]);
}

#[tokio::test(start_paused = true)]
async fn none_begins_early_where_nodes_are_said_to_be_slow() {
    let mut group = eager();
    group.strategy.endpoint_delay = Duration::from_secs(20);
    let scenario = Scenario::new(group);
    scenario.world.run("greets", Run::exits(1));
    scenario.abort().await;
    let slowly = 20..22;
    runs(&scenario, [slowly]);
}
