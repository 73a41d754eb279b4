//! Two deploys at once, and deploys that are cut off at any point.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Folder, GroupFile, Load, Promoter, Run, Running, name, until};

#[test]
fn of_two_deploys_one_promotes_and_the_other_names_it() {
    let folder = Folder::new("both");
    let group = folder.hello("master");
    // Over before its lock is renewed, it would not be in the other one's way.
    hold_checks(&folder, group);
    let start = |name: &str| deploy(&folder).actor(name).start();
    let (alice, bob) = (start("alice"), start("bob"));
    let (alice, bob) = (alice.wait(), bob.wait());

    let (won, lost, holder) = if alice.code == 0 {
        (alice, bob, "alice")
    } else {
        (bob, alice, "bob")
    };
    assert_eq!((won.code, lost.code), (0, 6), "{won}{lost}");
    assert_eq!(won.outcome()["phase"], "Promoted", "{won}");
    assert!(lost.stderr.contains(holder), "the holder is named: {lost}");
    assert_eq!(
        folder.status("master")["record"]["outcomes"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_interrupt_while_checks_run_aborts() {
    let (folder, group) = serving("interrupt");
    hold_checks(&folder, group);
    let before = folder.owned();
    let users = Load::start(folder.node_port, 2, Duration::from_millis(50));
    let mut running = deploy(&folder).start();
    running.event("a check that runs", |event| {
        event["event"] == "check-output"
    });
    running.interrupt();
    let run = running.wait();
    let served = users.stop();

    assert_eq!(run.code, 130, "{run}");
    assert_eq!(run.outcome()["phase"], "Aborted", "{run}");
    assert_eq!(run.outcome()["reasons"][0]["kind"], "interrupted", "{run}");
    folder.assert_cleared("green");
    assert_eq!(folder.owned(), before, "what promoter owns is what it was");
    assert_eq!(folder.status("master")["color"], "blue");
    served.assert_undisturbed();
}

#[test]
fn an_interrupt_after_the_switch_leaves_the_rest_and_says_so() {
    let (folder, _) = serving("left");
    let running = folder.promoter(["deploy", "master", "--force"]).start();
    until("traffic to be moved", || {
        (folder.status("master")["phase"] == "settling").then_some(())
    });
    running.interrupt();
    let run = running.wait();
    assert_eq!(run.code, 130, "{run}");
    assert!(run.stdout.contains("stopped; traffic is moved"), "{run}");
    assert_eq!(folder.status("master")["phase"], "settling");

    let next = folder.deploy("master");
    assert_eq!(next.code, 0, "{next}");
    assert_promoted(&folder, &next);
}

/// Only the promoter that drives it knows what it said, and whoever asks for the lock makes an
/// empty one.
#[test]
fn a_record_deleted_while_somebody_drives_is_put_back() {
    let (folder, group) = serving("deleted");
    hold_checks(&folder, group);
    let users = Load::start(folder.node_port, 2, Duration::from_millis(50));
    let mut running = deploy(&folder).start();
    running.event("a check that runs", |event| {
        event["event"] == "check-output"
    });
    let said = folder.kubectl(&["delete", "deploymentgroup", "master"]);
    assert!(said.contains("deleted"), "{said}");
    let other = deploy(&folder).actor("bob").run();
    let run = running.wait();
    let served = users.stop();

    assert_eq!((run.code, other.code), (0, 6), "{run}{other}");
    assert_eq!(run.outcome()["phase"], "Promoted", "{run}");
    assert_eq!(run.events_named("rebuilt").len(), 1, "{run}");
    folder.assert_cleared("blue");
    assert_eq!(standing(&folder), ["hello-a-green", "hello-b-green"]);
    assert_eq!(folder.status("master")["color"], "green");
    served.assert_undisturbed();
}

#[test]
fn a_deploy_killed_while_deploying_is_resumed() {
    let (folder, _) = serving("deploying");
    let mut killed = deploy(&folder).start();
    killed.phase("Deploying");
    resumed_after_kill(&folder, killed, "Deploying");
}

#[test]
fn a_deploy_killed_while_checking_is_resumed() {
    let (folder, group) = serving("checking");
    hold_checks(&folder, group);
    let mut killed = deploy(&folder).start();
    killed.event("a check that runs", |event| {
        event["event"] == "check-output"
    });
    resumed_after_kill(&folder, killed, "Checking");
}

#[test]
fn a_deploy_killed_while_settling_is_resumed() {
    let (folder, _) = serving("settling");
    let mut killed = deploy(&folder).start();
    killed.phase("Settling");
    resumed_after_kill(&folder, killed, "Settling");
}

#[test]
fn a_detached_deploy_is_finished_by_the_next() {
    let (folder, _) = serving("detach");
    let detached = folder
        .promoter(["deploy", "master", "--force", "--detach", "-o", "json"])
        .run();
    assert_eq!(detached.code, 0, "{detached}");
    assert_eq!(folder.status("master")["phase"], "settling");
    assert_eq!(
        standing(&folder),
        [
            "hello-a-blue",
            "hello-a-green",
            "hello-b-blue",
            "hello-b-green"
        ]
    );

    let next = folder.deploy("master");
    assert_eq!(next.code, 0, "{next}");
    assert_eq!(next.events_named("resumed").len(), 1, "{next}");
    assert_promoted(&folder, &next);
}

/// A folder whose group serves in blue, with users let in.
fn serving(test: &str) -> (Folder, GroupFile) {
    let folder = Folder::new(test);
    let group = folder.hello("master");
    folder.open(&group);
    (folder, group)
}

/// Lets the check run long enough to be cut off, and say so.
fn hold_checks(folder: &Folder, mut group: GroupFile) {
    group.checks[0].command = ["sh", "-c", "echo '# holding'; HOLD_SECONDS=10 npm test"]
        .map(str::to_owned)
        .to_vec();
    folder.write_group(&group);
}

fn deploy(folder: &Folder) -> Promoter {
    folder.promoter(["deploy", "master", "--force", "--output", "json"])
}

/// Kills a promoter, deploys again once its lock has run out, and expects the
/// cut-off promotion to be promoted and users not to have noticed.
fn resumed_after_kill(folder: &Folder, killed: Running, phase: &str) {
    let users = Load::start(folder.node_port, 2, Duration::from_millis(50));
    killed.kill();
    let killed = killed.wait();
    let promotion = killed.events()[0]["promotion"].clone();
    let run = folder.deploy("master");
    let served = users.stop();

    assert_eq!(run.code, 0, "{killed}{run}");
    let awaited = run.events_named("lock-awaited");
    assert_eq!(
        awaited.len(),
        1,
        "nobody knows that its owner is dead: {run}"
    );
    let resumed = &run.events_named("resumed")[0];
    assert_eq!(
        (&resumed["promotion"], &resumed["phase"]),
        (&promotion, &Value::from(phase)),
        "{run}"
    );
    assert_promoted(folder, &run);
    served.assert_undisturbed();
    println!("killed while {phase}, then resumed; meanwhile {served}");
}

/// Green serves, blue is gone, nothing is under way.
fn assert_promoted(folder: &Folder, run: &Run) {
    assert_eq!(run.outcome()["phase"], "Promoted", "{run}");
    folder.assert_cleared("blue");
    let status = folder.status("master");
    assert_eq!(
        (&status["phase"], &status["color"]),
        (&"promoted".into(), &"green".into()),
        "{status:#}"
    );
    assert_eq!(status["record"]["inFlight"], Value::Null, "{status:#}");
    assert_eq!(
        status["record"]["outcomes"].as_array().unwrap().len(),
        2,
        "{status:#}"
    );
    assert_eq!(standing(folder), ["hello-a-green", "hello-b-green"]);
}

fn standing(folder: &Folder) -> Vec<String> {
    folder.list("Deployment", "").iter().map(name).collect()
}
