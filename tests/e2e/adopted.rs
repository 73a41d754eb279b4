//! Apps that run already, made with kubectl, are adopted while users are at them: nobody notices,
//! and unless the first promotion passes everything is as it was found.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{Check, Folder, GroupFile, Load, get, name, push, until};

/// What is adopted, and what was made of it.
const FOUND: [&str; 6] = [
    "Deployment",
    "ReplicaSet",
    "Pod",
    "Service",
    "Ingress",
    "ConfigMap",
];
const APPS: [&str; 2] = ["hello-a", "hello-b"];

const INGRESS: &str = "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: hello-a
  labels: { team: outside }
spec:
  defaultBackend: { service: { name: hello-a, port: { number: 80 } } }
";

#[test]
fn what_runs_is_adopted_and_goes_once_the_first_promotion_passes() {
    let folder = Folder::new("adopted");
    let group = stand(&folder);
    folder.write_group(&group);
    let (objects, versions) = (found(&folder), folder.versions());
    let shown = folder.promoter(["adopt", "master"]).run();
    assert_eq!(shown.code, 2, "{shown}");
    for part in [
        "Deployment hello-a",
        "narrowed to the pods it leads to now",
        "Service hello-a-green, hello-b-green",
        "in this order: Deployment hello-a, hello-b",
        "promoter adopt master --yes",
    ] {
        assert!(
            shown.output().contains(part),
            "{part:?} is missing: {shown}"
        );
    }
    assert_eq!(folder.versions(), versions, "it is only shown");

    // What somebody else owns is theirs, and it is said which field that is.
    let manifest = folder.read("groups/manifests/hello-a.yaml");
    let other = manifest.replace("team: outside", "team: inside");
    folder.write("groups/manifests/hello-a.yaml", &other);
    let refused = folder.promoter(["adopt", "master", "--yes"]).run();
    assert_eq!(refused.code, 2, "{refused}");
    for part in ["Ingress hello-a", "kubectl", ".metadata.labels.team"] {
        assert!(
            refused.stderr.contains(part),
            "{part:?} is missing: {refused}"
        );
    }
    folder.write("groups/manifests/hello-a.yaml", &manifest);
    assert_eq!(found(&folder), objects, "nothing was changed");

    let before = endpoints(&folder);
    let users = Load::start(folder.node_port, 8, Duration::from_millis(50));
    let began = Timestamp::now();
    let mut adopting = folder
        .promoter(["adopt", "master", "--yes", "--output", "json"])
        .start();
    adopting.phase("Checking");
    assert_eq!(endpoints(&folder), before, "users are led as before");
    for app in APPS {
        let standing = folder.get("Deployment", app).unwrap();
        assert_eq!(standing["spec"]["paused"], true, "{standing:#}");
    }
    adopting.phase("Settling");
    for app in APPS {
        assert!(folder.get("Deployment", app).is_some(), "{app} goes later");
    }
    let run = adopting.wait();
    let gone = Timestamp::now();
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.outcome()["phase"], "Promoted", "{run}");
    for app in APPS {
        assert_eq!(folder.get("Deployment", app), None);
    }
    until("the old pods to go", || {
        folder.of_color("green").is_empty().then_some(())
    });
    let after = Timestamp::now();
    until("further answers", || {
        let answered = users.between(after, Timestamp::now()).requests;
        (answered > 50).then_some(())
    });
    let switched: Timestamp = run.events_named("switched")[0]["at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let stretches = [
        ("until the switch", users.between(began, switched)),
        (
            "until the old pods were gone",
            users.between(switched, gone),
        ),
        ("then", users.between(after, Timestamp::now())),
    ];
    let served = users.stop();
    println!("adopted: {served}");
    for (when, stretch) in stretches {
        println!("adopted: {when}: {stretch:?}");
    }
    assert_eq!(served.failed, 0, "{served}");
    // What stood before is not pinned to its colour, so that it calls the new hello-b.
    assert_eq!(stretches[0].1.mixed, 0, "{served}");
    assert_eq!(stretches[2].1.mixed, 0, "{served}");
    assert_eq!(
        served.versions.len(),
        2 + usize::from(served.mixed > 0),
        "{served}"
    );
    let ingress = folder.get("Ingress", "hello-a").unwrap();
    assert_eq!(ingress["metadata"]["labels"]["team"], "outside");

    // From here on it is a group like any other.
    let again = folder.promoter(["deploy", "master", "--force"]).run();
    assert_eq!(again.code, 0, "{again}");
}

