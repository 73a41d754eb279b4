//! Checks of which nobody can tell what they would have said.

use serde_json::json;

use super::{Case, GROUP, apply, assert_ended, kubectl, limit_range, ready, start};
use crate::support::{Folder, until};

#[test]
fn checks_without_a_verdict() {
    let folder = Folder::new("errored");
    let gone = "docker.io/library/promoter-has-no-such-image:1";
    let again = "trap 'exit 0' TERM; echo ready $(hostname); sleep 600 & wait";
    let deleted = Case::new("its pod is deleted in every run", "deleted", again)
        .ends("Errored", "no verdict after 3 runs: its pod was deleted")
        .after_three_runs();
    let cases = [
        Case::new("its image cannot be pulled", "no-image", "exit 0")
            .image(gone)
            .ends("Errored", "its image cannot be pulled (")
            .after_three_runs(),
        deleted,
        Case::new(
            "its image cannot be pulled in time",
            "no-image-in-time",
            "exit 0",
        )
        .image(gone)
        .start_timeout("4s")
        .ends(
            "Errored",
            "not started within 4s, still waiting for its container to start",
        )
        .after_three_runs(),
        Case::new("its image's name is none", "no-image-name", "exit 0")
            .image("docker.io/library/Upper:1")
            .ends("Errored", "(InvalidImageName)"),
        without_shell("its command is not there", "no-command"),
        Case::new("exits 0", "passes", "exit 0"),
        Case::tap(
            "report: no tests (1..0), exit 0",
            "no-tests",
            r"printf 'TAP version 13\n1..0\n'",
        )
        .ends("Errored", "no test"),
        Case::tap(
            "report: all skipped, exit 0",
            "all-skipped",
            r"printf '1..0 # SKIP no browser\n'",
        )
        .ends("Errored", "all were skipped (no browser)"),
        Case::tap(
            "node --test without tests, exit 0",
            "node-no-tests",
            "cd /tmp && node --test --test-reporter=tap",
        )
        .ends("Errored", "no test"),
        Case::tap(
            "node --test, a file without tests",
            "node-empty",
            "cd /tmp && echo 1 > a.test.mjs && node --test --test-reporter=tap",
        )
        .ends("Errored", "no test"),
    ];
    let mut running = start(&folder, &cases);
    for attempt in 1..=3 {
        let pod = ready(&mut running, "deleted", attempt);
        folder.delete("Pod", &pod);
    }
    let run = running.wait();
    assert_ended(&folder, &run, &cases, 7);
    let repeated = run.events_named("check-repeated");
    let deleted = repeated.iter().filter(|event| event["check"] == "deleted");
    assert_eq!(deleted.count(), 2, "{run}");
}

fn without_shell(what: &'static str, name: &str) -> Case {
    let mut case = Case::new(what, name, "").ends("Errored", "could not be started");
    case.check.command = vec!["/no/such/command".to_owned()];
    case
}

/// No node takes the check's pod; then a quota lets none be made.
#[test]
fn checks_that_do_not_start() {
    let folder = Folder::new("unstarted");
    let cpu = json!({ "type": "Container", "defaultRequest": { "cpu": "1000" } });
    apply(&folder, &limit_range(&cpu));
    let cases = [Case::new("no node has room for it", "no-room", "exit 0")
        .start_timeout("4s")
        .ends(
            "Errored",
            "not started within 4s, still waiting for a node: 0/1 nodes are available",
        )
        .after_three_runs()];
    let run = start(&folder, &cases).wait();
    assert_ended(&folder, &run, &cases, 7);
    assert!(run.reasons().contains("Insufficient cpu"), "{run}");
    kubectl(&folder, &["delete", "limitrange", "defaults"], "deleted");

    let cases = [Case::new("a quota lets no pod be made", "quota", "exit 0")
        .start_timeout("4s")
        .ends(
            "Errored",
            "not started within 4s, still waiting for its pod to be made",
        )
        .after_three_runs()];
    let mut running = start(&folder, &cases);
    // The plan would refuse this quota, had it been there.
    running.phase("Deploying");
    folder.create(json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "one-pod" },
        "spec": { "hard": { "pods": "1" } },
    }));
    until("the quota to be in force", || {
        folder.get("ResourceQuota", "one-pod")?["status"]["hard"]["pods"]
            .as_str()
            .map(str::to_owned)
    });
    let run = running.wait();
    assert_ended(&folder, &run, &cases, 7);
    let status = folder.status(GROUP);
    assert_eq!(status["phase"], "aborted", "{status:#}");
}
