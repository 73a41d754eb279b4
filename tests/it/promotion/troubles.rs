//! Candidates that do not become ready: the cause is said, not only the time.

use std::time::Duration;

use promoter::plan::color::Color;
use promoter::promotion::ReasonKind;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::AppFate;

/// The second promotion's hello-b fares like this; why it was aborted, and after how long.
async fn aborts(fate: AppFate, reason: &str, seconds: std::ops::Range<u64>) {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    scenario.world.fate("hello-b", fate);
    let before = scenario.clock.elapsed();
    let outcome = scenario.abort().await;
    assert_eq!(reasons(&outcome), [(ReasonKind::Deploy, reason)]);
    let took = scenario
        .clock
        .elapsed()
        .checked_sub(before)
        .unwrap()
        .as_secs();
    assert!(seconds.contains(&took), "{took} s");
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(
        state.journal.calls("point").len(),
        2,
        "only the first promotion switched"
    );
    assert_eq!(
        state.journal.calls("create Job").len(),
        1,
        "nothing unready is tested"
    );
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled() {
    let reason = "app hello-b: its image cannot be pulled: no such image";
    aborts(AppFate::PullError("no such image"), reason, 300..305).await;
}

#[tokio::test(start_paused = true)]
async fn a_container_that_crashes() {
    let reason = "app hello-b: container hello-b crashes (exit code 1), 1 restarts";
    aborts(AppFate::CrashLoop(1), reason, 300..305).await;
}

#[tokio::test(start_paused = true)]
async fn a_container_that_crashes_again_and_again_is_not_waited_for() {
    let reason = "app hello-b: container hello-b crashes (exit code 1), 5 restarts";
    aborts(AppFate::CrashLoop(5), reason, 0..30).await;
}

#[tokio::test(start_paused = true)]
async fn no_node_takes_it() {
    let reason = "app hello-b: unschedulable: 0/3 nodes are available";
    aborts(
        AppFate::Unschedulable("0/3 nodes are available"),
        reason,
        300..305,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn its_probe_does_not_pass() {
    let reason = "app hello-b: container hello-b runs, but its readiness probe does not pass";
    aborts(AppFate::Unready, reason, 300..305).await;
}

#[tokio::test(start_paused = true)]
async fn a_quota_keeps_its_pods_from_being_made() {
    let reason = "app hello-b: exceeded quota: pods";
    aborts(AppFate::Quota("exceeded quota: pods"), reason, 300..305).await;
}

#[tokio::test(start_paused = true)]
async fn slow_but_in_time() {
    let scenario = Scenario::new(given::hello());
    scenario
        .world
        .fate("hello-b", AppFate::Ready(Duration::from_secs(299)));
    scenario.promote().await;
    let waits = scenario.events.waits();
    let said = "pods of hello-b to be ready".to_owned();
    assert!(waits.contains(&said), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_the_candidate_that_fails_before_the_switch_holds_it_up() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    scenario.world.when("create Job", |state| {
        let pod = state
            .pods
            .iter_mut()
            .find(|p| p.state.name.starts_with("hello-a-green"));
        let pod = &mut pod.unwrap().state;
        pod.ready = false;
        let name = pod.name.clone();
        state.later(Duration::from_secs(30), move |state| {
            state.become_ready(&name);
        });
    });
    scenario.promote().await;
    let waits = scenario.events.waits();
    let said = "pods of hello-a to be ready before the switch".to_owned();
    assert!(waits.contains(&said), "{waits:?}");
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn what_a_crashed_container_said_last_is_told() {
    let scenario = Scenario::new(given::hello());
    scenario.world.fate("hello-b", AppFate::CrashLoop(5));
    let outcome = scenario.abort().await;
    assert_eq!(outcome.reasons[0].last_lines, ["starting", "no database"]);
    scenario.rests_at(None);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_way_is_named() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    scenario
        .world
        .run("greets", crate::support::simulate::Run::exits(1));
    // The first abort cannot end, as a pod of its candidate hangs.
    scenario
        .world
        .state()
        .script
        .drains
        .insert("hello-a".to_owned(), None);
    scenario.outcome().await;
    scenario.push_all();
    let outcome = scenario.outcome().await;
    let told = &outcome.reasons[0].text;
    let start = "waited in vain for what is left of an earlier green to go: hello-a-green-";
    assert!(told.starts_with(start), "{told}");
    assert_eq!(
        scenario
            .world
            .state()
            .journal
            .calls("create Deployment")
            .len(),
        4
    );
}