#[test]
fn a_check_that_fails_leaves_what_runs_as_it_was_found() {
    let folder = Folder::new("adopted-fails");
    let mut group = stand(&folder);
    group.checks = vec![Check::script("refuses", "echo no; exit 1")];
    folder.write_group(&group);
    let (objects, endpoints) = (found(&folder), endpoints(&folder));
    let users = Load::start(folder.node_port, 8, Duration::from_millis(50));
    let run = folder
        .promoter(["adopt", "master", "--yes", "--output", "json"])
        .run();
    assert_eq!(run.code, 3, "{run}");
    folder.assert_cleared("blue");
    let served = users.stop();
    println!("adopted-fails: {served}");
    served.assert_undisturbed();
    assert_eq!(served.versions.len(), 1, "{served}");
    is_as_found(&folder, &objects);
    assert_eq!(self::endpoints(&folder), endpoints);
    assert_eq!(folder.status("master")["record"]["serving"], Value::Null);
    // Whoever changes an app now sees it roll out, as ever.
    let image = folder.get("Deployment", "hello-b").unwrap();
    assert_eq!(image["spec"].get("paused"), None, "{image:#}");
}

#[test]
fn it_can_be_undone_while_it_is_checked() {
    let folder = Folder::new("adopted-undone");
    let mut group = stand(&folder);
    group.checks = vec![Check::script("takes-long", "sleep 60")];
    folder.write_group(&group);
    let objects = found(&folder);
    let users = Load::start(folder.node_port, 4, Duration::from_millis(50));
    let mut adopting = folder
        .promoter(["adopt", "master", "--yes", "--output", "json"])
        .start();
    adopting.event("the check", |event| event["event"] == "check-started");
    let undone = folder.promoter(["adopt", "master", "--undo"]).run();
    assert_eq!(undone.code, 0, "{undone}");
    let run = adopting.wait();
    assert_eq!(run.code, 130, "{run}");
    folder.assert_cleared("blue");
    users.stop().assert_undisturbed();
    is_as_found(&folder, &objects);
    let nothing = folder.promoter(["adopt", "master", "--undo"]).run();
    assert_eq!(nothing.code, 4, "{nothing}");
}

/// After the switch what both colours share was changed as well.
#[test]
fn inside_keep_old_users_go_back_to_what_was_found() {
    let folder = Folder::new("adopted-back");
    let mut group = stand(&folder);
    group.keep_old = "2m".to_owned();
    folder.write_group(&group);
    // The manifests say more than what stands does.
    let manifest = folder.read("groups/manifests/hello-a.yaml");
    let more = manifest.replace("labels: { team: outside }", "labels: { more: said }");
    folder.write("groups/manifests/hello-a.yaml", &more);
    let (objects, endpoints) = (found(&folder), endpoints(&folder));
    let users = Load::start(folder.node_port, 8, Duration::from_millis(50));
    let mut adopting = folder
        .promoter(["adopt", "master", "--yes", "--output", "json"])
        .start();
    adopting.phase("Settling");
    let ingress = folder.get("Ingress", "hello-a").unwrap();
    assert_eq!(ingress["metadata"]["labels"]["more"], "said");
    let undone = folder.promoter(["adopt", "master", "--undo"]).run();
    assert_eq!(undone.code, 0, "{undone}");
    let run = adopting.wait();
    assert_eq!(run.code, 130, "{run}");
    folder.assert_cleared("blue");
    let served = users.stop();
    println!("adopted-back: {served}");
    assert_eq!(served.failed, 0, "{served}");
    is_as_found(&folder, &objects);
    assert_eq!(self::endpoints(&folder), endpoints);
    // Nobody is told that promoter owns what is somebody else's again.
    let owners = folder.get("Ingress", "hello-a").unwrap();
    let owners = owners["metadata"]["managedFields"].to_string();
    assert!(!owners.contains("promoter"), "{owners}");
}

