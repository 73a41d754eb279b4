//! What was recorded by a promoter that died before it told it is told by the
//! next one.

use std::time::Duration;

use promoter::engine::Deployed;
use promoter::engine::resume::Resumed;
use promoter::plan::color::Color;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::Scenario;
use crate::support::world::State;

async fn resume(scenario: &Scenario) -> Resumed {
    tokio::time::sleep(Duration::from_secs(16)).await;
    let engine = scenario.engine(&scenario.process(None));
    let resumed = engine.resume("bob@desk", CancellationToken::new());
    resumed.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn its_end() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.deploy_until("write promoted").await;
    assert_eq!(scenario.events.of("finished").len(), 0);
    // Nothing is under way any more, and still it is told.
    let resumed = resume(&scenario).await;
    assert!(matches!(resumed, Resumed::Nothing(_)), "{resumed:?}");
    let finished = scenario.events.of("finished");
    assert_eq!(finished[0]["outcome"]["phase"], "Promoted");
    // Once is enough.
    resume(&scenario).await;
    assert_eq!(scenario.events.of("finished").len(), 1);
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn its_beginning_and_its_checks() {
    for call in ["write deploying", "write promoting"] {
        let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
        scenario.deploy_until(call).await;
        resume(&scenario).await;
        for event in ["started", "check-ended", "switched", "finished"] {
            assert!(!scenario.events.of(event).is_empty(), "{call}: {event}");
        }
        scenario.rests_at(Some(Color::Green));
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_nobody_timed() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.deploy_until("point hello-b to green").await;
    assert_eq!(scenario.events.of("switched").len(), 0);
    resume(&scenario).await;
    let switched = scenario.events.of("switched");
    assert_eq!(switched[0]["services"], 2);
    assert!(switched[0].get("skewMs").is_none(), "{switched:?}");
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn an_end_is_an_end_although_the_lock_was_lost_right_after_it() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.when("forget plans", State::take_over);
    let deployed = scenario.deploy().await.unwrap();
    assert!(matches!(deployed, Deployed::Ended { .. }), "{deployed:?}");
    assert_eq!(scenario.events.of("finished").len(), 1);
    scenario.world.meddle(|state| state.lease = None);
    scenario.rests_at(Some(Color::Green));
}
