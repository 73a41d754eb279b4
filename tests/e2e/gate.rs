//! The gate: a group whose checks fail is not promoted, and what serves goes on serving.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Check, Folder, Load, get, name, push, uid, until};

#[test]
fn a_broken_build_is_refused_and_a_good_one_promoted() {
    let folder = Folder::new("gate");
    let branch = format!("gate/{}", folder.namespace);
    push("hello-b", &branch, &[]);
    let mut group = folder.hello("master");
    group.app("hello-b").branch = Some(branch.clone());
    folder.write_group(&group);
    let first = folder.promote("master").outcome();
    assert_eq!(first["color"], "blue");
    until("an answer at the node port", || get(folder.node_port).ok());
    let before = folder.owned();
    let (pods, release) = (uids(&folder, "blue"), first["release"].clone());

    // The candidate gets a configuration of its own, which must go with it.
    let manifest = folder.read("groups/manifests/hello-a.yaml");
    let changed = manifest.replace("\ndata:\n", "\ndata:\n  BROKEN: \"true\"\n");
    folder.write("groups/manifests/hello-a.yaml", &changed);
    push("hello-b", &branch, &["GREETING=Goodbye"]);
    let users = Load::start(folder.node_port, 4, Duration::from_millis(50));
    let logs = folder.path().join("logs");
    let refused = folder
        .promoter(["deploy", "master", "--logs", logs.to_str().unwrap()])
        .run();
    folder.assert_cleared("green");
    let served = users.stop();

    assert_eq!(refused.code, 3, "{refused}");
    let output = refused.output();
    for part in [
        "hello-b greets",
        "hello-a passes on hello-b's greeting",
        "Goodbye",
        "greets",
    ] {
        assert!(output.contains(part), "{part:?} is missing: {refused}");
    }
    let log = std::fs::read_to_string(logs.join("greets.log")).unwrap();
    assert!(log.contains("not ok 1 - hello-b greets"), "{log}");
    served.assert_undisturbed();
    assert_eq!(served.versions.len(), 1, "{served}");
    println!("gate: while refused, {served}");
    assert_eq!(folder.owned(), before, "what promoter owns is what it was");
    assert_eq!(
        uids(&folder, "blue"),
        pods,
        "the pods that serve were not touched"
    );

    let status = folder.status("master");
    assert_eq!(status["phase"], "aborted", "{status:#}");
    assert_eq!(status["verdict"], "failed", "{status:#}");
    assert_eq!(status["color"], "blue", "{status:#}");
    assert!(
        status["reason"].as_str().unwrap().contains("greets"),
        "{status:#}"
    );
    assert_eq!(
        status["record"]["serving"]["release"], release,
        "{status:#}"
    );
    let last = &status["record"]["outcomes"][0];
    assert_eq!(last["phase"], "Aborted", "{status:#}");
    assert_eq!(
        last["checks"][0]["failedCases"][0], "hello-b greets",
        "{status:#}"
    );

    push("hello-b", &branch, &[]);
    let good = folder.promote("master").outcome();
    assert_eq!(good["color"], "green");
    assert_ne!(good["release"], release);
    let pods = uids(&folder, "green");

    let again = folder.promoter(["deploy", "master"]).run();
    assert_eq!(again.code, 0, "{again}");
    assert!(
        again.stdout.to_lowercase().contains("up to date"),
        "{again}"
    );
    assert_eq!(uids(&folder, "green"), pods, "nothing was deployed");
    assert_eq!(
        folder.status("master")["record"]["outcomes"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    let forced = folder
        .promoter(["deploy", "master", "--force", "--output", "json"])
        .run();
    assert_eq!(forced.code, 0, "{forced}");
    let outcome = forced.outcome();
    assert_eq!(
        (&outcome["color"], &outcome["release"]),
        (&"blue".into(), &good["release"]),
        "{forced}"
    );
    folder.assert_cleared("green");
}

#[test]
fn a_first_promotion_that_is_refused_leaves_nothing_that_serves() {
    let folder = Folder::new("nothing");
    let mut group = folder.hello("master");
    group.checks = vec![Check::script("refuses", "echo no; exit 1")];
    folder.write_group(&group);

    let run = folder.deploy("master");

    assert_eq!(run.code, 3, "{run}");
    folder.assert_cleared("blue");
    let status = folder.status("master");
    assert_eq!(
        (&status["phase"], &status["verdict"]),
        (&"aborted".into(), &"failed".into())
    );
    assert_eq!(status["record"]["serving"], Value::Null, "{status:#}");
    // Its books alone: record, lock, and the key that names are hashed with.
    let mut left = folder.owned();
    left.retain(|object| !object.starts_with("Secret/promoter-config-key"));
    assert_eq!(left, ["DeploymentGroup/master", "Lease/promoter-master"]);
}

/// The pods of a colour, by name and uid.
fn uids(folder: &Folder, color: &str) -> Vec<(String, String)> {
    let pods = folder.list(
        "Pod",
        &format!("promoter.dev/app,promoter.dev/color={color}"),
    );
    let mut found: Vec<_> = pods.iter().map(|pod| (name(pod), uid(pod))).collect();
    found.sort();
    found
}
