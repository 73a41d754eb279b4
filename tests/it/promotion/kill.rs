//! A promoter dies at any of its calls; the next one ends in the same state.

use std::time::Duration;

use promoter::engine::Deployed;
use promoter::plan::color::Color;
use promoter::promotion::phase::Phase;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::process::Kill;
use crate::support::scenario::Scenario;
use crate::support::simulate::Run;

/// A promoter dies, another one deploys after a pause. `None`: the first one
/// came to its end before.
async fn killed_and_resumed(scenario: &Scenario, kill: Kill, pause: Duration) -> Option<Deployed> {
    let process = scenario.process(Some(kill));
    let never = CancellationToken::new();
    let deployed = scenario
        .deploy_by(&process, scenario.options(), never)
        .await;
    if let Some(deployed) = deployed {
        deployed.unwrap();
        return None;
    }
    tokio::time::sleep(pause).await;
    let resumed = scenario.deploy().await;
    Some(resumed.unwrap_or_else(|error| panic!("{kill:?}: {error:?}")))
}

/// How a promoter dies, and after how long the next one comes.
type KillAndPause = (fn(usize) -> Kill, Duration);

/// Soon after the lock ran out, or long after every deadline.
const KILLS: [KillAndPause; 2] = [
    (Kill::Before, Duration::from_secs(16)),
    (Kill::After, Duration::from_hours(2)),
];

async fn for_every_call(tell: impl AsyncFn(Kill, Duration) -> bool) {
    for (kill, pause) in KILLS {
        let mut n = 1;
        while tell(kill(n), pause).await {
            n += 1;
        }
        assert!(n > 20, "a promotion changes more than {n} times");
    }
}

#[tokio::test(start_paused = true)]
async fn a_promotion_that_passes() {
    for_every_call(async |kill, pause| {
        let scenario = Scenario::new(given::hello());
        scenario.promote().await;
        scenario.push_all();
        let Some(deployed) = killed_and_resumed(&scenario, kill, pause).await else {
            return false;
        };
        let told = format!("{kill:?} {pause:?} {deployed:?}");
        match deployed {
            Deployed::UpToDate(_) => {}
            Deployed::Ended { outcome, .. } => assert_eq!(outcome.phase, Phase::Promoted, "{told}"),
            _ => panic!("{told}"),
        }

        scenario.rests_at(Some(Color::Green));
        true
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_promotion_that_fails() {
    for_every_call(async |kill, pause| {
        let scenario = Scenario::new(given::hello());
        scenario.promote().await;
        scenario.push_all();
        (0..9).for_each(|_| scenario.world.run("greets", Run::exits(1)));
        let Some(deployed) = killed_and_resumed(&scenario, kill, pause).await else {
            return false;
        };
        let Deployed::Ended { outcome, .. } = deployed else {
            panic!("{kill:?} {pause:?}: {deployed:?}");
        };

        assert_eq!(outcome.phase, Phase::Aborted);
        scenario.rests_at(Some(Color::Blue));
        let outcomes = scenario.world.state().record.outcomes.clone();
        assert!(
            outcomes
                .iter()
                .all(|o| matches!(o.phase, Phase::Aborted | Phase::Promoted))
        );
        true
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_very_first_promotion() {
    for_every_call(async |kill, pause| {
        let scenario = Scenario::new(given::hello());
        if killed_and_resumed(&scenario, kill, pause).await.is_none() {
            return false;
        }

        let color = scenario
            .world
            .state()
            .record
            .serving
            .as_ref()
            .map(|s| s.color);
        assert!(color.is_some());
        scenario.rests_at(color);
        true
    })
    .await;
}
