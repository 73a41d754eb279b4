//! Requests that arrive late: asked for by a promoter that is dead by the time
//! they reach the API server. None may undo what its successors do.

use serde_json::{Value, json};

use super::{Scene, holding, holding_again};
use crate::support::{Asked, Folder, Held, Load, Proxy, Run, Running, color, uid, until};

const MANIFEST: &str = "groups/manifests/hello-a.yaml";

/// The switch of hello-a, let through after the promotion was aborted, and when
/// the next candidate stands untested where it leads.
#[test]
fn a_switch_that_arrives_after_an_abort_is_refused() {
    let late = Late::new("late-switch");
    let held = late.proxy.hold(|asked| is_switch(asked, "hello-a"));
    let first = late.killed_at(&held, "the switch of hello-a");
    // What was tested is not there any more, so its successor aborts.
    late.scene.folder.delete("Deployment", "hello-b-green");

    let mut successor = late.take_over(&first);
    let aborted = successor.event("the end of the first promotion", |event| {
        event["event"] == "finished"
    });
    assert_eq!(aborted["outcome"]["phase"], "Aborted", "{aborted:#}");
    let check = holding(&mut successor);
    let before = late.scene.folder.get("Service", "hello-a").unwrap();
    let answer = held.release();

    assert!([409, 422].contains(&answer.status), "{answer:?}");
    assert_eq!(
        late.scene.folder.get("Service", "hello-a"),
        Some(before),
        "{answer:?}"
    );
    late.ends_well(successor, &check, "green");
}

/// The deletion of the old hello-a, let through when its colour was filled anew.
#[test]
fn a_deletion_that_arrives_after_the_next_deploy_is_refused() {
    let late = Late::new("late-delete");
    let held = late.proxy.hold(|asked| is_deletion(asked, "hello-a-blue"));
    let first = late.killed_at(&held, "the deletion of the old hello-a");

    let mut successor = late.take_over(&first);
    let check = holding(&mut successor);
    let before = late.scene.folder.get("Deployment", "hello-a-blue").unwrap();
    let answer = held.release();

    assert_eq!(answer.status, 409, "{answer:?}");
    let after = late.scene.folder.get("Deployment", "hello-a-blue").unwrap();
    assert_eq!(
        (uid(&after), &after["metadata"]["deletionTimestamp"]),
        (uid(&before), &Value::Null)
    );
    late.ends_well(successor, &check, "blue");
}

/// What a release says of an object that both colours share, let through after
/// it was aborted.
#[test]
fn a_shared_object_that_arrives_after_an_abort_is_refused() {
    let folder = Folder::new("late-apply");
    let shipped = folder.read(MANIFEST);
    folder.write(MANIFEST, &with_entrance(&shipped, "before.example"));
    let late = Late::in_scene(Scene::in_folder(folder));
    let folder = &late.scene.folder;
    folder.write(MANIFEST, &with_entrance(&shipped, "after.example"));
    let held = late
        .proxy
        .hold(|asked| asked.is("PATCH", "/ingresses/entrance"));
    let first = late.killed_at(&held, "the Ingress of the new release");
    // What was tested is not there any more, so its successor aborts.
    folder.delete("Deployment", "hello-b-green");

    let mut successor = late.take_over(&first);
    let aborted = successor.event("the end of the first promotion", |event| {
        event["event"] == "finished"
    });
    assert_eq!(aborted["outcome"]["phase"], "Aborted", "{aborted:#}");
    let check = holding(&mut successor);
    let before = folder.get("Ingress", "entrance").unwrap();
    assert_eq!(before["spec"]["rules"][0]["host"], "before.example");
    let answer = held.release();

    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(folder.get("Ingress", "entrance"), Some(before));
    late.ends_well(successor, &check, "green");
}

/// The candidate's own Service, let through after a successor made it and drove
/// on: it would let pods in that are not ready.
#[test]
fn a_service_of_the_candidate_that_arrives_after_it_was_made_is_refused() {
    let late = Late::new("late-service");
    let held = late
        .proxy
        .hold(|asked| asked.is("PATCH", "/services/hello-a-green"));
    let first = late.deploy();
    held.arrived("the Service of the candidate of hello-a");
    let first = killed(first);

    let mut successor = late.take_over(&first);
    let check = holding(&mut successor);
    let service = || late.scene.folder.get("Service", "hello-a-green").unwrap();
    until("only ready pods to be behind it", || {
        let published = &service()["spec"]["publishNotReadyAddresses"];
        (*published == Value::Null).then_some(())
    });
    let before = service();
    let answer = held.release();

    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(service(), before);
    late.scene.let_go(&check);
    let check = holding_again(&mut successor, &check);
    late.ends_well(successor, &check, "blue");
}

/// An object that both colours share, and that nothing had the name of when it
/// was asked for, let through after a successor made it another way.
#[test]
fn a_new_shared_object_that_arrives_after_another_was_made_is_refused() {
    let late = Late::new("late-new");
    let folder = &late.scene.folder;
    let shipped = folder.read(MANIFEST);
    folder.write(MANIFEST, &with_entrance(&shipped, "first.example"));
    let held = late
        .proxy
        .hold(|asked| asked.is("PATCH", "/ingresses/entrance"));
    let first = late.killed_at(&held, "the Ingress of the first release");
    // What was tested is not there any more, so its successor aborts.
    folder.delete("Deployment", "hello-b-green");
    folder.write(MANIFEST, &with_entrance(&shipped, "second.example"));

    let mut successor = late.take_over(&first);
    let check = holding(&mut successor);
    late.scene.let_go(&check);
    successor.event("the switch", |event| event["event"] == "switched");
    let before = folder.get("Ingress", "entrance").unwrap();
    assert_eq!(before["spec"]["rules"][0]["host"], "second.example");
    let answer = held.release();

    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(folder.get("Ingress", "entrance"), Some(before));
    let run = successor.wait();
    assert_eq!(run.code, 0, "{run}");
    late.users.stop().assert_undisturbed();
}

