//! People who touch the candidate: it is not what was planned or tested any
//! more, so it is never switched to.

use serde_json::json;

use super::{Scene, holding};
use crate::support::{uid, until};

#[test]
fn a_candidate_deleted_while_it_is_deployed_is_made_again() {
    let mut scene = Scene::new("deleted-early");
    scene.hold_nothing();
    // Time to delete it before it is ready.
    let manifest = scene.folder.read("groups/manifests/hello-b.json");
    let slow = manifest.replace(
        "\"periodSeconds\": 1",
        "\"periodSeconds\": 1, \"initialDelaySeconds\": 6",
    );
    assert_ne!(slow, manifest);
    scene.folder.write("groups/manifests/hello-b.json", &slow);
    let users = scene.users();

    let mut running = scene.deploy().start();
    running.phase("Deploying");
    let candidate = || scene.folder.get("Deployment", "hello-b-green");
    let first = uid(&until("the candidate", candidate));
    scene.folder.delete("Deployment", "hello-b-green");
    until("another candidate", || {
        candidate().filter(|now| uid(now) != first)
    });
    let run = running.wait();

    scene.assert_promoted(&run);
    users.stop().assert_undisturbed();
}

#[test]
fn a_candidate_deleted_while_it_is_checked_is_refused() {
    let scene = Scene::new("deleted");
    let users = scene.users();
    let mut running = scene.deploy().start();
    holding(&mut running);
    scene.folder.delete("Deployment", "hello-b-green");
    let run = running.wait();

    scene.assert_aborted(&run, 4);
    assert!(
        run.reasons()
            .contains("app hello-b: somebody changed its candidate"),
        "{run}"
    );
    users.stop().assert_undisturbed();
}

#[test]
fn a_candidate_scaled_while_it_is_checked_is_refused() {
    let scene = Scene::new("scaled");
    let users = scene.users();
    let mut running = scene.deploy().start();
    let check = holding(&mut running);
    scene.folder.patch(
        "Deployment",
        "hello-a-green",
        &json!({ "spec": { "replicas": 2 } }),
    );
    // Also if its check passes at the same moment.
    scene
        .folder
        .kubectl(&["exec", &check, "-c", "check", "--", "touch", "/tmp/go"]);
    let run = running.wait();

    scene.assert_aborted(&run, 4);
    assert!(
        run.reasons()
            .contains("app hello-a: somebody changed its candidate"),
        "{run}"
    );
    users.stop().assert_undisturbed();
}
