//! The daemon promotes by itself, and leaves what is under way to whoever comes next.

use serde_json::Value;

use crate::support::{App, Check, Folder, GroupFile, Running, push, until};

/// One that no other test pushes.
fn branch(folder: &Folder) -> String {
    folder.namespace.clone()
}

/// A group of one app, with what else its `[group]` says.
fn group(folder: &Folder, name: &str, more: &str) -> GroupFile {
    let mut group = folder.hello(name);
    group.branch = branch(folder);
    group.apps = vec![App::new("hello-b", "manifests/hello-b.json")];
    group.checks = vec![Check::script("passes", "true")];
    "app = \"hello-b\"".clone_into(&mut group.checks[0].source);
    more.clone_into(&mut group.more);
    group
}

/// A daemon that looks every second, on a port of its own.
fn serve(folder: &Folder, name: &str) -> Running {
    let serve = folder.promoter(["serve", "--listen", "127.0.0.1:0", "--poll", "1s"]);
    serve
        .actor(name)
        .env("PROMOTER_LOG", "promoter=info")
        .start()
}

/// The outcomes on record, newest first.
fn outcomes(folder: &Folder, group: &str) -> Vec<Value> {
    let status = folder.get("DeploymentGroup", group);
    let outcomes =
        status.and_then(|found| found["status"]["record"]["outcomes"].as_array().cloned());
    outcomes.unwrap_or_default()
}

fn serving(folder: &Folder, group: &str) -> Option<String> {
    let found = folder.get("DeploymentGroup", group)?;
    let plan = &found["status"]["record"]["serving"]["plan"];
    plan.as_str().map(str::to_owned)
}

#[test]
fn new_images_are_promoted_and_bad_ones_are_refused_once() {
    let folder = Folder::new("daemon");
    push("hello-b", &branch(&folder), &[]);
    let mut file = group(&folder, "master", "on_push = true\nquiet_period = \"0s\"");
    folder.write_group(&file);
    let daemon = serve(&folder, "daemon-1");
    until("the first images to be promoted", || {
        (outcomes(&folder, "master").len() == 1).then_some(())
    });
    let first = serving(&folder, "master");
    assert!(first.is_some());
    push("hello-b", &branch(&folder), &[]);
    until("the next ones to be promoted", || {
        (outcomes(&folder, "master").len() == 2).then_some(())
    });
    let last = &outcomes(&folder, "master")[0];
    assert_eq!(last["phase"], "Promoted", "{last:#}");
    assert_eq!(last["actor"]["name"], "daemon-1", "{last:#}");
    assert_eq!(last["actor"]["trigger"], "push", "{last:#}");
    assert_ne!(serving(&folder, "master"), first);

    // A check that fails, by a file that changes.
    file.checks[0].command = ["false"].map(str::to_owned).to_vec();
    file.endpoint_delay = "0s".to_owned();
    folder.write_group(&file);
    until("it to be refused", || {
        (outcomes(&folder, "master").len() == 3).then_some(())
    });
    let refused = &outcomes(&folder, "master")[0];
    assert_eq!(refused["phase"], "Aborted", "{refused:#}");
    daemon.interrupt();
    let run = daemon.wait();
    assert_eq!(run.code, 0, "{run}");

    // Another daemon finds the same, and does not try it again.
    let daemon = serve(&folder, "daemon-2");
    push("hello-b", "elsewhere", &[]);
    let held = folder.promoter(["status", "master"]).run();
    assert_eq!(held.code, 0, "{held}");
    file.checks[0].command = ["true"].map(str::to_owned).to_vec();
    folder.write_group(&file);
    until("what was mended to be promoted", || {
        let outcomes = outcomes(&folder, "master");
        (outcomes.len() == 4).then_some(())
    });
    assert_eq!(outcomes(&folder, "master")[0]["phase"], "Promoted");
    daemon.interrupt();
    println!("{}", daemon.wait());
}
