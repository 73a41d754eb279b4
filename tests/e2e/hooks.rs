//! Hooks on the real cluster: each at its point, and a migration that is cut off
//! runs once all the same.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Check, Folder, GroupFile, Seen, Witness, until};

#[test]
fn hooks_run_at_their_points_and_what_they_say_counts() {
    let (folder, mut group) = serving("hooks");
    let run = folder
        .promoter(["deploy", "master", "--force", "-o", "json"])
        .run();
    assert_eq!(run.code, 0, "{run}");
    let outcome = run.outcome();
    let named: Vec<_> = outcome["hooks"].as_array().unwrap().iter().collect();
    let named: Vec<_> = named
        .iter()
        .map(|hook| hook["check"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["migrate", "warm", "tell"], "{run}");
    let place = |wanted: &dyn Fn(&Value) -> bool| {
        let events = run.events();
        events
            .iter()
            .position(wanted)
            .unwrap_or_else(|| panic!("{run}"))
    };
    let ended = |name: &'static str| {
        place(&move |event| event["event"] == "check-ended" && event["result"]["check"] == name)
    };
    let event = |name: &'static str| place(&move |event| event["event"] == name);
    assert!(ended("migrate") < event("app") && event("app") < ended("greets"));
    assert!(ended("greets") < ended("warm") && ended("warm") < event("switched"));
    assert!(event("old-gone") < ended("tell"));

    // What comes before the switch decides.
    group.hooks[1].1 = Check::script("warm", "echo it is cold; exit 1");
    folder.write_group(&group);
    let failed = folder.promoter(["deploy", "master"]).run();
    println!("{failed}");
    assert_eq!(failed.code, 3, "{failed}");
    assert!(
        failed.stdout.contains("hook warm failed: exit 1"),
        "{failed}"
    );
    folder.assert_cleared("blue");

    // What comes after it does not.
    group.hooks = vec![("after-promote", Check::script("tell", "exit 1"))];
    folder.write_group(&group);
    let told = folder.promoter(["deploy", "master"]).run();
    println!("{told}");
    assert_eq!(told.code, 0, "{told}");
    assert!(told.stdout.contains("warning: hook tell failed"), "{told}");
}

#[test]
fn a_migration_whose_promoter_is_killed_is_not_run_again() {
    let (folder, mut group) = serving("migration");
    let witness = Witness::start(&folder.namespace);
    group.hooks = vec![("before-deploy", Check::script("migrate", "sleep 12"))];
    folder.write_group(&group);
    let mut killed = folder.promoter(["deploy", "master", "-o", "json"]).start();
    killed.event("the migration to begin", |event| {
        event["event"] == "check-started"
    });
    until("its container to run", || {
        let pods = folder.list("Pod", "promoter.dev/role=hook");
        pods.iter()
            .any(|pod| pod["status"]["phase"] == "Running")
            .then_some(())
    });
    killed.kill();
    let resumed = folder.promoter(["resume", "master", "-o", "json"]).run();
    assert_eq!(resumed.code, 0, "{resumed}");
    let outcome = resumed.outcome();
    assert_eq!(outcome["phase"], "Promoted", "{resumed}");
    assert_eq!(outcome["hooks"][0]["verdict"], "Passed", "{resumed}");
    let seen = witness.seen("the checks' pods", |seen| {
        !pods_of(seen, "greets").is_empty()
    });
    assert_eq!(pods_of(&seen, "migrate").len(), 1, "{seen:?}");
}

fn pods_of<'a>(seen: &'a Seen, job: &str) -> BTreeSet<&'a str> {
    let part = format!("-{job}-");
    let pods = seen.pods.values().map(|pod| pod.name.as_str());
    pods.filter(|name| name.contains(&part)).collect()
}

/// A group that serves in blue, to which hooks were added since.
fn serving(test: &str) -> (Folder, GroupFile) {
    let folder = Folder::new(test);
    let mut group = folder.hello("master");
    folder.open(&group);
    group.hooks = vec![
        ("before-deploy", Check::script("migrate", "true")),
        ("before-switch", Check::script("warm", "true")),
        ("after-promote", Check::script("tell", "true")),
    ];
    folder.write_group(&group);
    (folder, group)
}
