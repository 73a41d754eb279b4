//! Apps whose number of pods is an autoscaler's business: whoever takes the
//! users over is as large as whoever had them.

use std::time::Duration;

use promoter::engine::Deployed;
use promoter::engine::resume::Resumed;
use promoter::engine::undo::Undone;
use promoter::plan::color::Color;
use promoter::port::ClusterError;
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::Outcome;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::given::{self, autoscaler};
use crate::support::process::{Blow, Strike};
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::{AppFate, Run};
use crate::support::world::State;

const HPA: &str = "HorizontalPodAutoscaler";

/// Blue serves with `pods` pods of hello-a, and green is promoted next.
async fn ready_for_green(pods: u32) -> Scenario {
    let mut group = given::autoscaled(2, 8);
    group.strategy.keep_old = Duration::from_mins(5);
    let scenario = Scenario::new(group);
    scenario.promote().await;
    scenario.push_all();
    scenario
        .world
        .meddle(|state| state.scale("hello-a-blue", pods));
    tokio::time::sleep(Duration::from_secs(10)).await;
    scenario.forget();
    scenario
}

/// Pods of hello-a that a Deployment asks for.
fn wanted(state: &State, deployment: &str) -> u64 {
    let found = state.get("Deployment", deployment).unwrap();
    found.at("/spec/replicas").and_then(Value::as_u64).unwrap()
}

fn ready(state: &State, color: Color) -> usize {
    let is_ready = |pod: &&crate::support::world::Pod| {
        let of_app = pod
            .state
            .app
            .as_ref()
            .is_some_and(|app| app.as_ref() == "hello-a");
        of_app && pod.state.color == color && pod.state.ready
    };
    state.pods.iter().filter(is_ready).count()
}

/// Fails the test if hello-a is switched to green with fewer pods.
fn at_the_switch(scenario: &Scenario, pods: usize) {
    scenario.world.when("point hello-a to green", move |state| {
        assert_eq!(ready(state, Color::Green), pods);
        assert!(
            state.get(HPA, "hello-a-green").is_none(),
            "it would take pods away"
        );
    });
}

fn policy(state: &State, autoscaler: &str) -> Option<String> {
    let found = state.get(HPA, autoscaler)?;
    let policy = found.str_at("/spec/behavior/scaleDown/selectPolicy");
    policy.map(str::to_owned)
}

async fn rollback(scenario: &Scenario) -> Outcome {
    let engine = scenario.engine(&scenario.process(None));
    let asked = engine
        .undo(given::rollback("bob@desk"), CancellationToken::new())
        .await;
    match asked.unwrap() {
        Undone::Ended(outcome) => *outcome,
        other => panic!("{other:?}"),
    }
}

/// Promotes green and leaves before the window is over.
async fn detached(scenario: &Scenario) {
    let deployed = scenario.detach().await;
    assert!(matches!(deployed, Deployed::Detached(_)), "{deployed:?}");
}

#[tokio::test(start_paused = true)]
async fn the_first_promotion_starts_with_what_is_written() {
    for (replicas, pods) in [(None, 2), (Some(1), 2), (Some(5), 5), (Some(50), 8)] {
        let mut group = given::autoscaled(2, 8);
        group.apps[0].replicas = replicas;
        let scenario = Scenario::new(group);
        scenario.world.when("point hello-a to blue", move |state| {
            assert_eq!(wanted(state, "hello-a-blue"), pods, "{replicas:?}");
        });
        scenario.promote().await;
        scenario.rests_at(Some(Color::Blue));
        let state = scenario.world.state();
        let applied = state.journal.first("apply HorizontalPodAutoscaler");
        assert!(state.journal.first("point hello-a to blue") < applied);
    }
}

#[tokio::test(start_paused = true)]
async fn a_candidate_starts_with_as_many_pods_as_serve() {
    let scenario = ready_for_green(5).await;
    at_the_switch(&scenario, 5);
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    let state = scenario.world.state();
    assert_eq!(state.journal.calls("raise"), [""; 0]);
    let held = state.journal.first("scale-down hello-a-blue Disabled");
    assert!(held < state.journal.first("point hello-a to green"));
    let gone = state
        .journal
        .first("delete HorizontalPodAutoscaler hello-a-blue");
    assert!(gone < state.journal.first("delete Deployment hello-a-blue"));
    assert_eq!(policy(&state, "hello-a-green"), None);
}