/// The example apps as somebody runs them with kubectl, of builds of their own, with users
/// at the node port; and the group that describes them.
pub(super) fn stand(folder: &Folder) -> GroupFile {
    let branch = format!("stands/{}", folder.namespace);
    let a = folder.read("groups/manifests/hello-a.yaml");
    let a = format!("{a}{INGRESS}");
    folder.write("groups/manifests/hello-a.yaml", &a);
    let b = folder.read("groups/manifests/hello-b.json");
    for (app, file, template) in [("hello-a", "a.yaml", a), ("hello-b", "b.json", b)] {
        let image = push(app, &branch, &[]);
        let quoted = |text: &str| format!("\"{text}\"");
        let filled = [
            ("{{ app.name }}", app.to_owned()),
            ("{{ app.name | tojson }}", quoted(app)),
            ("{{ app.replicas }}", "2".to_owned()),
            ("{{ app.port }}", "8080".to_owned()),
            ("{{ image }}", image.clone()),
            ("{{ image | tojson }}", quoted(&image)),
            ("{{ values.node_port }}", folder.node_port.to_string()),
        ];
        let text = filled
            .iter()
            .fold(template, |text, (from, to)| text.replace(from, to));
        folder.write(file, &text);
        let path = folder.path().join(file);
        let said = folder.kubectl(&["apply", "-f", path.to_str().unwrap()]);
        assert!(said.contains("created"), "{said}");
    }
    until("both apps to be rolled out", || {
        let is_ready = |app: &&str| {
            let found = folder.get("Deployment", app).unwrap();
            found["status"]["readyReplicas"] == 2
        };
        APPS.iter().all(is_ready).then_some(())
    });
    until("an answer at the node port", || get(folder.node_port).ok());
    let mut group = folder.hello("master");
    group.apps.iter_mut().for_each(|app| app.replicas = 2);
    group
}

/// Everything that runs, without what any write moves.
fn found(folder: &Folder) -> Vec<Value> {
    let objects = FOUND.iter().flat_map(|kind| folder.list(kind, ""));
    let mut found: Vec<_> = objects.map(bare).collect();
    found.sort_by_key(|object| (object["kind"].to_string(), name(object)));
    found
}

fn bare(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["managedFields", "resourceVersion", "generation"] {
        metadata.remove(field);
    }
    object.as_object_mut().unwrap().remove("status");
    object
}

#[track_caller]
fn is_as_found(folder: &Folder, before: &[Value]) {
    let now = found(folder);
    let names = |objects: &[Value]| objects.iter().map(name).collect::<Vec<_>>();
    assert_eq!(names(&now), names(before));
    for (now, before) in now.iter().zip(before) {
        assert_eq!(now, before, "{now:#}\nand before\n{before:#}");
    }
}

/// Where users of each app are led. Slices bear their Service's labels, which are not looked at.
fn endpoints(folder: &Folder) -> Vec<Value> {
    let of_app = |app: &&str| {
        let selector = format!("kubernetes.io/service-name={app}");
        folder.list("EndpointSlice", &selector)
    };
    let slices = APPS.iter().flat_map(of_app);
    let slices = slices.map(|slice| {
        let mut endpoints = slice["endpoints"].as_array().unwrap().clone();
        endpoints.sort_by_key(|endpoint| endpoint["addresses"].to_string());
        json!({ "slice": name(&slice), "endpoints": endpoints })
    });
    slices.collect()
}
