//! Promoters that stop, are stopped, meet each other or lose the cluster.

use std::time::Duration;

use promoter::engine::{Deployed, EngineError};
use promoter::plan::color::Color;
use promoter::port::{ClusterError, LockError};
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::Run;
use crate::support::world::State;

/// Deploys, and is stopped by a person right before a call.
async fn stopped_at(scenario: &Scenario, call: &str) -> Result<Deployed, EngineError> {
    let stop = CancellationToken::new();
    let pressed = stop.clone();
    scenario.world.when(call, move |_| pressed.cancel());
    scenario.deploy_with(scenario.options(), stop).await
}

#[tokio::test(start_paused = true)]
async fn stopped_before_the_switch_it_aborts() {
    for call in [
        "store plan",
        "write deploying",
        "create Deployment",
        "write checking",
        "create Job",
        "write promoting",
        "point hello-b to green",
    ] {
        let scenario = Scenario::ready_for_green(given::hello()).await;
        let deployed = stopped_at(&scenario, call).await.unwrap();
        let Deployed::Ended { outcome, .. } = deployed else {
            panic!("{call}: {deployed:?}");
        };
        assert_eq!(outcome.phase, Phase::Aborted);
        assert_eq!(
            reasons(&outcome),
            [(ReasonKind::Interrupted, "stopped by a person")]
        );
        scenario.rests_at(Some(Color::Blue));
        scenario.promote().await;
        scenario.rests_at(Some(Color::Green));
    }
}

#[tokio::test(start_paused = true)]
async fn stopped_after_the_switch_the_rest_is_left() {
    for call in ["write settling", "delete Deployment hello-a-blue"] {
        let scenario = Scenario::ready_for_green(given::hello()).await;
        let deployed = stopped_at(&scenario, call).await.unwrap();
        assert!(
            matches!(deployed, Deployed::Unfinished(_)),
            "{call}: {deployed:?}"
        );
        let left = scenario.events.of("left");
        assert_eq!(left[0]["phase"], "Settling", "{call}: {left:?}");
        {
            let state = scenario.world.state();
            let phase = state.record.in_flight.as_ref().unwrap().phase;
            assert!(phase.leads_users(), "{phase}");
            assert!(state.lease.is_none());
        }
        let deployed = scenario.deploy().await.unwrap();
        assert!(matches!(deployed, Deployed::UpToDate(_)));
        scenario.rests_at(Some(Color::Green));
    }
}

/// Users are at what passed, and have nowhere to go back to.
#[tokio::test(start_paused = true)]
async fn stopped_where_there_is_no_way_back_the_rest_is_left() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let stop = CancellationToken::new();
    let pressed = stop.clone();
    scenario.world.when("point hello-b to green", move |state| {
        state.set_ready(Color::Blue, "hello-a", false);
        pressed.cancel();
    });
    let deployed = scenario.deploy_with(scenario.options(), stop).await;
    assert!(
        matches!(deployed, Ok(Deployed::Unfinished(_))),
        "{deployed:?}"
    );
    scenario.deploy().await.unwrap();
    scenario.rests_at(Some(Color::Green));
}

