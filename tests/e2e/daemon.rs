//! The daemon promotes by itself, and leaves what is under way to whoever comes next.

use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::{
    App, Check, Folder, GroupFile, Promoter, Queue, Running, Testbed, Told, push, pushed,
    repository, shared_records, until,
};

/// One that no other test pushes.
fn branch(folder: &Folder) -> String {
    folder.namespace.clone()
}

/// A group of one app, with what else its `[group]` says.
fn group(folder: &Folder, more: &str) -> GroupFile {
    let mut group = folder.hello("master");
    group.branch = branch(folder);
    group.apps = vec![App::new("hello-b", "manifests/hello-b.json")];
    group.checks = vec![Check::script("passes", "true")];
    "app = \"hello-b\"".clone_into(&mut group.checks[0].source);
    more.clone_into(&mut group.more);
    group
}

const AT_ONCE: &str = "on_push = true\nquiet_period = \"0s\"";

/// A daemon on a port of its own, that looks for images as often.
fn daemon(folder: &Folder, name: &str, poll: &str) -> Promoter {
    let serve = folder.promoter(["serve", "--listen", "127.0.0.1:0", "--poll", poll]);
    serve.actor(name)
}

/// The outcomes on record, newest first.
fn outcomes(folder: &Folder) -> Vec<Value> {
    let status = folder.get("DeploymentGroup", "master");
    let outcomes =
        status.and_then(|found| found["status"]["record"]["outcomes"].as_array().cloned());
    outcomes.unwrap_or_default()
}

/// Waits until so many promotions ended, and gives the last one.
#[track_caller]
fn ended(folder: &Folder, number: usize) -> Value {
    until(&format!("promotion {number} to end"), || {
        let outcomes = outcomes(folder);
        (outcomes.len() == number).then(|| outcomes[0].clone())
    })
}

/// What a daemon answers.
fn ask(daemon: &mut Running, path: &str) -> String {
    let serving = daemon.logged("where it listens", |line| line["message"] == "serving");
    let address = serving["fields"]["address"].as_str().unwrap();
    let url = format!("http://{address}{path}");
    let curl = std::process::Command::new("curl")
        .args(["-sS", "--fail", &url])
        .output();
    let answer = curl.unwrap();
    assert!(answer.status.success(), "{url}: {answer:?}");
    String::from_utf8(answer.stdout).unwrap()
}

#[test]
fn new_images_are_promoted_and_bad_ones_are_refused_once() {
    let folder = Folder::new("daemon");
    push("hello-b", &branch(&folder), &[]);
    let mut file = group(&folder, AT_ONCE);
    folder.write_group(&file);
    let mut first = daemon(&folder, "daemon-1", "1s").start();
    assert_eq!(ended(&folder, 1)["phase"], "Promoted");
    push("hello-b", &branch(&folder), &[]);
    let last = ended(&folder, 2);
    assert_eq!(last["phase"], "Promoted", "{last:#}");
    assert_eq!(last["actor"]["name"], "daemon-1", "{last:#}");
    assert_eq!(last["actor"]["trigger"], "push", "{last:#}");

    // A file that changes is something new. What fails is remembered.
    file.checks[0].command = ["false"].map(str::to_owned).to_vec();
    "0s".clone_into(&mut file.endpoint_delay);
    folder.write_group(&file);
    assert_eq!(ended(&folder, 3)["phase"], "Aborted");
    assert_eq!(ask(&mut first, "/livez"), "ok\n");
    assert_eq!(ask(&mut first, "/readyz"), "ok\n");
    let metrics = ask(&mut first, "/metrics");
    let failed = "promoter_promotions_total{environment=\"test\",group=\"master\",outcome=\"failed\",trigger=\"push\"} 1";
    assert!(metrics.contains(failed), "{metrics}");
    first.terminate();
    let run = first.wait();
    assert_eq!(run.code, 0, "{run}");

    // Another daemon is refused the same inputs, and promotes what is mended.
    let mut second = daemon(&folder, "daemon-2", "1s").start();
    second.logged("the refusal", |line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.contains("these very inputs were found bad")
    });
    file.checks[0].command = ["true"].map(str::to_owned).to_vec();
    folder.write_group(&file);
    assert_eq!(ended(&folder, 4)["phase"], "Promoted");
    second.terminate();
    println!("{}", second.wait());
}

#[test]
fn a_push_that_a_queue_tells_of_is_promoted_within_moments() {
    let folder = Folder::new("hinted");
    push("hello-b", &branch(&folder), &[]);
    folder.write_group(&group(&folder, AT_ONCE));
    let queue = Queue::new("daemon");
    // It would look for images tomorrow.
    let serve = daemon(&folder, "daemon-1", "24h");
    let mut serve = serve.env("PROMOTER_PUSH_QUEUE", &queue.url).start();
    ended(&folder, 1);
    push("hello-b", &branch(&folder), &[]);
    let put = Timestamp::now();
    let sending = Instant::now();
    queue.send(&pushed(&Testbed::get().account, &repository("hello-b")));
    let sent = sending.elapsed();
    let last = ended(&folder, 2);
    let started: Timestamp = last["startedAt"].as_str().unwrap().parse().unwrap();
    let since = started.duration_since(put);
    println!(
        "daemon: began {since:#} after the push, of which sending the event took up to {sent:?}"
    );
    until("the message to be gone", || {
        (queue.messages() == 0).then_some(())
    });
    let metrics = ask(&mut serve, "/metrics");
    let followed = "promoter_hints_total{result=\"followed\"} 1";
    assert!(metrics.contains(followed), "{metrics}");
    serve.terminate();
    assert_eq!(serve.wait().code, 0);
}

/// The other way is the same one: what two daemons tell of a promotion is what one tells.
#[test]
fn what_a_killed_daemon_left_another_finishes() {
    let folder = Folder::new("killed");
    push("hello-b", &branch(&folder), &[]);
    let mut file = group(&folder, AT_ONCE);
    file.checks = vec![Check::script("passes", "sleep 5")];
    "app = \"hello-b\"".clone_into(&mut file.checks[0].source);
    folder.write_group(&file);
    let records = shared_records();
    let replica = |name| {
        let serve = daemon(&folder, name, "1s").env("PROMOTER_RECORDS", &records);
        serve.start()
    };
    let checks = |line: &Value| line["phase"] == "checking";

    let mut acting = replica("daemon-1");
    let undisturbed = ended(&folder, 1);
    push("hello-b", &branch(&folder), &[]);
    let begun = acting.logged("the checks", |line| {
        checks(line) && line["promotion"] != undisturbed["promotion"]
    });
    // Not before, as either of them may begin what is new.
    let standby = replica("daemon-2");
    acting.kill();
    assert_eq!(acting.wait().code, -1);
    let last = ended(&folder, 2);
    assert_eq!(last["phase"], "Promoted", "{last:#}");
    assert_eq!(last["promotion"], begun["promotion"], "{last:#}");

    let told = |outcome: &Value| {
        let promotion = outcome["promotion"].as_str().unwrap();
        Told::of(&folder, &records, promotion)
    };
    let (alone, both) = (told(&undisturbed), told(&last));
    assert_eq!(both.phases(), alone.phases(), "{both:#?}");
    assert_eq!(both.resumed(), 1, "{both:#?}");
    assert_eq!(both.facts(), alone.facts(), "{both:#?}");

    standby.terminate();
    let run = standby.wait();
    assert_eq!(run.code, 0, "{run}");
    let left = "was left while checking; it is driven on first";
    assert!(run.stderr.contains(left), "{run}");
}
