//! Weather that hits everybody on the cluster: parts of it that stop, restart
//! or fall silent. These tests run one at a time and beside no other.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::{Scene, holding, holding_again, waits_for};
use crate::support::{Folder, Paused, Run, Stopped, Testbed, name, push, restart};

/// The API server restarts while the candidate is made, while its check runs,
/// and when that passes, so that the switch is what is asked of it first. In
/// between it answers nothing for longer than a lock is good for.
#[test]
fn a_control_plane_that_comes_and_goes_disturbs_neither_promotion_nor_users() {
    let mut scene = Scene::in_folder(Folder::alone("control-plane"));
    // Nodes learn of the switch only once their kube-proxy has tried again to
    // connect, which it does ever less often; no API tells when it has.
    scene.group.keep_old = "30s".into();
    scene.folder.write_group(&scene.group);
    let users = scene.users();
    let mut running = scene.deploy().start();
    running.phase("Deploying");
    restart("kube-apiserver");
    let check = holding(&mut running);
    restart("kube-apiserver");
    halt_etcd();
    // Or they would wait for the next as if all of them were one long outage,
    // and the node controller would take every node for lost meanwhile.
    forget_outages();
    scene.let_go(&check);
    restart("kube-apiserver");
    let run = running.wait();
    let ended = finished(&scene, &run);
    let served = users.stop();
    // What the next test needs of them is not to wait either.
    forget_outages();

    println!("API server restarted three times, etcd halted for 20 s: {ended}, {served}");
    served.assert_undisturbed();
}

/// Who watches the API server tries again ever less often, and forgets that only
/// after two quiet minutes.
fn forget_outages() {
    restart("kube-controller-manager");
    restart("kube-proxy");
}

fn halt_etcd() {
    let _halted = Paused::new("etcd");
    // How long it lasts is what this is about.
    sleep(Duration::from_secs(20));
}

/// Images that cannot be pulled, then a node that is drained: with a single one,
/// what is evicted has nowhere to go until it is back.
#[test]
fn a_registry_and_a_node_that_are_away_delay_a_promotion() {
    let mut scene = Scene::in_folder(Folder::alone("delayed"));
    let branch = format!("weather/{}", scene.folder.namespace);
    // An image of its own, so that the node does not have it.
    push("hello-b", &branch, &[&format!("VERSION={branch}")]);
    scene.group.app("hello-b").branch = Some(branch);
    scene.folder.write_group(&scene.group);
    let users = scene.users();

    let registry = Stopped::new("registry");
    let mut running = scene.deploy().start();
    running.event("the image that cannot be pulled", |event| {
        let trouble = event["trouble"].as_str().unwrap_or_default();
        event["app"] == "hello-b" && trouble.contains("its image cannot be pulled")
    });
    drop(registry);
    let check = holding(&mut running);

    let cordoned = Cordoned::new();
    let candidates = ["hello-a", "hello-b"].map(|app| scene.pods(app, "green").remove(0));
    for pod in candidates.iter().chain([&check]) {
        scene.folder.evict(pod);
    }
    // A check that ran against half of the candidate would say nothing.
    waits_for(&mut running, "pods of hello-a, hello-b to be ready again");
    running.event("an app that finds no node", |event| {
        let trouble = event["trouble"].as_str().unwrap_or_default();
        trouble.contains("unschedulable")
    });
    drop(cordoned);
    running.event("the check repeated", |event| {
        event["event"] == "check-repeated"
    });
    let check = holding_again(&mut running, &check);
    scene.let_go(&check);
    let run = running.wait();

    scene.assert_promoted(&run);
    users.stop().assert_undisturbed();
}

/// Promoted by its own process, or left to the next deploy, which promotes it.
#[track_caller]
fn finished(scene: &Scene, run: &Run) -> &'static str {
    if run.code == 0 {
        scene.assert_promoted(run);
        return "promoted by the same process";
    }
    assert_eq!(run.code, 7, "{run}");
    let next = scene.finish();
    assert_eq!(
        next.events_named("resumed")[0]["promotion"],
        run.events()[0]["promotion"],
        "{next}"
    );
    scene.assert_promoted(&next);
    "promoted by the next deploy"
}

/// The cluster's nodes take no pods until this is dropped.
struct Cordoned(Vec<String>);

impl Cordoned {
    fn new() -> Self {
        let nodes = Testbed::get().cluster.list("", "Node", "");
        let cordoned = Self(nodes.iter().map(name).collect());
        cordoned.mark(true);
        cordoned
    }

    fn mark(&self, unschedulable: bool) {
        let mark = json!({ "spec": { "unschedulable": unschedulable } });
        for node in &self.0 {
            Testbed::get().cluster.patch("", "Node", node, &mark);
        }
    }
}

impl Drop for Cordoned {
    fn drop(&mut self) {
        self.mark(false);
    }
}
