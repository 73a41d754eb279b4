//! A promotion that a person gives up while nobody is at its candidate.

use std::time::Duration;

use promoter::engine::undo::{Undone, Wish};
use promoter::plan::color::Color;
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use promoter::promotion::request::Action;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::Run;

async fn abort(scenario: &Scenario) -> Undone {
    let engine = scenario.engine(&scenario.process(None));
    let wish = Wish {
        action: Action::Abort,
        actor: "bob@desk".to_owned(),
        reason: Some("the database moves".to_owned()),
    };
    engine.undo(wish, CancellationToken::new()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn whoever_drives_it_gives_it_up() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(0).lasts(120));
    let (outcome, undone) = tokio::join!(scenario.outcome(), async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        abort(&scenario).await
    });
    assert_eq!(outcome.phase, Phase::Aborted);
    assert_eq!(
        reasons(&outcome),
        [(
            ReasonKind::Interrupted,
            "aborted by bob@desk (the database moves)"
        )]
    );
    assert_eq!(undone, Undone::Ended(Box::new(outcome)));
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn without_a_driver_it_is_given_up_by_who_wishes_it() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.deploy_until("create Job").await;
    let undone = abort(&scenario).await;
    let Undone::Ended(outcome) = undone else {
        panic!("{undone:?}");
    };
    assert_eq!(outcome.phase, Phase::Aborted);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn after_the_switch_it_is_refused_and_nothing_comes_of_it() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.detach().await;
    let undone = abort(&scenario).await;
    assert!(matches!(undone, Undone::Nothing(_)), "{undone:?}");
    scenario.deploy().await.unwrap();
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn at_rest_there_is_nothing_to_give_up() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    let undone = abort(&scenario).await;
    assert!(matches!(undone, Undone::Nothing(_)), "{undone:?}");
    scenario.rests_at(Some(Color::Blue));
}

/// Its promoter died between the switch and the note of it.
#[tokio::test(start_paused = true)]
async fn after_a_switch_that_nobody_noted_it_is_refused_and_withdrawn() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.deploy_until("point hello-b to green").await;
    let undone = abort(&scenario).await;
    assert!(matches!(undone, Undone::Refused { .. }), "{undone:?}");
    {
        let state = scenario.world.state();
        assert_eq!(state.request, None);
        assert!(state.lease.is_none());
    }
    scenario.deploy().await.unwrap();
    scenario.rests_at(Some(Color::Green));
}
