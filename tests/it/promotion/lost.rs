//! The `DeploymentGroup` is gone, and maybe more: what serves is found out, or
//! left alone.

use promoter::engine::EngineError;
use promoter::engine::resume::Resumed;
use promoter::plan::color::Color;
use promoter::port::ClusterError;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::GroupRecord;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::Scenario;
use crate::support::world::{Fault, State};

async fn resume(scenario: &Scenario) -> Result<Resumed, EngineError> {
    let engine = scenario.engine(&scenario.process(None));
    engine.resume("bob@desk", CancellationToken::new()).await
}

fn lose(state: &mut State) {
    state.record = GroupRecord::default();
}

fn lead(state: &mut State, service: &str, app: &str) {
    state.edit("Service", service, |service| {
        service["spec"]["selector"] = json!({ "app": app });
    });
}

/// Nothing is known for sure, so nothing is done, and a deploy refuses.
async fn left_alone(scenario: &Scenario) {
    let before = scenario.world.state().owned();
    let resumed = resume(scenario).await;
    assert!(matches!(resumed, Err(EngineError::Unknown)), "{resumed:?}");
    assert_eq!(scenario.events.of("rebuilt").len(), 0);
    assert!(scenario.deploy().await.is_err(), "planned on what is lost");
    assert_eq!(scenario.world.state().owned(), before);
}

#[tokio::test(start_paused = true)]
async fn a_lost_record_is_put_together_again() {
    // Nothing under way, checks running, the switch half done, settling.
    for call in [
        None,
        Some("create Job"),
        Some("point hello-a to green"),
        Some("delete Deployment hello-a-blue"),
    ] {
        let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
        let serves = match call {
            None => Color::Blue,
            Some(call) => {
                scenario.deploy_until(call).await;
                if call.starts_with("delete") {
                    Color::Green
                } else {
                    Color::Blue
                }
            }
        };
        scenario.world.meddle(lose);
        resume(&scenario).await.unwrap();
        assert_eq!(scenario.events.of("rebuilt").len(), 1, "{call:?}");
        scenario.rests_at(Some(serves));
        scenario.push_all();
        scenario.promote().await;
        scenario.rests_at(Some(serves.other()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_promotion_whose_record_is_lost_is_taken_down() {
    for call in ["create Deployment hello-b-blue", "create Job"] {
        let scenario = Scenario::new(given::hello());
        scenario.deploy_until(call).await;
        scenario.world.meddle(lose);
        resume(&scenario).await.unwrap();
        scenario.rests_at(None);
        scenario.promote().await;
        scenario.rests_at(Some(Color::Blue));
    }
}

/// A person puts right first what nobody else can be sure of.
#[tokio::test(start_paused = true)]
async fn what_stands_is_left_alone_where_services_were_led_elsewhere() {
    for astray in [&["hello-a"][..], &["hello-a", "hello-b"]] {
        let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
        scenario.world.state().promises.outage_expected = true;
        scenario.world.meddle(|state| {
            lose(state);
            for service in astray {
                lead(state, service, "maintenance");
            }
        });
        left_alone(&scenario).await;
        scenario.world.meddle(|state| {
            let blue = state
                .plans
                .values()
                .find(|plan| plan.candidate == Color::Blue);
            let blue = blue.unwrap().clone();
            for service in blue.services() {
                state.edit("Service", service.active.name(), |active| {
                    active["spec"]["selector"] = json!(service.selector);
                });
            }
        });
        resume(&scenario).await.unwrap();
        scenario.rests_at(Some(Color::Blue));
    }
}

/// Without its plan it is not known what belongs to it.
#[tokio::test(start_paused = true)]
async fn what_serves_stays_though_its_plan_is_lost_as_well() {
    for call in [None, Some("create Job"), Some("point hello-a to green")] {
        let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
        if let Some(call) = call {
            scenario.deploy_until(call).await;
        }
        scenario.world.meddle(|state| {
            let blue = state.record.serving.clone().unwrap().plan;
            state.plans.remove(&blue);
            lose(state);
        });
        left_alone(&scenario).await;
    }
}

/// Whether it passed is not known, so nobody else is led to it either.
#[tokio::test(start_paused = true)]
async fn nobody_is_led_back_to_what_has_fallen() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.deploy_until("write settling").await;
    scenario.world.state().promises.outage_expected = true;
    scenario.world.meddle(|state| {
        lose(state);
        lead(state, "hello-a", "maintenance");
        state.set_ready(Color::Blue, "hello-b", false);
    });
    left_alone(&scenario).await;
}

/// Nobody but the promoter that drives it knows what it said. (Whoever came for the
/// lock meanwhile has made an empty one, which the next write is refused for.)
#[tokio::test(start_paused = true)]
async fn a_record_that_goes_while_somebody_drives_is_put_back() {
    for call in ["write checking", "write promoting", "write settling"] {
        let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
        scenario.world.when(call, |state| {
            lose(state);
            state.script.faults.push(Fault {
                start: "write".to_owned(),
                error: ClusterError::Fenced,
                times: 1,
                done: false,
            });
        });
        let outcome = scenario.outcome().await;
        assert_eq!(outcome.phase, Phase::Promoted, "{call}: {outcome:?}");
        assert_eq!(scenario.events.of("rebuilt").len(), 1, "{call}");
        scenario.rests_at(Some(Color::Green));
        scenario.push_all();
        scenario.promote().await;
        scenario.rests_at(Some(Color::Blue));
    }
}

#[tokio::test(start_paused = true)]
async fn users_who_were_led_back_are_done_before_their_color_goes() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.detach().await;
    let process = scenario.process(None);
    let dying = process.clone();
    let call = "point hello-b to blue";
    scenario.world.when(call, move |_| dying.doom());
    let engine = scenario.engine(&process);
    let asked = Box::pin(engine.undo(given::rollback("bob@desk"), CancellationToken::new()));
    let killed = scenario.until_dead(&process, asked).await;
    assert!(killed.is_none(), "{killed:?}");
    scenario.world.meddle(lose);
    resume(&scenario).await.unwrap();
    assert_eq!(scenario.events.of("rebuilt").len(), 1);
    scenario.rests_at(Some(Color::Blue));
    let waits = scenario.events.waits();
    assert!(
        waits.contains(&"users of green to be done".to_owned()),
        "{waits:?}"
    );
    let journal = &scenario.world.state().journal;
    let caller = journal.first("delete Deployment hello-a-green");
    assert!(caller < journal.first("delete Deployment hello-b-green"));
}

/// Its addresses are still published, so it did not pass.
#[tokio::test(start_paused = true)]
async fn what_was_never_promoted_is_not_though_users_were_led_to_it() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario
        .deploy_until("create Deployment hello-b-green")
        .await;
    scenario.world.state().promises.outage_expected = true;
    scenario.world.meddle(|state| {
        lose(state);
        let green = state
            .plans
            .values()
            .find(|plan| plan.candidate == Color::Green);
        let green = green.unwrap().clone();
        for service in green.services() {
            state.edit("Service", service.active.name(), |active| {
                active["spec"]["selector"] = json!(service.selector);
            });
        }
    });
    resume(&scenario).await.unwrap();
    scenario.rests_at(Some(Color::Blue));
}
