//! Somebody else's hand on an active Service while checks run. Nothing is
//! switched over a change that promoter did not make, and only a person's next
//! command repairs it.

use serde_json::{Value, json};

use super::{Scene, holding, told};

#[test]
fn an_active_service_led_elsewhere_is_reported_and_not_switched() {
    let scene = Scene::new("led-elsewhere");
    let selector = || scene.folder.get("Service", "hello-a").unwrap()["spec"]["selector"].clone();
    let (before, users) = (selector(), scene.users());
    let mut running = scene.deploy().start();
    let check = holding(&mut running);
    // Narrower than it was, so that users are served all the same.
    let pods = scene
        .folder
        .list("Pod", "promoter.dev/app=hello-a,promoter.dev/color=blue");
    let hash = &pods[0]["metadata"]["labels"]["pod-template-hash"];
    let narrowed = json!({ "spec": { "selector": { "pod-template-hash": hash } } });
    scene.folder.patch("Service", "hello-a", &narrowed);
    let foreign = selector();
    told(&scene, "Astray", "hello-a");
    assert_eq!(
        selector(),
        foreign,
        "nothing is repaired behind a person's back"
    );
    scene.let_go(&check);
    let run = running.wait();

    scene.assert_aborted(&run, 4);
    assert!(run.reasons().contains("hello-a"), "{run}");
    assert_eq!(selector(), foreign, "an abort repairs nothing either");

    let resumed = scene.folder.promoter(["resume", "master"]).run();
    assert_eq!(resumed.code, 0, "{resumed}");
    assert_eq!(selector(), before, "{resumed}");
    assert_eq!(astray(&scene), None, "{resumed}");
    users.stop().assert_undisturbed();
}

/// Nobody drives, so nobody reports it: who asks for the status is told.
#[test]
fn one_that_is_led_elsewhere_at_rest_is_seen_by_who_asks() {
    let scene = Scene::new("at-rest");
    let status = || scene.folder.promoter(["status", "master"]).run();
    let changed = "somebody changed the selector of Service hello-a";
    assert!(!status().stdout.contains(changed), "{}", status());
    // The colour stays, and still nobody is there.
    let elsewhere = json!({ "spec": { "selector": { "debug": "yes" } } });
    scene.folder.patch("Service", "hello-a", &elsewhere);
    assert!(status().stdout.contains(changed), "{}", status());
    let all = scene.folder.promoter(["status"]).run();
    assert!(all.stdout.contains("Services changed"), "{all}");
    let resumed = scene.folder.promoter(["resume", "master"]).run();
    assert_eq!(resumed.code, 0, "{resumed}");
    assert!(!status().stdout.contains(changed), "{}", status());
}

/// The condition that says so, if it is true.
fn astray(scene: &Scene) -> Option<Value> {
    let conditions = scene.folder.status("master")["conditions"]
        .as_array()?
        .clone();
    let mut conditions = conditions.into_iter();
    conditions
        .find(|one| one["type"] == "Astray" && one["status"] == "True" && names_it(&one["message"]))
}

fn names_it(message: &Value) -> bool {
    message
        .as_str()
        .is_some_and(|text| text.contains("hello-a"))
}
