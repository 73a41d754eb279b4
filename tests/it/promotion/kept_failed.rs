//! A candidate that failed stays for a while to be looked at.

use std::time::Duration;

use promoter::engine::Deployed;
use promoter::group::Group;
use promoter::plan::color::Color;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::Outcome;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::Scenario;
use crate::support::simulate::Run;

const KEPT: Duration = Duration::from_mins(10);

fn keeping() -> Group {
    let mut group = given::hello();
    group.strategy.keep_failed = KEPT;
    group
}

fn took(outcome: &Outcome) -> Duration {
    let taken = outcome.ended_at.duration_since(outcome.started_at);
    taken.unsigned_abs()
}

#[tokio::test(start_paused = true)]
async fn what_failed_its_check_stays_and_then_goes() {
    let scenario = Scenario::ready_for_green(keeping()).await;
    scenario.world.run("greets", Run::exits(1));
    let (outcome, ()) = tokio::join!(scenario.abort(), async {
        tokio::time::sleep(Duration::from_mins(5)).await;
        let state = scenario.world.state();
        assert!(state.get("Deployment", "hello-a-green").is_some());
        assert_eq!(state.jobs.len(), 1, "its check's pod has the log");
        assert_eq!(state.selector("hello-a")["promoter.dev/color"], "blue");
    });
    assert!(took(&outcome) >= KEPT, "{:?}", took(&outcome));
    let waits = scenario.events.waits();
    assert!(
        waits.iter().any(|wait| wait.starts_with("keep_failed")),
        "{waits:?}"
    );
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_stopped_does_not_stay() {
    let scenario = Scenario::ready_for_green(keeping()).await;
    let stop = CancellationToken::new();
    let pressed = stop.clone();
    scenario.world.when("create Job", move |_| pressed.cancel());
    let stopped = scenario.deploy_with(scenario.options(), stop).await;
    let Ok(Deployed::Ended { outcome, .. }) = stopped else {
        panic!("{stopped:?}");
    };
    assert!(took(&outcome) < KEPT, "{:?}", took(&outcome));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_may_let_it_go() {
    let scenario = Scenario::ready_for_green(keeping()).await;
    scenario.world.run("greets", Run::exits(1));
    let stop = CancellationToken::new();
    let pressed = stop.clone();
    scenario.world.when("write aborting", move |state| {
        state.later(Duration::from_mins(1), move |_| pressed.cancel());
    });
    let stopped = scenario.deploy_with(scenario.options(), stop).await;
    let Ok(Deployed::Ended { outcome, .. }) = stopped else {
        panic!("{stopped:?}");
    };
    assert!(took(&outcome) < KEPT, "{:?}", took(&outcome));
    scenario.rests_at(Some(Color::Blue));
}

/// Its promoter died; a new promotion that has work does not wait for it.
#[tokio::test(start_paused = true)]
async fn the_next_deploy_lets_it_go() {
    let scenario = Scenario::ready_for_green(keeping()).await;
    scenario.world.run("greets", Run::exits(1));
    scenario.deploy_until("write aborting").await;
    scenario.push_all();
    let started = scenario.world.state().now;
    let outcome = scenario.promote().await;
    assert_eq!(outcome.phase, Phase::Promoted);
    let waited = outcome.started_at.duration_since(started).unsigned_abs();
    assert!(waited < KEPT, "{waited:?}");
    scenario.rests_at(Some(Color::Green));
}
