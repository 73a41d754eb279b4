//! Finalizers that somebody else should clear and does not: the wait says what
//! it waits for, and goes on once they are cleared. That it is bounded is shown
//! where time is a fake's, in `tests/it/promotion`: the limits are minutes.

use serde_json::json;

use super::{Scene, holding, told, waits_for};

#[test]
fn old_pods_and_deployments_with_finalizers_are_waited_for_by_name() {
    let mut scene = Scene::new("final-old");
    scene.hold_nothing();
    let pod = scene.pods("hello-a", "blue").remove(0);
    let held = [("Pod", pod.as_str()), ("Deployment", "hello-b-blue")];
    for (kind, name) in held {
        hold(&scene, kind, name);
    }
    let users = scene.users();

    let mut running = scene.deploy().start();
    waits_for(&mut running, &pod);
    told(&scene, "Progressing", &pod);
    release(&scene, "Pod", &pod);
    waits_for(&mut running, "hello-b-");
    release(&scene, "Deployment", "hello-b-blue");
    let run = running.wait();

    scene.assert_promoted(&run);
    users.stop().assert_undisturbed();
}

#[test]
fn candidate_pods_with_finalizers_hold_an_abort_up_by_name() {
    let scene = Scene::new("final-new");
    let users = scene.users();
    let mut running = scene.deploy().start();
    holding(&mut running);
    let pod = scene.pods("hello-b", "green").remove(0);
    hold(&scene, "Pod", &pod);
    running.interrupt();
    waits_for(&mut running, &pod);
    release(&scene, "Pod", &pod);
    let run = running.wait();

    scene.assert_aborted(&run, 130);
    users.stop().assert_undisturbed();
}

fn hold(scene: &Scene, kind: &str, name: &str) {
    let held = json!({ "metadata": { "finalizers": ["example.com/never-cleared"] } });
    scene.folder.patch(kind, name, &held);
}

fn release(scene: &Scene, kind: &str, name: &str) {
    scene
        .folder
        .patch(kind, name, &json!({ "metadata": { "finalizers": null } }));
}
