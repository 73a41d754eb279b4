//! Services of the idle colour: they stay for its next pods, whatever became of
//! them meanwhile, and nothing of what they were reaches the next candidate.

use std::time::Duration;

use promoter::group::Group;
use promoter::group::name::CheckName;
use promoter::plan::color::Color;
use promoter::plan::object::ObjectRef;
use promoter::promotion::ReasonKind;
use serde_json::json;

use crate::support::given::{self, app, check, manifest, templated};
use crate::support::scenario::{Scenario, reasons};

/// A group whose only app is of this manifest.
fn web(text: &str) -> Group {
    let app = templated("web", text);
    given::group(vec![app], vec![check("greets")])
}

/// The uid of a Service.
fn uid(scenario: &Scenario, name: &str) -> String {
    let state = scenario.world.state();
    let service = state.get("Service", name).expect("it is there");
    service.uid().expect("it was made").to_owned()
}

/// Both colours have served, and blue is idle.
async fn at_green(group: Group) -> Scenario {
    let scenario = Scenario::new(group);
    for _ in 0..2 {
        scenario.promote().await;
        scenario.push_all();
    }
    scenario
}

#[tokio::test(start_paused = true)]
async fn they_stay_as_they_are() {
    let scenario = at_green(given::hello()).await;
    let before = uid(&scenario, "hello-b-blue");
    scenario.promote().await;
    assert_eq!(uid(&scenario, "hello-b-blue"), before);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_changed_is_made_anew() {
    let added = [
        json!({ "externalIPs": ["192.0.2.1"] }),
        json!({ "internalTrafficPolicy": "Local" }),
        json!({ "sessionAffinity": "ClientIP" }),
    ];
    for added in added {
        let scenario = at_green(given::hello()).await;
        let before = uid(&scenario, "hello-b-blue");
        let service = ObjectRef::new("v1", "Service", "hello-b-blue");
        scenario.world.meddle(|state| {
            state.script.added.insert(service, added.clone());
        });
        scenario.promote().await;
        assert_ne!(uid(&scenario, "hello-b-blue"), before, "{added}");
        scenario.rests_at(Some(Color::Blue));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_put_right_is_made_anew() {
    for is_refused in [false, true] {
        let scenario = at_green(given::hello()).await;
        let before = uid(&scenario, "hello-b-blue");
        scenario
            .world
            .when("apply Service hello-b-blue", move |state| {
                let service = ObjectRef::new("v1", "Service", "hello-b-blue");
                let said = "spec.ports".to_owned();
                if is_refused {
                    state.script.refused.insert(service, said);
                } else {
                    state.script.conflicts.insert(service, said);
                }
            });
        scenario.promote().await;
        assert_ne!(uid(&scenario, "hello-b-blue"), before);
        scenario.rests_at(Some(Color::Blue));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_goes_on_to_publish_pods_that_are_not_ready_is_not_promoted() {
    let scenario = at_green(given::hello()).await;
    scenario.world.when("create Job", |state| {
        let service = ObjectRef::new("v1", "Service", "hello-b-blue");
        let published = json!({ "publishNotReadyAddresses": true });
        state.script.added.insert(service, published);
    });
    let outcome = scenario.abort().await;
    let said = "failed to apply Service hello-b-blue: somebody else sets publishNotReadyAddresses";
    assert_eq!(reasons(&outcome), [(ReasonKind::Apply, said)]);
    scenario.points_where_the_record_says();
}

#[tokio::test(start_paused = true)]
async fn one_that_is_to_publish_them_is_promoted() {
    let text = manifest("web", "");
    let published = text.replace(
        "spec:\n  selector: {app: web}\n",
        "spec:\n  publishNotReadyAddresses: true\n  selector: {app: web}\n",
    );
    assert_ne!(text, published);
    let scenario = at_green(web(&published)).await;
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn that_of_a_renamed_service_reaches_nobody() {
    let before = manifest("web", "");
    let after = before.replace(
        "kind: Service\nmetadata: {name: web}",
        "kind: Service\nmetadata: {name: shop}",
    );
    assert_ne!(before, after);
    let mut scenario = at_green(web(&before)).await;
    scenario.group = web(&after);
    for color in [Color::Blue, Color::Green] {
        scenario.promote().await;
        scenario.push_all();
        scenario.rests_at(Some(color));
    }
    let state = scenario.world.state();
    assert_eq!(state.names("Service"), ["shop", "shop-blue", "shop-green"]);
}

#[tokio::test(start_paused = true)]
async fn that_of_a_service_that_was_left_out_reaches_nobody() {
    let second = "apiVersion: v1\nkind: Service\nmetadata: {name: web-admin}\n\
                  spec: {selector: {app: web}, ports: [{port: 81}]}\n";
    let mut scenario = at_green(web(&manifest("web", second))).await;
    scenario.group = web(&manifest("web", ""));
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(state.names("Service"), ["web", "web-blue", "web-green"]);
}

/// A deletion that was asked for and is under way somewhere.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_arrives_late_does_not_find_what_was_applied_since() {
    let scenario = at_green(given::hello()).await;
    let stood = scenario
        .world
        .state()
        .get("Service", "hello-b-blue")
        .cloned();
    let stood = stood.expect("it is there");
    scenario.promote().await;
    let late = scenario.world.state().delete_unchanged(&stood);
    assert!(late.is_err(), "it was applied under another epoch");
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn checks_that_do_not_end_are_waited_for() {
    let scenario = at_green(given::group(vec![app("web")], vec![check("greets")])).await;
    let patience = Duration::from_secs(20);
    scenario.world.meddle(|state| {
        let mut pod = state.pods[0].clone();
        pod.state.name = "lingers".to_owned();
        pod.state.app = None;
        pod.state.check = Some(CheckName::parse("greets").unwrap());
        pod.state.color = Color::Blue;
        pod.state.promotion = "earlier".to_owned();
        pod.state.deleting = true;
        state.pods.push(pod);
        state.later(patience, |state| {
            state.pods.retain(|pod| pod.state.name != "lingers");
        });
    });
    scenario.world.when("create Deployment web-blue", |state| {
        assert!(
            state.pod("lingers").is_none(),
            "it would call this candidate"
        );
    });
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
}
