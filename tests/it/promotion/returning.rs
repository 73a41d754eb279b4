//! The way back while the old colour still stands, and putting right what
//! somebody changed or lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use promoter::engine::resume::Resumed;
use promoter::engine::undo::Undone;
use promoter::engine::{Deployed, EngineError};
use promoter::group::OnRegression;
use promoter::plan::color::Color;
use promoter::plan::object::Object;
use promoter::port::ClusterError;
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::Outcome;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::Run;
use crate::support::world::State;

async fn rollback(scenario: &Scenario) -> Result<Undone, EngineError> {
    let engine = scenario.engine(&scenario.process(None));
    engine
        .undo(given::rollback("bob@desk"), CancellationToken::new())
        .await
}

async fn resume(scenario: &Scenario) -> Resumed {
    let engine = scenario.engine(&scenario.process(None));
    let resumed = engine.resume("bob@desk", CancellationToken::new()).await;
    resumed.unwrap()
}

#[track_caller]
fn returned(outcome: &Outcome) {
    assert_eq!(outcome.phase, Phase::Aborted);
    let told = reasons(outcome);
    assert_eq!(
        told,
        [(
            ReasonKind::RolledBack,
            "rolled back by bob@desk inside keep_old"
        )]
    );
}

/// The candidate's users are done before it goes, callers first.
#[track_caller]
fn candidate_drained(scenario: &Scenario) {
    let state = scenario.world.state();
    let back = state.journal.first("point hello-a to blue");
    let caller = state.journal.first("delete Deployment hello-a-green");
    assert!(back < caller);
    assert!(caller < state.journal.first("delete Deployment hello-b-green"));
    let waits = scenario.events.waits();
    assert!(waits.contains(&"users of green to be done".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_promoter_that_waits_moves_back_when_asked() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    let deploying = async {
        match scenario.deploy().await.unwrap() {
            Deployed::Ended { outcome, .. } => outcome,
            other => panic!("{other:?}"),
        }
    };
    let asking = async {
        tokio::time::sleep(Duration::from_secs(90)).await;
        rollback(&scenario).await.unwrap()
    };
    let (deployed, asked) = tokio::join!(deploying, asking);
    returned(&deployed);
    let Undone::Ended(outcome) = asked else {
        panic!("{asked:?}");
    };
    assert_eq!(outcome.promotion, deployed.promotion);
    candidate_drained(&scenario);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn without_a_promoter_the_rollback_drives_itself() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    let deployed = scenario.detach().await;
    assert!(matches!(deployed, Deployed::Detached(_)));
    let Undone::Ended(outcome) = rollback(&scenario).await.unwrap() else {
        panic!("not ended");
    };
    returned(&outcome);
    candidate_drained(&scenario);
    scenario.rests_at(Some(Color::Blue));
    // What was rolled back is promoted again only by a new deploy.
    scenario.push_all();
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn outside_the_window_there_is_nothing_to_return_to() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    let nothing = |asked: &Undone| matches!(asked, Undone::Nothing(_));
    assert!(nothing(&rollback(&scenario).await.unwrap()));
    scenario.promote().await;
    assert!(nothing(&rollback(&scenario).await.unwrap()));
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn an_old_colour_that_is_not_whole_is_not_returned_to() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.when("write settling", |state| {
        state.edit("Deployment", "hello-b-blue", |deployment| {
            deployment["spec"]["replicas"] = json!(3);
        });
    });
    let (outcome, asked) = tokio::join!(scenario.outcome(), async {
        tokio::time::sleep(Duration::from_secs(90)).await;
        rollback(&scenario).await
    });
    assert_eq!(outcome.phase, Phase::Promoted);
    let Undone::Refused { why, .. } = asked.unwrap() else {
        panic!("who asks is not told why");
    };
    assert!(why.contains("blue stays, but is not whole"), "{why}");
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_does_not_come_about_later() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.when("write settling", |state| {
        state.set_ready(Color::Blue, "hello-b", false);
        state.later(Duration::from_mins(3), |state| {
            state.set_ready(Color::Blue, "hello-b", true);
        });
    });
    let (outcome, asked) = tokio::join!(scenario.outcome(), async {
        tokio::time::sleep(Duration::from_secs(90)).await;
        rollback(&scenario).await
    });
    let asked = asked.unwrap();
    assert!(matches!(asked, Undone::Refused { .. }), "{asked:?}");
    assert_eq!(outcome.phase, Phase::Promoted);
    assert_eq!(scenario.world.state().request, None);
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_loses_pods_inside_the_window_switches_back() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.when("write settling", State::lose_a_pod);
    let outcome = scenario.abort().await;
    let told = reasons(&outcome);
    assert_eq!(
        told,
        [(
            ReasonKind::Regressed,
            "app hello-a: only 1 of 2 pods are ready"
        )]
    );
    candidate_drained(&scenario);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn a_regression_may_be_reported_only() {
    let mut scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.group.strategy.on_regression = OnRegression::Report;
    scenario.world.when("write settling", State::lose_a_pod);
    scenario.promote().await;
    let waits = scenario.events.waits();
    let told = "keep_old: blue stays; app hello-a: only 1 of 2 pods are ready";
    assert!(waits.iter().any(|wait| wait == told), "{waits:?}");
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_somebody_led_elsewhere_is_not_switched_over() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.state().promises.outage_expected = true;
    scenario.world.when("create Job", |state| {
        state.edit("Service", "hello-a", |service| {
            service["spec"]["selector"] = json!({ "app": "maintenance" });
        });
    });
    let outcome = scenario.abort().await;
    let told = reasons(&outcome);
    assert_eq!(
        told,
        [(
            ReasonKind::Gate,
            "somebody changed the selector of Service hello-a"
        )]
    );
    assert_eq!(scenario.events.of("astray").len(), 1);
    let led = |state: &State| state.selector("hello-a").contains_key("app");
    assert!(
        led(&scenario.world.state()),
        "put right without being asked"
    );
    let resumed = resume(&scenario).await;
    assert!(matches!(resumed, Resumed::Nothing(_)), "{resumed:?}");
    assert_eq!(scenario.events.of("repaired").len(), 1);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_right_yet_stays_on_record() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.state().promises.outage_expected = true;
    scenario.world.meddle(|state| {
        state.set_ready(Color::Blue, "hello-a", false);
        for service in ["hello-a", "hello-b"] {
            state.edit("Service", service, |service| {
                service["spec"]["selector"] = json!({ "app": "maintenance" });
            });
        }
    });
    resume(&scenario).await;
    let left = "somebody changed the selector of Service hello-a";
    assert_eq!(scenario.world.state().record.astray, [left]);
    assert_eq!(scenario.events.of("repaired").len(), 1);
    assert_eq!(scenario.events.of("astray").len(), 1);
    scenario
        .world
        .meddle(|state| state.set_ready(Color::Blue, "hello-a", true));
    resume(&scenario).await;
    assert_eq!(scenario.world.state().record.astray, [""; 0]);
    scenario.rests_at(Some(Color::Blue));
}

/// The window begins with the first Service that is switched.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_falls_right_after_the_switch_is_left_at_once() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.state().promises.outage_expected = true;
    scenario.world.when("point hello-b to green", |state| {
        state.green_pod().ready = false;
    });
    let clock = scenario.clock;
    let fallen = Arc::new(Mutex::new(Duration::ZERO));
    let noted = Arc::clone(&fallen);
    scenario.world.when("point hello-a to blue", move |_| {
        *noted.lock().unwrap() = clock.elapsed();
    });
    let begun = clock.elapsed();
    let outcome = scenario.abort().await;
    let told = reasons(&outcome);
    assert_eq!(told[0].0, ReasonKind::Regressed, "{told:?}");
    let back = fallen.lock().unwrap().checked_sub(begun).unwrap();
    assert!(back < Duration::from_mins(1), "{back:?}");
    scenario.rests_at(Some(Color::Blue));
}

/// Who asks for fewer pods of what serves does not get an empty group promoted.
#[tokio::test(start_paused = true)]
async fn a_serving_app_that_somebody_scales_down_is_a_regression() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.state().promises.outage_expected = true;
    scenario.world.when("write settling", |state| {
        state.later(Duration::from_mins(1), |state| {
            state.scale("hello-a-green", 0);
        });
    });
    let outcome = scenario.abort().await;
    let told = reasons(&outcome);
    assert_eq!(told[0].1, "app hello-a: only 0 of 2 pods are ready");
    scenario.rests_at(Some(Color::Blue));
}

/// Its deletion may be under way already, and arrive whenever it likes.
#[tokio::test(start_paused = true)]
async fn an_old_colour_that_was_let_go_is_not_returned_to() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    let away = ClusterError::Unreachable {
        cluster: "test".to_owned(),
        reason: "connection reset".to_owned(),
    };
    // It does not arrive as long as its promoter lives.
    scenario.world.fail("delete Deployment", 999, away);
    scenario.deploy_until("delete Deployment").await;
    assert_eq!(scenario.world.state().names("Deployment").len(), 4);
    scenario.world.meddle(|state| state.script.faults.clear());
    let Undone::Ended(outcome) = rollback(&scenario).await.unwrap() else {
        panic!("not ended");
    };
    assert_eq!(outcome.phase, Phase::Promoted, "{outcome:?}");
    scenario.rests_at(Some(Color::Green));
}

