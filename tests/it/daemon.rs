//! The daemon over worlds in memory: what starts by itself, what does not, and what
//! becomes of it in bad weather.

mod files;
mod health;
mod partitioned;
mod pushed;
mod recorded;
mod said;
mod scheduled;
mod taken_over;

use std::sync::Arc;
use std::time::Duration;

use promoter::group::Group;
use promoter::group::name::GroupName;
use promoter::group::schedule::Schedule;
use promoter::group::triggers::Triggers;
use promoter::promotion::phase::Phase;
use tokio::task::LocalSet;

use crate::support::clock::FakeClock;
use crate::support::given;
use crate::support::yard::{Serving, Town};

/// Runs what belongs onto one thread.
async fn locally<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

/// A daemon by the clock of the town.
fn serve(town: &Arc<Town>, name: &str) -> Serving {
    Serving::start(town, name, Arc::new(FakeClock::new()))
}

/// A small group that is promoted every hour in UTC. Tests begin at 9 o'clock.
fn hourly() -> Group {
    with(Triggers {
        schedule: Some(Schedule::parse("0 * * * *", "UTC").unwrap()),
        ..Triggers::default()
    })
}

/// A small group whose new images are promoted once nobody pushed for a minute.
fn on_push() -> Group {
    with(Triggers {
        on_push: true,
        ..Triggers::default()
    })
}

fn with(triggers: Triggers) -> Group {
    Group {
        triggers,
        ..given::group(vec![given::app("web")], vec![given::check("greets")])
    }
}

fn named(name: &str, group: Group) -> Group {
    Group {
        name: GroupName::parse(name).unwrap(),
        ..group
    }
}

/// Those in which a promotion is under way.
const PHASES: [Phase; 4] = [
    Phase::Deploying,
    Phase::Checking,
    Phase::Promoting,
    Phase::Settling,
];

/// Runs until a group's promotion is in a phase, as the record says.
async fn until(town: &Town, group: &str, phase: Phase) {
    let scenario = town.of_group(group);
    let mut version = scenario.world.version.subscribe();
    loop {
        let in_flight = scenario.world.state().record.in_flight.clone();
        if in_flight.is_some_and(|promotion| promotion.phase >= phase) {
            return;
        }
        version.changed().await.unwrap();
    }
}

async fn pass(minutes: u64) {
    tokio::time::sleep(Duration::from_mins(minutes)).await;
}

/// The last phases of a group's promotions, newest first.
fn phases(town: &Town, group: &str) -> Vec<Phase> {
    let outcomes = town.outcomes(group);
    outcomes.iter().map(|outcome| outcome.phase).collect()
}