/// A candidate, let through after the promotion was aborted. Nothing at the
/// server can refuse that one; nobody is sent to it, and the next promotion
/// knows it for another's and takes it away.
#[test]
fn a_candidate_that_arrives_after_an_abort_is_cleared_by_the_next_deploy() {
    let late = Late::new("late-create");
    let held = late.proxy.hold(|asked| is_creation(asked, "hello-a-green"));
    let first = late.deploy();
    held.arrived("the candidate of hello-a");
    let first = killed(first);
    let mut successor = late.take_over(&first);
    holding(&mut successor);
    successor.interrupt();
    late.scene.assert_aborted(&successor.wait(), 130);

    let answer = held.release();
    assert_eq!(answer.status, 201, "{answer:?}");
    let leaked = &answer.body;
    assert_eq!(color(leaked), "green");
    let labels = &leaked["metadata"]["labels"];
    assert_eq!(
        labels["promoter.dev/promotion"],
        first.events()[0]["promotion"],
        "{leaked:#}"
    );
    assert!(
        leaked["metadata"]["annotations"]["promoter.dev/fence"].is_string(),
        "{leaked:#}"
    );

    let mut next = late.scene.deploy().start();
    let check = holding(&mut next);
    let candidate = late
        .scene
        .folder
        .get("Deployment", "hello-a-green")
        .unwrap();
    assert_ne!(
        uid(&candidate),
        uid(leaked),
        "it is made anew, not taken over"
    );
    late.ends_well(next, &check, "green");
}

/// A scene whose promoter reaches the cluster through a proxy, with users.
struct Late {
    scene: Scene,
    proxy: Proxy,
    users: Load,
}

impl Late {
    fn new(test: &str) -> Self {
        Self::in_scene(Scene::new(test))
    }

    fn in_scene(scene: Scene) -> Self {
        let proxy = Proxy::to_cluster();
        scene.folder.write("proxy.json", &proxy.kubeconfig());
        let users = scene.users();
        Self {
            scene,
            proxy,
            users,
        }
    }

    fn deploy(&self) -> Running {
        let kubeconfig = self.scene.folder.path().join("proxy.json");
        self.scene
            .deploy()
            .env("KUBECONFIG", kubeconfig.to_str().unwrap())
            .start()
    }

    /// A deploy that is killed once its check has passed and the held request
    /// was sent.
    fn killed_at(&self, held: &Held, what: &str) -> Run {
        let mut deploy = self.deploy();
        let check = holding(&mut deploy);
        self.scene.let_go(&check);
        held.arrived(what);
        killed(deploy)
    }

    /// A deploy of somebody else, who resumes what the first left once its lock
    /// has run out.
    fn take_over(&self, first: &Run) -> Running {
        let mut successor = self.scene.deploy().start();
        let resumed = successor.event("the first promotion resumed", |event| {
            event["event"] == "resumed"
        });
        assert_eq!(
            resumed["promotion"],
            first.events()[0]["promotion"],
            "{resumed:#}"
        );
        successor
    }

    /// The deploy under way promotes, and users have noticed nothing of it all.
    fn ends_well(self, mut running: Running, check: &str, color: &str) {
        self.scene.let_go(check);
        let switched = running.event("the switch", |event| {
            event["event"] == "switched" && event["color"] == color
        });
        assert_eq!(switched["services"], 2, "{switched:#}");
        let run = running.wait();
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(run.outcome()["phase"], "Promoted", "{run}");
        assert_eq!(self.scene.folder.status("master")["color"], color);
        let served = self.users.stop();
        println!("{}: {served}", self.scene.folder.namespace);
        served.assert_undisturbed();
    }
}

/// A manifest with an Ingress, which both colours share.
fn with_entrance(manifest: &str, host: &str) -> String {
    format!("{manifest}---\n{}\n", ingress(host))
}

fn ingress(host: &str) -> Value {
    let backend = json!({ "service": { "name": "hello-a", "port": { "name": "http" } } });
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": backend });
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": "entrance" },
        "spec": { "rules": [{ "host": host, "http": { "paths": [path] } }] },
    })
}

fn killed(running: Running) -> Run {
    running.kill();
    running.wait()
}

fn is_switch(asked: &Asked, service: &str) -> bool {
    asked.is("PATCH", &format!("/services/{service}")) && contains(asked, "/spec/selector")
}

fn is_deletion(asked: &Asked, deployment: &str) -> bool {
    asked.is("DELETE", &format!("/deployments/{deployment}"))
}

fn is_creation(asked: &Asked, deployment: &str) -> bool {
    asked.is("POST", "/deployments") && contains(asked, &format!("\"name\":\"{deployment}\""))
}

fn contains(asked: &Asked, text: &str) -> bool {
    String::from_utf8_lossy(&asked.body).contains(text)
}
