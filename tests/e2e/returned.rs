//! Back inside `keep_old`, because a person asks for it or because the new release loses a pod: what
//! served before serves again, and nobody noticed. `cargo xtask soak` does it at length.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::{Folder, Load, Promoter, Run, Running, Testbed, get, name, until};

/// How far around a moment users must have been asking.
const AROUND: SignedDuration = SignedDuration::from_secs(2);

#[test]
fn a_rollback_inside_the_window_is_not_noticed() {
    let folder = serving("rollback");
    let before = record(&folder);
    let users = Load::start(folder.node_port, 8, Duration::from_millis(50));
    let deploy = settling(&folder);
    // From elsewhere: only the names of things are needed.
    let rollback = folder
        .promoter(["rollback", "--group", "master"])
        .actor("alice")
        .run();
    let deploy = deploy.wait();

    assert_eq!((rollback.code, deploy.code), (0, 130), "{rollback}{deploy}");
    assert!(
        rollback.stdout.contains("rolled back: blue serves again"),
        "{rollback}"
    );
    assert!(deploy.reasons().contains("alice"), "{deploy}");
    assert_returned(&folder, users, &deploy, &before);
}

#[test]
fn a_pod_lost_inside_the_window_moves_users_back_unnoticed() {
    let folder = serving("regression");
    let before = record(&folder);
    let users = Load::start(folder.node_port, 8, Duration::from_millis(50));
    let deploy = settling(&folder);
    let pods = folder.list("Pod", "promoter.dev/app=hello-b,promoter.dev/color=green");
    folder.delete("Pod", &name(&pods[0]));
    let deploy = deploy.wait();

    assert_eq!(deploy.code, 5, "{deploy}");
    assert!(
        deploy.reasons().contains("app hello-b: only 1 of 2 pods"),
        "{deploy}"
    );
    assert_returned(&folder, users, &deploy, &before);
}

/// From an empty folder: all that is needed is in the cluster.
#[test]
fn after_the_window_what_served_before_is_promoted_again_unnoticed() {
    let folder = serving("gone-back");
    let mut group = folder.hello("master");
    group.apps.iter_mut().for_each(|app| app.replicas = 2);
    folder.write_group(&group);
    let first = folder.promote("master").outcome();
    // Another release, with which nothing is wrong that a check would see.
    group.app("hello-b").replicas = 3;
    folder.write_group(&group);
    folder.promote("master");

    let elsewhere = tempfile::tempdir().unwrap();
    let users = Load::start(folder.node_port, 4, Duration::from_millis(50));
    let context = Testbed::get().context.as_str();
    let command = [
        "rollback",
        "master",
        "--reason",
        "too many pods",
        "--output",
        "json",
        "--context",
        context,
        "--namespace",
        &folder.namespace,
    ];
    let rollback = Promoter::new(elsewhere.path(), command).run();
    assert_eq!(rollback.code, 0, "{rollback}");
    users.stop().assert_undisturbed();
    let back = rollback.outcome();
    assert_eq!(back["release"], first["release"], "{rollback}");
    assert_eq!(record(&folder)["release"], first["release"]);
    assert_eq!(folder.list("Pod", "promoter.dev/app=hello-b").len(), 2);

    let again = folder.promoter(["deploy", "master"]).run();
    assert_eq!(again.code, 4, "{again}");
    assert!(again.stderr.contains("(too many pods)"), "{again}");
    let unknown = folder
        .promoter(["rollback", "master", "--to", "abcdef12"])
        .run();
    assert_eq!(unknown.code, 2, "{unknown}");
}

/// A folder whose group serves in blue, with two pods of each app and users let in.
fn serving(test: &str) -> Folder {
    let folder = Folder::new(test);
    let mut group = folder.hello("master");
    group.apps.iter_mut().for_each(|app| app.replicas = 2);
    group.keep_old = "1m".into();
    folder.open(&group);
    folder
}

/// A deploy whose candidate, green, has all users.
fn settling(folder: &Folder) -> Running {
    let command = ["deploy", "master", "--force", "--output", "json"];
    let mut deploy = folder.promoter(command).start();
    deploy.phase("Settling");
    until("users to be served by green", || {
        let answer = get(folder.node_port).unwrap();
        answer["pod"].as_str()?.contains("-green-").then_some(())
    });
    deploy
}

fn record(folder: &Folder) -> Value {
    folder.status("master")["record"]["serving"].clone()
}

/// Blue serves, green is gone, and users were served all along.
#[track_caller]
fn assert_returned(folder: &Folder, mut users: Load, deploy: &Run, before: &Value) {
    folder.assert_cleared("green");
    users.end();
    let served = users.so_far();
    served.assert_undisturbed();
    let back: Timestamp = deploy.events_named("switched-back")[0]["at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let around = users.between(back - AROUND, back + AROUND);
    assert!(around.requests > 0, "nobody asked when traffic moved back");
    println!("returned: {around:?} around the way back; {served}");

    assert_eq!(deploy.outcome()["phase"], "Aborted", "{deploy}");
    assert_eq!(record(folder), *before, "{deploy}");
    assert_eq!(folder.status("master")["color"], "blue", "{deploy}");
    let answer = get(folder.node_port).unwrap();
    assert!(
        answer["pod"].as_str().unwrap().contains("-blue-"),
        "{answer:#}"
    );
}

#[test]
fn a_promotion_that_is_called_off_is_given_up_by_who_drives_it() {
    let folder = serving("called-off");
    let mut group = folder.hello("master");
    group.checks[0].command = ["sleep", "120"].map(str::to_owned).to_vec();
    folder.write_group(&group);
    let users = Load::start(folder.node_port, 2, Duration::from_millis(50));
    let command = ["deploy", "master", "--force", "--output", "json"];
    let mut deploy = folder.promoter(command).start();
    deploy.phase("Checking");
    let abort = folder
        .promoter(["abort", "master", "--reason", "the database moves"])
        .actor("alice")
        .run();
    let deploy = deploy.wait();

    assert_eq!((abort.code, deploy.code), (0, 130), "{abort}{deploy}");
    let reason = "aborted by alice (the database moves)";
    assert!(abort.stdout.contains(reason), "{abort}");
    assert!(deploy.reasons().contains(reason), "{deploy}");
    assert_eq!(
        deploy.events_named("switched"),
        [Value::Null; 0],
        "{deploy}"
    );
    folder.assert_cleared("green");
    users.stop().assert_undisturbed();
    let again = folder.promoter(["abort", "master"]).run();
    assert_eq!(again.code, 4, "{again}");
}
