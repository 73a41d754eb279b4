//! The switch: all Services or none, and confirmed.

use std::time::Duration;

use promoter::group::Group;
use promoter::plan::color::Color;
use promoter::plan::label;
use promoter::port::ClusterError;
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::given::{self, app, check, manifest, templated};
use crate::support::scenario::{Scenario, reasons};
use crate::support::world::Fault;

fn moved() -> ClusterError {
    ClusterError::Moved {
        action: "switch Service hello-b".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn one_patch_fails_and_the_other_is_moved_back() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.fail("point hello-b to green", 1, moved());
    let outcome = scenario.abort().await;
    let said = "failed to switch Service hello-b: it was changed by somebody else meanwhile";
    assert_eq!(reasons(&outcome), [(ReasonKind::Apply, said)]);
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(
        state.journal.calls("point"),
        [
            "point hello-a to green",
            "point hello-b to green",
            "point hello-a to blue"
        ]
    );
    let back = state.journal.first("point hello-a to blue");
    assert!(
        back < state.journal.first("write aborting"),
        "moved back at once"
    );
}

#[tokio::test(start_paused = true)]
async fn one_patch_fails_and_so_does_the_way_back() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.fail("point hello-b to green", 1, moved());
    scenario.world.fail("point hello-a to blue", 2, moved());
    scenario.abort().await;
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(state.journal.calls("point hello-a to blue").len(), 3);
    let back = state.journal.last("point hello-a to blue");
    assert!(
        back < state.journal.first("delete Deployment"),
        "the candidate still served"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_is_not_a_failure() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let error = ClusterError::Unreachable {
        cluster: "test".to_owned(),
        reason: "timeout".to_owned(),
    };
    scenario.world.state().script.faults.push(Fault {
        start: "point hello-b to green".to_owned(),
        error,
        times: 1,
        done: true,
    });
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_do_not_follow() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.when("point hello-b to green", |state| {
        let behind = state.endpoints().remove("hello-b").unwrap();
        let pods = behind.into_iter().map(|endpoint| endpoint.pod).collect();
        state.script.frozen.insert("hello-b".to_owned(), pods);
    });
    let outcome = scenario.abort().await;
    let said = "missing: endpoints of the new colour behind hello-b";
    assert_eq!(reasons(&outcome), [(ReasonKind::Deploy, said)]);
    scenario.rests_at(Some(Color::Blue));
    assert_eq!(scenario.events.of("switched-back").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_dies_in_the_switch_is_left_again() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.state().promises.outage_expected = true;
    scenario.world.when("point hello-b to green", |state| {
        for pod in &mut state.pods {
            let candidate = pod.state.color == Color::Green && pod.state.app.is_some();
            pod.state.ready &= !candidate;
        }
    });
    scenario.abort().await;
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn shared_objects_change_before_the_switch() {
    let ingress = |host: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: web}}\nspec: {{rules: [{{host: {host}}}]}}"
        )
    };
    let group = |host| {
        let app = templated("web", &manifest("web", &ingress(host)));
        given::group(vec![app], vec![check("greets")])
    };
    let host = |scenario: &Scenario| {
        let state = scenario.world.state();
        let ingress = state.get("Ingress", "web").unwrap();
        ingress.str_at("/spec/rules/0/host").unwrap().to_owned()
    };
    let scenario = Scenario::new(group("old.test"));
    scenario.promote().await;
    let mut scenario = scenario;
    scenario.group = group("new.test");
    scenario.forget();
    scenario
        .world
        .run("greets", crate::support::simulate::Run::exits(1));
    scenario.abort().await;
    assert_eq!(host(&scenario), "old.test");
    assert_eq!(
        scenario.world.state().journal.calls("apply Ingress"),
        [""; 0]
    );

    // Applied, then the switch fails: restored.
    let error = ClusterError::Moved {
        action: "switch Service web".to_owned(),
    };
    scenario.world.fail("point web", 1, error);
    scenario.push_all();
    scenario.abort().await;
    assert_eq!(host(&scenario), "old.test");
    assert_eq!(
        scenario.world.state().journal.calls("apply Ingress").len(),
        2
    );
    scenario.rests_at(Some(Color::Blue));

    scenario.forget();
    scenario.promote().await;
    assert_eq!(host(&scenario), "new.test");
    let state = scenario.world.state();
    let applied = state.journal.first("apply Ingress");
    assert!(applied < state.journal.first("point web to green"));
    assert!(
        applied > state.journal.last("create Job"),
        "tested before it was touched"
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_without_any_service_gets_its_shared_objects() {
    let mut worker = app("worker");
    worker.port = None;
    let text = manifest(
        "worker",
        "apiVersion: v1\nkind: Thing\nmetadata: {name: queue}",
    );
    let (deployment, rest) = text.split_once("---\n").unwrap();
    let (_, thing) = rest.split_once("---\n").unwrap();
    worker.manifest = templated("worker", &format!("{deployment}---\n{thing}")).manifest;
    let scenario = Scenario::new(given::group(vec![worker], vec![check("greets")]));
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn an_active_selector_is_never_applied() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.promote().await;
    let state = scenario.world.state();
    for plan in state.plans.values() {
        for service in plan.services() {
            assert_eq!(service.active.at("/spec/selector"), None);
            assert_eq!(service.selector[label::COLOR], plan.candidate.as_str());
        }
    }
    assert_eq!(
        state.selector("hello-a"),
        serde_json::from_value(json!({
            "app.kubernetes.io/name": "hello-a",
            "promoter.dev/group": "master",
            "promoter.dev/color": "green",
        }))
        .unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn the_switch_waits_for_nothing_but_is_told() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let before = scenario.clock.elapsed();
    scenario.promote().await;
    let switched = scenario.events.of("switched");
    assert_eq!(switched[0]["services"], 2);
    assert_eq!(switched[0]["skewMs"], 0);
    assert!(scenario.clock.elapsed().checked_sub(before).unwrap() < Duration::from_mins(2));
    let phases = scenario.events.phases();
    assert!(phases.contains(&Phase::Promoting));
}

#[tokio::test(start_paused = true)]
async fn ports_move_together_with_the_selector() {
    let group = |port: u16| {
        let mut web = templated(
            "web",
            &manifest("web", "").replace("port: 80,", &format!("port: {port},")),
        );
        web.needs = vec![promoter::group::name::AppName::parse("hello-b").unwrap()];
        given::group(vec![web, app("hello-b")], vec![check("greets")])
    };
    let seen = |state: &crate::support::world::State| {
        let port = state
            .get("Service", "web")
            .unwrap()
            .at("/spec/ports/0/port")
            .cloned();
        (port.unwrap(), state.selector("web")[label::COLOR].clone())
    };
    let mut scenario = Scenario::new(group(80));
    scenario.promote().await;
    scenario.group = group(81);
    // Moved, moved back, and moved for good: never one without the other.
    scenario.world.fail("point hello-b to green", 1, moved());
    for call in [
        "point web to green",
        "point web to blue",
        "write aborting",
        "create Job",
    ] {
        scenario.world.when(call, move |state| {
            let expected = if call == "point web to blue" {
                (json!(81), "green".to_owned())
            } else {
                (json!(80), "blue".to_owned())
            };
            assert_eq!(seen(state), expected, "{call}");
        });
    }
    scenario.abort().await;
    scenario.rests_at(Some(Color::Blue));
    assert_eq!(
        seen(&scenario.world.state()),
        (json!(80), "blue".to_owned())
    );
    scenario.promote().await;
    assert_eq!(
        seen(&scenario.world.state()),
        (json!(81), "green".to_owned())
    );
    scenario.rests_at(Some(Color::Green));
}

/// hello, whose Services have something new with every image.
fn annotated() -> Group {
    let mut group = given::hello_with_window();
    let text = manifest("hello-b", "").replace(
        "kind: Service\nmetadata: {name: hello-b}",
        "kind: Service\nmetadata: {name: hello-b, annotations: {image: \"{{ image }}\"}}",
    );
    group.apps[1].manifest = templated("hello-b", &text).manifest;
    group
}

/// Users at a candidate that passed do not pay for what served before.
#[tokio::test(start_paused = true)]
async fn nobody_is_moved_back_to_what_does_not_serve() {
    for has_fallen in [true, false] {
        let scenario = Scenario::ready_for_green(annotated()).await;
        scenario.world.when("point hello-b to green", move |state| {
            state.set_ready(Color::Blue, "hello-a", !has_fallen);
            state.script.faults.push(Fault {
                start: "apply Service hello-b".to_owned(),
                error: ClusterError::Refused {
                    action: "apply Service hello-b".to_owned(),
                    reason: "no".to_owned(),
                },
                times: if has_fallen { usize::MAX } else { 1 },
                done: false,
            });
        });
        let outcome = scenario.outcome().await;
        let back = scenario
            .world
            .state()
            .journal
            .calls("point hello-a to blue")
            .len();
        if has_fallen {
            assert_eq!(outcome.phase, Phase::Promoted);
            let told = reasons(&outcome);
            let said = "missing: the new shape of the active Services; \
                        there is nothing whole to go back to";
            assert_eq!(told, [(ReasonKind::Deploy, said)]);
            assert_eq!(back, 0);
            scenario.rests_at(Some(Color::Green));
        } else {
            assert_eq!(outcome.phase, Phase::Aborted);
            assert_eq!(back, 1);
            scenario.rests_at(Some(Color::Blue));
        }
    }
}

/// A switch that stays half done, and an old colour that has fallen meanwhile:
/// its users stay where they are until it is back.
#[tokio::test(start_paused = true)]
async fn the_way_back_waits_for_pods() {
    for comes_back in [true, false] {
        let scenario = Scenario::ready_for_green(given::hello()).await;
        scenario.world.fail("point hello-b to green", 1, moved());
        scenario.world.fail("point hello-a to blue", 1, moved());
        scenario.world.when("point hello-a to blue", move |state| {
            state.set_ready(Color::Blue, "hello-a", false);
            let later = Duration::from_mins(1);
            state.later(later, move |state| {
                state.set_ready(Color::Blue, "hello-a", comes_back);
            });
        });
        let outcome = scenario.outcome().await;
        let what = "pods of what served before to be ready behind hello-a";
        let waits = scenario.events.waits();
        assert!(waits.contains(&what.to_owned()), "{waits:?}");
        if comes_back {
            assert_eq!(outcome.phase, Phase::Aborted);
            scenario.rests_at(Some(Color::Blue));
        } else {
            assert_eq!(outcome.phase, Phase::Failed);
            let told = &outcome.reasons.last().unwrap().text;
            assert!(told.contains("users stay at the candidate"), "{told}");
            let left = scenario.world.state().selector("hello-a");
            assert_eq!(left["promoter.dev/color"], "green");
        }
    }
}

/// Its ports are what its pods listen on, whoever changed them since.
#[tokio::test(start_paused = true)]
async fn who_is_led_back_later_has_the_old_ports() {
    let listening = |port: &str| {
        let text = manifest("hello-a", "").replace("targetPort: 8080", port);
        templated("hello-a", &text).manifest
    };
    let mut group = given::hello();
    group.apps[0].manifest = listening("targetPort: 8080");
    let mut scenario = Scenario::ready_for_green(group).await;
    scenario.group.apps[0].manifest = listening("targetPort: 9090");
    scenario.world.fail("point hello-b to green", 1, moved());
    scenario.world.fail("point hello-a to blue", 1, moved());
    scenario.world.when("point hello-a to blue", |state| {
        state.set_ready(Color::Blue, "hello-a", false);
    });
    let outcome = scenario.outcome().await;
    assert_eq!(outcome.phase, Phase::Failed);
    let port = |scenario: &Scenario| {
        let state = scenario.world.state();
        let service = state.get("Service", "hello-a").unwrap();
        service.at("/spec/ports/0/targetPort").cloned()
    };
    assert_eq!(port(&scenario), Some(json!(9090)));
    scenario
        .world
        .meddle(|state| state.set_ready(Color::Blue, "hello-a", true));
    let engine = scenario.engine(&scenario.process(None));
    let resumed = engine.resume("bob@desk", CancellationToken::new()).await;
    resumed.unwrap();
    assert_eq!(port(&scenario), Some(json!(8080)));
    scenario.points_where_the_record_says();
}
