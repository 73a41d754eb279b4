//! A lock that is lost while its holder drives: who has lost it changes nothing
//! any more, and the promotion is driven on by who comes next.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Scene, holding};
use crate::support::Run;

const LEASE: &str = "promoter-master";

#[test]
fn a_lock_that_somebody_else_took_ends_its_holder() {
    let scene = Scene::new("usurped");
    let users = scene.users();
    let mut running = scene.deploy().start();
    let check = holding(&mut running);
    usurp(&scene);
    let service = || scene.folder.get("Service", "hello-a").unwrap();
    let before = service();
    scene.let_go(&check);
    let run = running.wait();

    assert_eq!(run.code, 6, "{run}");
    assert_eq!(run.events_named("switched"), [Value::Null; 0], "{run}");
    assert!(
        run.stderr.contains("mallory"),
        "the new holder is named: {run}"
    );
    assert_eq!(service(), before, "nothing was switched");
    let lease = scene.folder.get("Lease", LEASE).unwrap();
    assert_eq!(
        lease["spec"]["holderIdentity"], "mallory",
        "it is not given back either"
    );

    assert_resumed(&scene, &run, &scene.finish());
    users.stop().assert_undisturbed();
}

/// Its holder takes it again, as nobody else has.
#[test]
fn a_lock_that_is_deleted_stops_no_promotion() {
    let scene = Scene::new("unlocked");
    let users = scene.users();
    let mut running = scene.deploy().start();
    let check = holding(&mut running);
    scene.folder.delete("Lease", LEASE);
    scene.let_go(&check);
    let run = running.wait();

    scene.assert_promoted(&run);
    users.stop().assert_undisturbed();
}

/// Takes the lock the way a promoter does that believes its holder dead: the
/// Lease first, then the new epoch on what the holder could still write.
fn usurp(scene: &Scene) {
    let lease = scene.folder.get("Lease", LEASE).unwrap();
    let epoch = lease["spec"]["leaseTransitions"].as_i64().unwrap() + 1;
    let now = format!("{:.6}", Timestamp::now());
    let taken = json!({ "spec": {
        "holderIdentity": "mallory", "leaseTransitions": epoch, "acquireTime": now, "renewTime": now,
    } });
    scene.folder.patch("Lease", LEASE, &taken);
    let fence =
        json!({ "metadata": { "annotations": { "promoter.dev/fence": epoch.to_string() } } });
    for service in ["hello-a", "hello-b"] {
        scene.folder.patch("Service", service, &fence);
    }
    let stamped = json!({ "status": { "fence": epoch } });
    scene
        .folder
        .patch_status("DeploymentGroup", "master", &stamped);
}

#[track_caller]
fn assert_resumed(scene: &Scene, ended: &Run, run: &Run) {
    let resumed = &run.events_named("resumed")[0];
    assert_eq!(
        resumed["promotion"],
        ended.events()[0]["promotion"],
        "{run}"
    );
    scene.assert_promoted(run);
}
