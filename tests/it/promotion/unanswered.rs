//! One kind of call is never answered, as by an admission webhook that is
//! down: every phase ends by its deadline all the same, and says why.

use std::time::Duration;

use promoter::plan::color::Color;
use promoter::port::ClusterError;
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::Outcome;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::Run;

const WHY: &str = "failed calling webhook";

/// Calls that begin with these words are never answered.
fn never_answered(scenario: &Scenario, call: &str) {
    let away = ClusterError::Unreachable {
        cluster: format!("to {call}"),
        reason: WHY.to_owned(),
    };
    scenario.world.fail(call, usize::MAX, away);
}

/// How it ended within so many minutes.
async fn ended(scenario: &Scenario, within: u64) -> Outcome {
    let begun = scenario.clock.elapsed();
    let outcome = scenario.outcome().await;
    let took = scenario.clock.elapsed().checked_sub(begun).unwrap();
    assert!(took < Duration::from_mins(within), "{took:?}: {outcome:?}");
    outcome
}

/// It ended so, for want of an answer.
#[track_caller]
fn for_want_of_an_answer(outcome: &Outcome, phase: Phase) {
    assert_eq!(outcome.phase, phase, "{outcome:?}");
    let told = reasons(outcome);
    assert!(told.last().unwrap().1.contains(WHY), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn on_the_way_in_it_is_aborted() {
    for call in [
        "apply Service hello-a-green",
        "create Deployment hello-b-green",
        "point hello-b to green",
    ] {
        let scenario = Scenario::ready_for_green(given::hello()).await;
        never_answered(&scenario, call);
        for_want_of_an_answer(&ended(&scenario, 30).await, Phase::Aborted);
        let warned = scenario.events.warnings();
        assert!(warned.len() < 20, "{call}: {} warnings", warned.len());
        scenario.rests_at(Some(Color::Blue));
    }
}

#[tokio::test(start_paused = true)]
async fn a_raise_does_not_keep_it_for_ever() {
    let scenario = Scenario::ready_for_green(given::autoscaled(2, 8)).await;
    scenario
        .world
        .when("create Job", |state| state.scale("hello-a-blue", 5));
    never_answered(&scenario, "raise hello-a-green");
    for_want_of_an_answer(&ended(&scenario, 30).await, Phase::Aborted);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn an_abort_ends_as_failed() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(1));
    never_answered(&scenario, "delete Deployment hello-a-green");
    for_want_of_an_answer(&ended(&scenario, 15).await, Phase::Failed);
    // Put right by whoever comes next.
    scenario.world.state().script.faults.clear();
    scenario.push_all();
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn after_the_switch_users_stay_where_they_are() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    never_answered(&scenario, "delete Deployment hello-b-blue");
    for_want_of_an_answer(&ended(&scenario, 15).await, Phase::Promoted);
}

/// The exit code is known, whatever became of the node.
#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_does_not_keep_a_verdict() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(3));
    never_answered(&scenario, "lines");
    let outcome = ended(&scenario, 5).await;
    assert_eq!(outcome.phase, Phase::Aborted);
    let told = reasons(&outcome);
    assert_eq!(told[0].0, ReasonKind::Check, "{told:?}");
    let state = scenario.world.state();
    let noted = state.history.iter().filter_map(|r| r.in_flight.as_ref());
    let noted: Vec<_> = noted.filter_map(|p| p.waits_for.as_deref()).collect();
    let says = |wait: &&str| wait.contains("check greets: its log") && wait.contains(WHY);
    assert!(noted.iter().any(says), "{noted:?}");
    assert_eq!(state.epoch, 2, "reading is no write");
    drop(state);
    scenario.rests_at(Some(Color::Blue));
}