/// What a deploy leaves of the promotion before its own is not nothing.
#[tokio::test(start_paused = true)]
async fn stopped_while_it_finishes_another_it_says_what_is_left() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let Deployed::Detached(first) = scenario.detach().await else {
        panic!("it waited");
    };
    let deployed = stopped_at(&scenario, "delete Deployment hello-a-blue").await;
    let left = deployed.unwrap();
    assert!(
        matches!(&left, Deployed::Unfinished(id) if *id == first),
        "{left:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn stopped_while_it_aborts_it_goes_on_aborting() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(1));
    let deployed = stopped_at(&scenario, "delete Deployment hello-a-green")
        .await
        .unwrap();
    let Deployed::Ended { outcome, .. } = deployed else {
        panic!("{deployed:?}");
    };
    assert_eq!(outcome.phase, Phase::Aborted);
    assert_eq!(reasons(&outcome)[0].0, ReasonKind::Check);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn stopped_before_anything_nothing_is_done() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let stop = CancellationToken::new();
    stop.cancel();
    let deployed = scenario
        .deploy_with(scenario.options(), stop)
        .await
        .unwrap();
    assert!(matches!(deployed, Deployed::Stopped), "{deployed:?}");
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn detached_the_next_deploy_finishes_it_first() {
    for pause in [0, 20, 86_000] {
        let scenario = Scenario::ready_for_green(given::hello()).await;
        let Deployed::Detached(first) = scenario.detach().await else {
            panic!("it waited");
        };
        {
            let state = scenario.world.state();
            assert_eq!(state.selector("hello-a")["promoter.dev/color"], "green");
            assert_eq!(state.names("Deployment").len(), 4, "the old colour is kept");
        }
        tokio::time::sleep(Duration::from_secs(pause)).await;
        scenario.push_all();
        scenario.forget();
        let outcome = scenario.promote().await;
        assert_ne!(outcome.promotion, first);
        scenario.rests_at(Some(Color::Blue));
        let resumed = scenario.events.of("resumed");
        assert_eq!(resumed.len(), 1);
        assert_eq!(resumed[0]["phase"], "Settling");
        let state = scenario.world.state();
        let finished = state
            .record
            .outcomes
            .iter()
            .find(|o| o.promotion == first)
            .unwrap();
        assert_eq!(finished.phase, Phase::Promoted);
        assert_eq!(finished.reasons, [], "after {pause} s");
        let gone = state.journal.first("delete Deployment hello-a-blue");
        assert!(gone < state.journal.first("delete Deployment hello-b-blue"));
        assert!(gone < state.journal.first("create Deployment"));
    }
}

#[tokio::test(start_paused = true)]
async fn two_deploys_at_once() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let never = CancellationToken::new();
    let (one, other) = tokio::join!(
        scenario.deploy_with(scenario.options(), never.clone()),
        scenario.deploy_with(scenario.options(), never.clone())
    );
    let is_promoted = |d: &Result<_, _>| matches!(d, Ok(Deployed::Ended { .. }));
    let is_refused = |d: &Result<_, _>| matches!(d, Err(EngineError::Lock(LockError::Held { .. })));
    let both = [one, other];
    assert_eq!(
        both.iter().filter(|d| is_promoted(d)).count(),
        1,
        "{both:?}"
    );
    assert_eq!(both.iter().filter(|d| is_refused(d)).count(), 1, "{both:?}");
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn a_promoter_that_lost_its_lock_changes_nothing_any_more() {
    for call in [
        "store plan",
        "write deploying",
        "apply Service",
        "create Deployment hello-a-green",
        "create Job",
        "write promoting",
        "point hello-a to green",
        "write settling",
        "delete Deployment hello-a-blue",
        "owned",
        "write promoted",
    ] {
        let scenario = Scenario::ready_for_green(given::hello()).await;
        scenario.world.when(call, State::take_over);
        let error = scenario.deploy().await.unwrap_err();
        assert!(
            matches!(
                &error,
                EngineError::LockLost { .. } | EngineError::Cluster(ClusterError::Fenced)
            ),
            "{call}: {error:?}"
        );
        // Promise 4 is checked with every call; the new holder still holds.
        {
            let state = scenario.world.state();
            assert_eq!(state.lease.as_ref().unwrap().holder, "somebody else");
        }
        scenario.world.meddle(|state| state.lease = None);
        scenario.deploy().await.unwrap();
        scenario.rests_at(Some(Color::Green));
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_away_for_a_while() {
    for call in [
        "write deploying",
        "create Deployment",
        "create Job",
        "lines",
        "apply Service hello-a-green",
        "point hello-b to green",
        "write settling",
        "delete Deployment hello-b-blue",
        "forget plans",
    ] {
        let scenario = Scenario::ready_for_green(given::hello()).await;
        scenario.world.when(call, |state| {
            state.script.outage = Some(state.now + jiff::SignedDuration::from_secs(50));
        });
        scenario.promote().await;
        scenario.rests_at(Some(Color::Green));
        let warnings = scenario.events.warnings();
        let told = warnings
            .iter()
            .any(|w| w.ends_with("connection refused; trying again"));
        assert!(told || call == "lines", "{call}: {warnings:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_stays_away_leaves_a_promotion_to_be_resumed() {
    for call in [
        "create Deployment",
        "create Job",
        "point hello-b to green",
        "write settling",
    ] {
        let scenario = Scenario::ready_for_green(given::hello()).await;
        scenario.world.when(call, |state| {
            state.script.outage = Some(state.now + jiff::SignedDuration::from_secs(600));
        });
        let before = scenario.clock.elapsed();
        let error = scenario.deploy().await.unwrap_err();
        assert!(
            matches!(
                &error,
                EngineError::Cluster(ClusterError::Unreachable { .. })
            ),
            "{call}: {error:?}"
        );
        let took = scenario
            .clock
            .elapsed()
            .checked_sub(before)
            .unwrap()
            .as_secs();
        assert!((60..120).contains(&took), "{call}: {took} s");
        tokio::time::sleep(Duration::from_secs(700)).await;
        scenario.world.meddle(|state| state.lease = None);
        scenario.deploy().await.unwrap();
        scenario.rests_at(Some(Color::Green));
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_for_a_moment_does_not_fail_a_check() {
    let mut group = given::hello();
    group.checks = vec![given::tap("greets")];
    let scenario = Scenario::new(group);
    let report = "TAP version 13\nok 1 - greets\n1..1";
    scenario.world.run("greets", Run::exits(0).writes(report));
    let error = ClusterError::Unreachable {
        cluster: "test".to_owned(),
        reason: "stream reset".to_owned(),
    };
    // Reading along breaks, and so does reading it all for a while.
    scenario.world.fail("lines", 5, error);
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
}
