//! The ways on which a promotion goes well.

use std::time::Duration;

use promoter::engine::Deployed;
use promoter::plan::color::Color;
use promoter::promotion::phase::Phase;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::Scenario;
use crate::support::simulate::Run;

#[tokio::test(start_paused = true)]
async fn the_first_promotion() {
    let scenario = Scenario::new(given::hello());
    let outcome = scenario.promote().await;
    assert_eq!(outcome.color, Color::Blue);
    assert_eq!(
        scenario.events.phases(),
        [
            Phase::Deploying,
            Phase::Checking,
            Phase::Promoting,
            Phase::Settling,
            Phase::Promoted
        ]
    );
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn the_second_promotion_fills_the_other_color() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    let outcome = scenario.promote().await;
    assert_eq!(outcome.color, Color::Green);
    scenario.rests_at(Some(Color::Green));
    scenario.push_all();
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn the_same_inputs_do_nothing() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.forget();
    let deployed = scenario.deploy().await.unwrap();
    let Deployed::UpToDate(proposal) = deployed else {
        panic!("{deployed:?}");
    };
    assert_eq!(proposal.changes, []);
    let state = scenario.world.state();
    let changed = ["create", "apply", "delete", "point", "write", "store"];
    for verb in changed {
        assert_eq!(state.journal.calls(verb), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_inputs_by_force() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    let mut options = scenario.options();
    options.force = true;
    let deployed = scenario
        .deploy_with(options, CancellationToken::new())
        .await;
    let Deployed::Ended { outcome, .. } = deployed.unwrap() else {
        panic!("nothing was done");
    };
    assert_eq!(outcome.phase, Phase::Promoted);
    scenario.rests_at(Some(Color::Green));
}

/// In a large group Deployments say for many seconds what is long over.
#[tokio::test(start_paused = true)]
async fn pods_that_are_ready_are_not_waited_for_until_their_deployment_says_so() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    scenario.world.state().script.late_status = true;
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn results_of_many_checks_are_recorded_together() {
    let (group, names) = given::checked_at_once(12);
    let scenario = Scenario::new(group);
    for (name, tenths) in names.iter().zip(0..) {
        let mut run = Run::exits(0);
        run.lasts += Duration::from_millis(100) * tenths;
        scenario.world.run(name, run);
    }
    scenario.promote().await;
    let state = scenario.world.state();
    let recorded = state.journal.calls("write checking").len();
    assert!(recorded < names.len(), "{recorded} writes");
}

/// In a large group, what is waited for changes all the time.
#[tokio::test(start_paused = true)]
async fn a_wait_whose_words_change_is_put_on_record() {
    let (group, names) = given::checked_at_once(12);
    let scenario = Scenario::new(group);
    for (name, seconds) in names.iter().zip(1..) {
        scenario.world.run(name, Run::exits(0).lasts(seconds));
    }
    scenario.promote().await;
    let state = scenario.world.state();
    let under_way = state.history.iter().flat_map(|record| &record.in_flight);
    let mut noted = under_way.flat_map(|promotion| &promotion.waits_for);
    assert!(noted.any(|what| what.contains("check check-")));
}
