//! Planning that takes its time: it says what it waits for, and ends.

use std::time::Duration;

use promoter::engine::EngineError;
use promoter::engine::propose::ProposeError;
use promoter::plan::color::Color;

use crate::support::given;
use crate::support::scenario::Scenario;

const REGISTRY: &str = "the registry to say which images there are";

#[tokio::test(start_paused = true)]
async fn a_registry_that_takes_its_time_is_named_and_waited_for() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.registry.takes(Duration::from_secs(30));
    scenario.promote().await;
    assert_eq!(scenario.events.waits()[0], REGISTRY);
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn one_that_answers_is_not_worth_a_word() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.promote().await;
    let waits = scenario.events.waits();
    assert!(!waits.contains(&REGISTRY.to_owned()), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_never_answers_is_not_waited_for_for_ever() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.registry.takes(Duration::from_hours(1));
    let began = scenario.clock.elapsed();
    let error = scenario.deploy().await.unwrap_err();
    let EngineError::Propose(ProposeError::Overdue { wait_for }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(wait_for, REGISTRY);
    let took = scenario.clock.elapsed().checked_sub(began).unwrap();
    assert!(took < Duration::from_mins(11), "{took:?}");
    // The lock is free, and nothing was begun.
    scenario.rests_at(Some(Color::Blue));
}
