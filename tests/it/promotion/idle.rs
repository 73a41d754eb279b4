//! Services of the idle colour: they stay for its next pods, whatever became of
//! them meanwhile, and nothing of what they were reaches the next candidate.

use std::time::Duration;

use promoter::group::Group;
use promoter::group::name::CheckName;
use promoter::plan::color::Color;
use promoter::plan::object::ObjectRef;
use promoter::port::ClusterError;
use promoter::promotion::ReasonKind;
use serde_json::{Value, json};

use crate::support::given::{self, app, check, manifest, web, web_behind};
use crate::support::scenario::{Scenario, reasons};

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

/// Does something to a Service.
fn change(scenario: &Scenario, name: &str, how: impl FnOnce(&mut Value)) {
    let service = ObjectRef::new("v1", "Service", name);
    scenario.world.meddle(|state| {
        let found = state.objects.get_mut(&service).expect("it is there");
        how(&mut found.0);
    });
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_changed_is_made_anew() {
    for (pointer, value) in [
        ("/spec/externalIPs", json!(["192.0.2.1"])),
        ("/spec/internalTrafficPolicy", json!("Local")),
        ("/spec/publishNotReadyAddresses", json!(true)),
        ("/spec/selector/tier", json!("a")),
        (
            "/metadata/labels/service.kubernetes.io~1headless",
            json!(""),
        ),
        ("/metadata/labels/promoter.dev~1color", json!("green")),
        ("/metadata/annotations/dns", json!("example.com")),
    ] {
        let scenario = at_green(given::hello()).await;
        let before = uid(&scenario, "hello-b-blue");
        change(&scenario, "hello-b-blue", |service| {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            service.pointer_mut(parent).unwrap()[field.replace("~1", "/")] = value;
        });
        scenario.promote().await;
        assert_ne!(uid(&scenario, "hello-b-blue"), before, "{pointer}");
        scenario.rests_at(Some(Color::Blue));
    }
}

/// Pods that serve are led by it, whatever its labels say.
#[tokio::test(start_paused = true)]
async fn one_that_serves_stays_whatever_its_labels_say() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let before = uid(&scenario, "hello-b-blue");
    change(&scenario, "hello-b-blue", |service| {
        service["metadata"]["labels"]["promoter.dev/color"] = json!("green");
    });
    let name = before.clone();
    scenario.world.when("create Job", move |state| {
        let now = state.get("Service", "hello-b-blue");
        assert_eq!(now.and_then(|now| now.uid()), Some(name.as_str()));
    });
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_keeps_from_going_is_waited_for() {
    let scenario = at_green(given::hello()).await;
    let before = uid(&scenario, "hello-b-blue");
    change(&scenario, "hello-b-blue", |service| {
        service["metadata"]["finalizers"] = json!(["example.com/stay"]);
        service["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
    });
    scenario.world.meddle(|state| {
        state.later(Duration::from_secs(30), |state| {
            let service = ObjectRef::new("v1", "Service", "hello-b-blue");
            state.objects.remove(&service);
        });
    });
    scenario.promote().await;
    assert_ne!(uid(&scenario, "hello-b-blue"), before);
    scenario.rests_at(Some(Color::Blue));
    let said = "Services of an earlier blue to go: hello-b-blue".to_owned();
    assert!(scenario.events.waits().contains(&said));
}

/// Whoever changes it at the same moment may do so for ever.
#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_applied_ends_a_promotion_and_not_the_next() {
    for is_refused in [false, true] {
        let scenario = at_green(given::hello()).await;
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
        scenario.abort().await;
        scenario.rests_at(Some(Color::Green));
        scenario.promote().await;
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
    scenario.rests_at(Some(Color::Green));
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
}

/// An admission webhook that has come since does so to every one.
#[tokio::test(start_paused = true)]
async fn one_that_is_changed_while_it_is_applied_is_made_anew() {
    let scenario = at_green(given::hello()).await;
    let before = uid(&scenario, "hello-b-blue");
    scenario.world.meddle(|state| {
        let service = ObjectRef::new("v1", "Service", "hello-b-blue");
        let added = json!({ "externalIPs": ["192.0.2.1"] });
        state.script.added.insert(service, added);
    });
    scenario.promote().await;
    assert_ne!(uid(&scenario, "hello-b-blue"), before);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_changed_while_it_is_deleted_is_looked_at_again() {
    let scenario = at_green(given::hello()).await;
    let before = uid(&scenario, "hello-b-blue");
    change(&scenario, "hello-b-blue", |service| {
        service["metadata"]["annotations"]["dns"] = json!("example.com");
    });
    let action = "delete Service hello-b-blue".to_owned();
    let moved = ClusterError::Moved { action };
    scenario.world.fail("delete Service hello-b-blue", 1, moved);
    scenario.promote().await;
    assert_ne!(uid(&scenario, "hello-b-blue"), before);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn one_that_never_goes_ends_a_promotion() {
    let scenario = at_green(given::hello()).await;
    change(&scenario, "hello-b-blue", |service| {
        service["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
    });
    let outcome = scenario.abort().await;
    let said = "waited in vain for Services of an earlier blue to go: hello-b-blue";
    assert_eq!(reasons(&outcome), [(ReasonKind::Deploy, said)]);
    scenario.points_where_the_record_says();
}

/// Its Service gets another name, and both colours serve under that; then only
/// these Services are there.
async fn renamed(mut scenario: Scenario, manifest: &str, colors: [Color; 2], left: [&str; 3]) {
    scenario.group = web(manifest);
    for color in colors {
        scenario.promote().await;
        scenario.push_all();
        scenario.rests_at(Some(color));
    }
    assert_eq!(scenario.world.state().names("Service"), left);
}

/// A Service of users may have the name of a colour's.
#[tokio::test(start_paused = true)]
async fn one_that_users_were_at_goes_whatever_its_name() {
    let scenario = Scenario::new(web(&web_behind("web-blue")));
    scenario.promote().await;
    scenario.push_all();
    let colors = [Color::Green, Color::Blue];
    let left = ["web", "web-blue", "web-green"];
    renamed(scenario, &manifest("web", ""), colors, left).await;
}

#[tokio::test(start_paused = true)]
async fn that_of_a_renamed_service_reaches_nobody() {
    let scenario = at_green(web(&manifest("web", ""))).await;
    let colors = [Color::Blue, Color::Green];
    let left = ["shop", "shop-blue", "shop-green"];
    renamed(scenario, &web_behind("shop"), colors, left).await;
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

/// A deletion that was asked for may arrive after its colour got the Service back,
/// so each names the state that was found.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_arrives_late_does_not_find_what_was_applied_since() {
    let mut scenario = at_green(given::hello()).await;
    scenario.group.apps.truncate(1);
    scenario.group.apps[0].needs.clear();
    let service = ObjectRef::new("v1", "Service", "hello-a-blue");
    let stood = scenario.world.state().objects[&service].clone();
    change(&scenario, "hello-b-blue", |service| {
        service["metadata"]["annotations"]["dns"] = json!("example.com");
    });
    scenario.forget();
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
    let mut state = scenario.world.state();
    let deleted = state.journal.calls("delete Service ");
    // Before the colour is prepared, and when the other app's are pruned.
    assert!(deleted.len() >= 3, "{deleted:?}");
    assert!(deleted.iter().all(|call| call.ends_with(" as found")));
    let late = state.delete_unchanged(&stood);
    assert!(late.is_err(), "it was applied under another epoch");
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