/// Somebody began by hand what a rollback is for.
#[tokio::test(start_paused = true)]
async fn who_wants_back_is_not_led_forward_first() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.state().promises.outage_expected = true;
    scenario.detach().await;
    scenario.world.meddle(|state| {
        state.edit("Service", "hello-a", |service| {
            service["spec"]["selector"]["promoter.dev/color"] = "blue".into();
        });
    });
    let Undone::Ended(outcome) = rollback(&scenario).await.unwrap() else {
        panic!("not ended");
    };
    returned(&outcome);
    assert_eq!(scenario.events.of("repaired").len(), 0);
    scenario.rests_at(Some(Color::Blue));
}

/// The clocks of two machines are an hour apart, whichever is right.
#[tokio::test(start_paused = true)]
async fn the_window_is_kept_by_the_clock_of_who_drives() {
    for fast in [true, false] {
        let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
        let process = scenario.process(None);
        let mut other = scenario.engine(&process);
        other.clock = Arc::new(scenario.clock.an_hour_off(fast));
        let mut options = scenario.options();
        options.detach = true;
        let never = CancellationToken::new();
        let deployed = other.deploy(process.as_ref(), &scenario.group, options, never);
        Box::pin(deployed).await.unwrap();
        let detached = scenario.clock.elapsed();
        resume(&scenario).await;
        let kept = scenario.clock.elapsed().checked_sub(detached).unwrap();
        let (least, most) = if fast {
            // As if it had just been switched.
            (scenario.group.strategy.keep_old, Duration::from_mins(10))
        } else {
            // Old connections drain, whatever the time is.
            (Duration::from_secs(10), Duration::from_mins(1))
        };
        assert!((least..most).contains(&kept), "fast: {fast}, {kept:?}");
        scenario.rests_at(Some(Color::Green));
    }
}

