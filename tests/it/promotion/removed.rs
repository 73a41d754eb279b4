//! Taking a whole group out of the cluster, callers before callees.

use std::time::Duration;

use promoter::engine::EngineError;
use promoter::engine::remove::Removed;
use promoter::plan::color::Color;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::process::{Blow, Process, Strike};
use crate::support::scenario::Scenario;

async fn remove_by(
    scenario: &Scenario,
    process: &std::sync::Arc<Process>,
) -> Option<Result<Removed, EngineError>> {
    let engine = scenario.engine(process);
    let removing = Box::pin(engine.remove("bob@desk", CancellationToken::new()));
    scenario.until_dead(process, removing).await
}

async fn remove(scenario: &Scenario) -> Removed {
    let process = scenario.process(None);
    let removed = remove_by(scenario, &process).await;
    removed.expect("nobody kills it").unwrap()
}

/// Users are meant to be cut off.
async fn serving() -> Scenario {
    let volume = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}";
    let mut group = given::rich();
    let keeper = given::templated("keeper", &given::manifest("keeper", volume));
    group.apps.push(keeper);
    let scenario = Scenario::new(group);
    scenario.promote().await;
    scenario.world.state().promises.outage_expected = true;
    scenario.forget();
    scenario
}

#[track_caller]
fn assert_gone(scenario: &Scenario) {
    let state = scenario.world.state();
    let owned: Vec<_> = state.owned().into_iter().collect();
    let volumes = |object: &&String| !object.starts_with("PersistentVolumeClaim");
    let left: Vec<_> = owned.iter().filter(volumes).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(owned.len() > left.len(), "volumes stay");
    assert!(state.plans.is_empty() && state.record.serving.is_none());
    assert!(state.lease.is_none());
}

#[tokio::test(start_paused = true)]
async fn all_of_it_goes_but_for_volumes() {
    let scenario = serving().await;
    let process = scenario.process(None);
    let shown = scenario.engine(&process).removal().await.unwrap();
    let Removed::Gone(removal) = remove(&scenario).await else {
        panic!("not gone");
    };
    assert_eq!(removal, shown);
    assert_eq!(removal.stays.len(), 1);
    assert_gone(&scenario);
    let told = ["removing", "removed"].map(|word| scenario.events.of(word).len());
    assert_eq!(told, [1, 1]);
    assert_eq!(remove(&scenario).await, Removed::Nothing);
    scenario.promote().await;
}

#[tokio::test(start_paused = true)]
async fn callers_go_before_callees() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.world.state().promises.outage_expected = true;
    scenario.world.when("delete Deployment hello-b", |state| {
        let left = state.pods.iter().filter_map(|pod| pod.state.app.as_ref());
        assert!(left.into_iter().all(|app| app.as_ref() == "hello-b"));
    });
    remove(&scenario).await;
    let state = scenario.world.state();
    let first = |call| state.journal.first(call);
    assert!(first("delete Service hello-a") < first("delete Deployment hello-a"));
    assert!(first("delete Deployment hello-a") < first("delete Deployment hello-b"));
    assert!(first("delete Deployment hello-b") < first("forget group"));
}

#[tokio::test(start_paused = true)]
async fn while_a_promotion_is_under_way_nothing_goes() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.deploy_until("create Job").await;
    let removed = remove(&scenario).await;
    assert!(matches!(removed, Removed::InFlight(_)), "{removed:?}");
    assert!(scenario.world.state().journal.calls("delete").is_empty());
    scenario.deploy().await.unwrap();
    scenario.rests_at(Some(Color::Green));
}

/// Whoever is killed leaves a group of which nothing is promoted, and the next one
/// goes on.
#[tokio::test(start_paused = true)]
async fn it_is_killed_at_any_call() {
    let whole = serving().await;
    let process = whole.process(None);
    remove_by(&whole, &process).await.unwrap().unwrap();
    let calls = process.calls().len();
    let mut begun = 0;
    for call in 1..=calls {
        for blow in [Blow::KilledBefore, Blow::KilledAfter] {
            let scenario = serving().await;
            let killed = scenario.process(Some(Strike { call, blow }));
            let ended = remove_by(&scenario, &killed).await;
            assert!(ended.is_none(), "call {call}");
            let removing = scenario.world.state().record.removing.is_some();
            if removing {
                begun += 1;
                let deploy = scenario.deploy().await;
                assert!(
                    matches!(deploy, Err(EngineError::Removing { .. })),
                    "{deploy:?}"
                );
            }
            remove(&scenario).await;
            assert_gone(&scenario);
        }
    }
    println!("{calls} calls, {begun} times it had begun");
    assert!(begun > 10);
}

#[tokio::test(start_paused = true)]
async fn jobs_end_before_what_they_call_goes() {
    let scenario = Scenario::new(given::working());
    scenario.promote().await;
    scenario.forget();
    scenario.world.meddle(|state| {
        state.promises.outage_expected = true;
        state.tick(Duration::from_mins(9));
    });
    let Removed::Gone(_) = remove(&scenario).await else {
        panic!("not gone");
    };
    let state = scenario.world.state();
    assert!(state.owned().is_empty(), "{:?}", state.owned());
    let suspended = state.journal.first("set-work nightly-blue to suspended");
    assert!(suspended < state.journal.first("delete Service hello-a"));
    let told = scenario.events.waits();
    assert!(
        told[0].starts_with("Jobs to end: nightly-blue-"),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_does_not_end_is_not_killed() {
    let scenario = Scenario::new(given::working());
    scenario.promote().await;
    scenario
        .world
        .meddle(|state| state.tick(Duration::from_hours(3)));
    let process = scenario.process(None);
    let removed = remove_by(&scenario, &process).await.unwrap();
    let Err(EngineError::Stuck { wait_for }) = removed else {
        panic!("{removed:?}");
    };
    assert!(wait_for.starts_with("Jobs to end: "), "{wait_for}");
    let state = scenario.world.state();
    assert!(state.get("Service", "hello-a").is_some());
}