#[tokio::test(start_paused = true)]
async fn what_grows_while_checks_run_is_caught_up_with() {
    let scenario = ready_for_green(3).await;
    scenario
        .world
        .when("create Job", |state| state.scale("hello-a-blue", 5));
    // And once more while the candidate catches up.
    scenario.world.when("raise hello-a-green to 5", |state| {
        state.scale("hello-a-blue", 6);
    });
    at_the_switch(&scenario, 6);
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    let state = scenario.world.state();
    assert_eq!(
        state.journal.calls("raise"),
        ["raise hello-a-green to 5", "raise hello-a-green to 6"]
    );
    let waits = scenario.events.waits();
    let told = "pods of hello-a to be ready before the switch".to_owned();
    assert!(waits.contains(&told), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn what_shrinks_is_not_followed() {
    let scenario = ready_for_green(5).await;
    scenario
        .world
        .when("create Job", |state| state.scale("hello-a-blue", 2));
    at_the_switch(&scenario, 5);
    scenario.promote().await;
    assert_eq!(scenario.world.state().journal.calls("raise"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn no_more_pods_than_the_new_autoscaler_allows() {
    let mut scenario = ready_for_green(7).await;
    scenario.group.apps[0].manifest = given::autoscaled(2, 4).apps[0].manifest.clone();
    at_the_switch(&scenario, 4);
    scenario.promote().await;
    let warnings = scenario.events.warnings();
    let told = "app hello-a: 7 pods serve, but its autoscaler allows 4 from now on";
    assert_eq!(warnings, [told]);
}

#[tokio::test(start_paused = true)]
async fn pods_that_cannot_be_added_are_waited_for_and_then_it_is_not_promoted() {
    let scenario = ready_for_green(3).await;
    scenario.world.when("create Job", |state| {
        state.scale("hello-a-blue", 5);
        let full = AppFate::Unschedulable("0/1 nodes are available");
        state.script.apps.insert("hello-a".to_owned(), full);
        let ready: Vec<_> = state
            .pods
            .iter()
            .map(|pod| pod.state.name.clone())
            .collect();
        for pod in ready {
            let blue = state.pod(&pod).unwrap().state.color == Color::Blue;
            blue.then(|| state.become_ready(&pod));
        }
    });
    let outcome = scenario.abort().await;
    assert_eq!(
        reasons(&outcome),
        [(
            ReasonKind::Deploy,
            "waited in vain for pods of hello-a to be ready before the switch"
        )]
    );
    scenario.rests_at(Some(Color::Blue));
}

/// Green is raised, and right before some call somebody changes it too.
async fn changed_at(call: &str, deed: impl FnOnce(&mut State) + Send + 'static) -> Outcome {
    let scenario = ready_for_green(3).await;
    scenario
        .world
        .when("create Job", |state| state.scale("hello-a-blue", 5));
    scenario.world.when(call, deed);
    let outcome = scenario.abort().await;
    scenario.rests_at(Some(Color::Blue));
    assert_eq!(scenario.world.state().journal.calls("point"), [""; 0]);
    outcome
}

fn change_image(state: &mut State) {
    state.edit("Deployment", "hello-a-green", |deployment| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "mine".into();
    });
}

/// What somebody does with kubectl.
type Deed = fn(&mut State);

/// The very number that is on record, and another image, in one change.
fn change_image_and_number(state: &mut State) {
    state.edit("Deployment", "hello-a-green", |deployment| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "mine".into();
        // Together with the number it is one change.
        let generation = deployment["metadata"]["generation"].as_i64().unwrap();
        deployment["metadata"]["generation"] = json!(generation - 1);
    });
    state.scale("hello-a-green", 5);
}

#[tokio::test(start_paused = true)]
async fn whoever_else_changes_a_candidate_is_refused_still() {
    let meanwhile =
        "failed to raise Deployment hello-a-green: it was changed by somebody else meanwhile";
    let deeds: [Deed; 2] = [
        |state| state.scale("hello-a-green", 7),
        change_image_and_number,
    ];
    for deed in deeds {
        let outcome = changed_at("raise hello-a-green", deed).await;
        assert_eq!(reasons(&outcome), [(ReasonKind::Apply, meanwhile)]);
    }
    let outcome = changed_at("scale-down hello-a-blue Disabled", change_image).await;
    let changed = "app hello-a: somebody changed its candidate after its checks began";
    assert_eq!(reasons(&outcome), [(ReasonKind::Gate, changed)]);
}

#[tokio::test(start_paused = true)]
async fn a_promoter_that_dies_raising_leaves_nothing_to_guess() {
    let deeds: [(Deed, Phase); 4] = [
        (|_| {}, Phase::Promoted),
        (change_image, Phase::Aborted),
        (change_image_and_number, Phase::Aborted),
        (|state| state.scale("hello-a-green", 4), Phase::Aborted),
    ];
    for (deed, phase) in deeds {
        for raised in [false, true] {
            let scenario = ready_for_green(3).await;
            scenario.world.when("create Job", |state| {
                state.scale("hello-a-blue", 5);
            });
            if !raised {
                let error = ClusterError::Unreachable {
                    cluster: "test".to_owned(),
                    reason: "connection refused".to_owned(),
                };
                scenario.world.fail("raise hello-a-green", 1, error);
            }
            scenario.deploy_until("raise hello-a-green").await;
            scenario.world.meddle(|state| {
                let promotion = state.record.in_flight.as_ref().unwrap();
                assert_eq!(promotion.raising.len(), 1, "the intent");
                let pods = if raised { 5 } else { 3 };
                assert_eq!(wanted(state, "hello-a-green"), pods);
                deed(state);
            });
            tokio::time::sleep(Duration::from_secs(20)).await;
            let next = scenario.engine(&scenario.process(None));
            let resumed = next.resume("bob@desk", CancellationToken::new()).await;
            resumed.unwrap();
            let outcome = scenario.world.state().record.outcomes[0].clone();
            assert_eq!(outcome.phase, phase, "{raised} {:?}", outcome.reasons);
            let promoted = phase == Phase::Promoted;
            scenario.rests_at(Some(if promoted { Color::Green } else { Color::Blue }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_call_it_ends_the_same() {
    for (blow, pause) in [
        (Blow::KilledBefore, Duration::from_secs(16)),
        (Blow::KilledAfter, Duration::from_hours(2)),
    ] {
        for call in 1.. {
            let strike = Strike { call, blow };
            let scenario = ready_for_green(3).await;
            scenario
                .world
                .when("create Job", |state| state.scale("hello-a-blue", 5));
            let process = scenario.process(Some(strike));
            let never = CancellationToken::new();
            let deployed = scenario
                .deploy_by(&process, scenario.options(), never)
                .await;
            if deployed.is_some() {
                assert!(call > 90, "a promotion calls more than {call} times");
                break;
            }
            tokio::time::sleep(pause).await;
            scenario
                .deploy()
                .await
                .unwrap_or_else(|error| panic!("{strike:?}: {error:?}"));
            scenario.rests_at(Some(Color::Green));
            let state = scenario.world.state();
            assert_eq!(wanted(&state, "hello-a-green"), 5, "{strike:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_gives_the_old_autoscaler_its_way_again() {
    let scenario = ready_for_green(5).await;
    scenario.world.run("greets", Run::exits(1));
    scenario.abort().await;
    scenario.rests_at(Some(Color::Blue));
    assert_eq!(scenario.world.state().journal.calls("scale-down"), [""; 0]);

    let moved = ClusterError::Moved {
        action: "switch Service hello-b".to_owned(),
    };
    scenario.world.fail("point hello-b to green", 1, moved);
    scenario.push_all();
    scenario.abort().await;
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(
        state.journal.calls("scale-down"),
        [
            "scale-down hello-a-blue Disabled",
            "scale-down hello-a-blue freely"
        ]
    );
    assert_eq!(policy(&state, "hello-a-blue"), None);
    assert_eq!(wanted(&state, "hello-a-blue"), 5);
}

#[tokio::test(start_paused = true)]
async fn what_its_manifest_says_of_taking_pods_away_is_put_back() {
    let mut scenario = ready_for_green(3).await;
    let careful = autoscaler("hello-a", 2, 8)
        + "  behavior: {scaleDown: {selectPolicy: Min, policies: [{type: Pods, value: 1, periodSeconds: 60}]}}";
    let text = given::manifest("hello-a", &careful);
    scenario.group.apps[0].manifest = given::templated("hello-a", &text).manifest;
    scenario.promote().await;
    scenario.push_all();
    detached(&scenario).await;
    let held = policy(&scenario.world.state(), "hello-a-green");
    assert_eq!(held.as_deref(), Some("Disabled"));
    rollback(&scenario).await;
    scenario.rests_at(Some(Color::Green));
    let put_back = policy(&scenario.world.state(), "hello-a-green");
    assert_eq!(put_back.as_deref(), Some("Min"));
}

#[tokio::test(start_paused = true)]
async fn once_it_serves_its_autoscaler_rules() {
    // At once, before it is even known to have been applied, and in the window.
    for call in [
        "apply HorizontalPodAutoscaler hello-a-green",
        "write settling",
    ] {
        for pods in [2, 7] {
            let scenario = ready_for_green(5).await;
            scenario
                .world
                .when(call, move |state| state.scale("hello-a-green", pods));
            scenario.promote().await;
            scenario.rests_at(Some(Color::Green));
            let state = scenario.world.state();
            assert_eq!(wanted(&state, "hello-a-green"), u64::from(pods));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_that_acts_while_nobody_drives_is_no_stranger() {
    let scenario = ready_for_green(5).await;
    scenario
        .deploy_until("apply HorizontalPodAutoscaler hello-a-green")
        .await;
    scenario
        .world
        .meddle(|state| state.scale("hello-a-green", 7));
    tokio::time::sleep(Duration::from_secs(20)).await;
    let next = scenario.engine(&scenario.process(None));
    let resumed = next.resume("bob@desk", CancellationToken::new()).await;
    resumed.unwrap();
    scenario.rests_at(Some(Color::Green));
    assert_eq!(wanted(&scenario.world.state(), "hello-a-green"), 7);
}

#[tokio::test(start_paused = true)]
async fn a_raised_candidate_that_loses_pods_is_left() {
    let scenario = ready_for_green(3).await;
    scenario
        .world
        .when("create Job", |state| state.scale("hello-a-blue", 5));
    scenario.world.when("write settling", State::lose_a_pod);
    let outcome = scenario.abort().await;
    let told = "app hello-a: only 4 of 5 pods are ready";
    assert_eq!(reasons(&outcome), [(ReasonKind::Regressed, told)]);
    // What it goes back to is as large as it was, so it is not waited for.
    assert_eq!(
        scenario.world.state().journal.calls("raise hello-a-blue"),
        [""; 0]
    );
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn the_way_back_is_as_wide_as_what_it_leaves() {
    let scenario = ready_for_green(3).await;
    detached(&scenario).await;
    assert!(
        scenario.world.state().get(HPA, "hello-a-green").is_some(),
        "nobody else would make it"
    );
    scenario
        .world
        .meddle(|state| state.scale("hello-a-green", 6));
    tokio::time::sleep(Duration::from_secs(10)).await;
    scenario.world.when("point hello-a to blue", |state| {
        assert_eq!(ready(state, Color::Blue), 6);
        assert_eq!(policy(state, "hello-a-blue").as_deref(), Some("Disabled"));
    });
    let outcome = rollback(&scenario).await;
    let told = "rolled back by bob@desk inside keep_old";
    assert_eq!(reasons(&outcome), [(ReasonKind::RolledBack, told)]);
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(state.journal.calls("raise"), ["raise hello-a-blue to 6"]);
    assert_eq!(policy(&state, "hello-a-blue"), None);
    let gone = state
        .journal
        .first("delete HorizontalPodAutoscaler hello-a-green");
    assert!(gone < state.journal.first("delete Deployment hello-a-green"));
}

#[tokio::test(start_paused = true)]
async fn killed_on_the_way_back_it_goes_on() {
    for blow in [Blow::KilledBefore, Blow::KilledAfter] {
        // Before that nobody had asked for anything.
        for call in 3.. {
            let strike = Strike { call, blow };
            let scenario = ready_for_green(3).await;
            detached(&scenario).await;
            scenario
                .world
                .meddle(|state| state.scale("hello-a-green", 6));
            tokio::time::sleep(Duration::from_secs(10)).await;
            let process = scenario.process(Some(strike));
            let engine = scenario.engine(&process);
            let ended = tokio::select! {
                ended = engine.undo(given::rollback("bob@desk"), CancellationToken::new()) => Some(ended),
                () = process.dead() => None,
            };
            if let Some(ended) = ended {
                ended.unwrap();
                assert!(call > 30, "a rollback calls more than {call} times");
                break;
            }
            tokio::time::sleep(Duration::from_secs(16)).await;
            let resumed = scenario.engine(&scenario.process(None));
            resumed
                .resume("bob@desk", CancellationToken::new())
                .await
                .unwrap();
            scenario.rests_at(Some(Color::Blue));
            assert_eq!(
                wanted(&scenario.world.state(), "hello-a-blue"),
                6,
                "{:?}",
                strike.blow
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_cannot_be_widened_is_taken_after_a_minute() {
    let scenario = ready_for_green(3).await;
    detached(&scenario).await;
    scenario
        .world
        .meddle(|state| state.scale("hello-a-green", 6));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let full = AppFate::Unschedulable("0/1 nodes are available");
    scenario.world.fate("hello-a", full);
    let before = scenario.clock.elapsed();
    let clock = scenario.clock;
    scenario.world.when("point hello-a to blue", move |state| {
        assert_eq!(ready(state, Color::Blue), 3);
        let waited = clock.elapsed().checked_sub(before).unwrap();
        assert_eq!(waited.as_secs(), 60);
    });
    rollback(&scenario).await;
    scenario.rests_at(Some(Color::Blue));
    let told = "pods of hello-a-blue to be ready before the way back".to_owned();
    assert!(scenario.events.waits().contains(&told));
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_that_left_the_manifest_goes() {
    let mut scenario = ready_for_green(3).await;
    scenario.group.apps[0] = given::hello().apps[0].clone();
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    let state = scenario.world.state();
    assert_eq!(state.names(HPA), [""; 0]);
    assert_eq!(wanted(&state, "hello-a-green"), 2);
}

/// An autoscaler may change what was tested, but only behind users that are
/// there already.
#[tokio::test(start_paused = true)]
async fn what_somebody_changed_once_autoscalers_rule_is_not_switched_to() {
    let scenario = ready_for_green(2).await;
    scenario.world.state().promises.outage_expected = true;
    scenario
        .deploy_until("apply HorizontalPodAutoscaler hello-a-green")
        .await;
    scenario.world.meddle(|state| {
        for service in ["hello-a", "hello-b"] {
            state.edit("Service", service, |service| {
                service["spec"]["selector"]["promoter.dev/color"] = "blue".into();
            });
        }
        state.edit("Deployment", "hello-a-green", |deployment| {
            deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "evil:1".into();
        });
    });
    scenario.forget();
    let engine = scenario.engine(&scenario.process(None));
    let resumed = engine.resume("bob@desk", CancellationToken::new()).await;
    let Resumed::Driven(Deployed::Ended { outcome, .. }) = resumed.unwrap() else {
        panic!("not ended");
    };
    assert_eq!(outcome.phase, Phase::Aborted, "{outcome:?}");
    let state = scenario.world.state();
    assert_eq!(state.journal.calls("point hello-a to green"), [""; 0]);
    drop(state);
    scenario.rests_at(Some(Color::Blue));
}