/// The one who asked does not wait for a dead one for ever.
#[tokio::test(start_paused = true)]
async fn a_promoter_that_dies_on_the_way_back_is_followed() {
    for call in ["point hello-b to blue", "delete Deployment hello-a-green"] {
        let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
        let asking = async {
            tokio::time::sleep(Duration::from_secs(90)).await;
            rollback(&scenario).await
        };
        let ((), asked) = tokio::join!(scenario.deploy_until(call), asking);
        let Undone::Ended(outcome) = asked.unwrap() else {
            panic!("{call}: not ended");
        };
        assert_eq!(outcome.phase, Phase::Aborted);
        assert_eq!(scenario.events.of("return-asked").len(), 1);
        scenario.rests_at(Some(Color::Blue));
    }
}

/// A check that failed, and somebody who sends users to the candidate all the
/// same, by a selector of their own.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_somebody_sends_users_to_is_not_deleted() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.state().promises.outage_expected = true;
    scenario.world.run("greets", Run::exits(1));
    scenario.world.when("delete Job", |state| {
        state.edit("Service", "hello-a", |service| {
            let selector = &mut service["spec"]["selector"];
            *selector = json!({ "promoter.dev/color": "green" });
        });
    });
    let outcome = scenario.outcome().await;
    assert_eq!(outcome.phase, Phase::Failed);
    let told = &outcome.reasons.last().unwrap().text;
    assert!(told.contains("somebody pointed Service hello-a"), "{told}");
    let left = scenario.world.state().names("Deployment").len();
    assert_eq!(left, 4, "its users were cut off");
    // Put right by whoever comes next.
    scenario.push_all();
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

