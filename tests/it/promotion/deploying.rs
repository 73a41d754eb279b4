//! The ways on which a promotion goes well.

use promoter::engine::Deployed;
use promoter::plan::color::Color;
use promoter::promotion::phase::Phase;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::Scenario;

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