fn delete_service(state: &mut State) {
    state.promises.outage_expected = true;
    let is_it = |object: &&mut Object| object.kind() == "Service" && object.name() == "hello-a";
    let gone = state.objects.values_mut().find(is_it).unwrap().reference();
    state.objects.remove(&gone);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_service_is_made_again() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.promote().await;
    for by_resume in [true, false] {
        scenario.world.meddle(delete_service);
        let repaired = scenario.events.of("repaired").len();
        if by_resume {
            resume(&scenario).await;
        } else {
            let deployed = scenario.deploy().await.unwrap();
            assert!(matches!(deployed, Deployed::UpToDate(_)), "{deployed:?}");
        }
        assert_eq!(scenario.events.of("repaired").len(), repaired + 1);
        scenario.world.state().promises.outage_expected = false;
        scenario.rests_at(Some(Color::Green));
    }
}

/// It would have no pod behind it.
#[tokio::test(start_paused = true)]
async fn a_deleted_service_of_an_app_without_pods_is_named() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.promote().await;
    scenario.world.meddle(|state| {
        delete_service(state);
        state.set_ready(Color::Green, "hello-a", false);
    });
    resume(&scenario).await;
    let told = format!("{:?}", scenario.events.of("astray"));
    assert!(told.contains("somebody deleted Service hello-a"), "{told}");
    assert!(scenario.deploy().await.is_err(), "planned on what is gone");
}

#[tokio::test(start_paused = true)]
async fn a_service_deleted_inside_the_window_is_told() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.world.when("write settling", |state| {
        state.later(Duration::from_secs(20), delete_service);
    });
    scenario.outcome().await;
    let told = format!("{:?}", scenario.events.of("astray"));
    assert!(told.contains("somebody deleted Service hello-a"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn who_looks_while_nobody_drives_sees_what_somebody_changed() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let strays = || {
        let state = scenario.world.state();
        let services = state.objects.values().filter(|o| o.kind() == "Service");
        let services: Vec<_> = services.cloned().collect();
        let serving = state.record.serving.as_ref().unwrap();
        state.record.strays(&state.plans[&serving.plan], &services)
    };
    assert_eq!(strays(), Vec::<String>::new());
    let changed = "somebody changed the selector of Service hello-a";
    for selector in [
        json!({ "promoter.dev/color": "green" }),
        // It still names the colour, and is narrower.
        json!({ "promoter.dev/color": "blue", "app": "hello-a", "debug": "yes" }),
        json!({}),
    ] {
        scenario.world.meddle(|state| {
            state.edit("Service", "hello-a", |service| {
                service["spec"]["selector"] = selector.clone();
            });
        });
        assert_eq!(strays(), [changed], "{selector}");
    }
    resume(&scenario).await;
    assert_eq!(strays(), Vec::<String>::new());
}
