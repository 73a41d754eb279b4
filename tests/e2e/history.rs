//! What is looked back on: kept by whoever drove it, told to whoever asks later,
//! and no reason for a promotion to fail.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use crate::support::{Check, Folder, GroupFile, Promoter, Run, until};

const RECORDS: &str = "PROMOTER_RECORDS";
const GOES_ON: &str = "the promotion goes on, what happens is kept as soon as that works";
const MISSING: &str = "facts are not in the records";

#[test]
fn a_night_is_told_the_next_morning() {
    let folder = Folder::new("night");
    let mut group = folder.hello("master");
    folder.open(&group);
    // No run begins early, so that each says something.
    "0s".clone_into(&mut group.endpoint_delay);
    let failed = deploy_with(&folder, &mut group, "echo it is broken; exit 1");
    assert_eq!(failed.code, 3, "{failed}");
    group.checks[0].command = ["no-such-program"].map(str::to_owned).to_vec();
    folder.write_group(&group);
    let errored = deploy(&folder).run();
    assert_eq!(errored.code, 7, "{errored}");

    held(&folder, &mut group);
    rolled_back(&folder, &mut group);

    let history = folder.promoter(["history", "--local"]).run();
    println!("{history}");
    let rows = rows(&history);
    assert_eq!(rows.len(), 5, "{history}");
    let words = ["rolled back", "held", "errored", "failed", "promoted"];
    for (row, word) in rows.iter().zip(words) {
        assert!(row.contains(word) && row.contains("tester"), "{history}");
    }
    let second = rows[3].split_whitespace().next().unwrap();
    let show = folder.promoter(["show", second]).run();
    println!("{show}");
    assert_eq!(show.code, 0, "{show}");
    for told in [
        "by",
        "tester",
        "the candidate is gone",
        "check greets failed",
    ] {
        assert!(show.stdout.contains(told), "{told}: {show}");
    }
    let diff = folder.promoter(["diff", second]).run();
    println!("{diff}");
    assert!(diff.stdout.contains("it is broken"), "{diff}");
    let logs = folder.promoter(["logs", second, "--check", "greets"]).run();
    assert_eq!(logs.stdout, "it is broken\n", "{logs}");
    let wrong = folder.promoter(["history", "--local"]);
    let wrong = wrong.env("PROMOTER_RECORDS_DAYS", "a year").run();
    assert_eq!(wrong.code, 2, "{wrong}");
    let none = folder.promoter(["show", "00000000"]).run();
    assert_eq!(none.code, 2, "{none}");
}

/// Somebody holds the group while its check runs.
fn held(folder: &Folder, group: &mut GroupFile) {
    group.checks[0].command = ["sleep", "60"].map(str::to_owned).to_vec();
    folder.write_group(group);
    let running = deploy(folder).start();
    until("the check to run", || folder.list("Job", "").pop());
    let command = ["hold", "master", "--reason", "the database moves"];
    let hold = folder.promoter(command).run();
    assert_eq!(hold.code, 0, "{hold}");
    let run = running.wait();
    assert_eq!(run.code, 4, "{run}");
    let command = ["unhold", "master", "--reason", "it has moved"];
    assert_eq!(folder.promoter(command).run().code, 0);
}

/// What passed its check turns out to be bad while the old pods still stand.
fn rolled_back(folder: &Folder, group: &mut GroupFile) {
    group.checks[0].command = ["true"].map(str::to_owned).to_vec();
    "1m".clone_into(&mut group.keep_old);
    folder.write_group(group);
    let command = ["deploy", "master", "--force", "--detach"];
    let detached = folder.promoter(command).run();
    assert_eq!(detached.code, 0, "{detached}");
    let command = ["rollback", "master", "--reason", "carts are empty"];
    let back = folder.promoter(command).run();
    assert_eq!(back.code, 0, "{back}");
}

#[test]
fn what_was_begun_elsewhere_is_in_the_history_of_all() {
    let folder = Folder::new("elsewhere");
    folder.open(&folder.hello("master"));
    let elsewhere = folder.path().join("another-machine.db");
    let history = || {
        folder
            .promoter(["history"])
            .env(RECORDS, elsewhere.to_str().unwrap())
    };
    let run = history().run();
    assert!(run.stdout.contains("promoted"), "{run}");
    let local = folder.promoter(["history", "--local"]);
    let local = local.env(RECORDS, elsewhere.to_str().unwrap()).run();
    assert_eq!(local.stdout, run.stdout, "it was kept");
}

#[test]
fn a_group_whose_cluster_has_two_names_is_told_apart() {
    let folder = Folder::new("two-names");
    let mut group = folder.hello("master");
    group.checks = ["one", "two"]
        .map(|name| Check::script(name, &format!("echo check {name} was here")))
        .to_vec();
    folder.open(&group);
    let kubeconfig = folder.other_context("other-name");
    let environment = format!(
        "[environment]\nname = \"other\"\nnamespace = \"{}\"\ncluster = {{ context = \"other-name\" }}\n",
        folder.namespace
    );
    folder.write("environments/other.toml", &environment);
    let ran = |arguments: &[&str]| {
        let command = folder.promoter(arguments.iter().copied());
        command.env("KUBECONFIG", &kubeconfig).run()
    };
    let history = ran(&["history"]);
    println!("{history}");
    let rows = rows(&history);
    assert_eq!(rows.len(), 2, "{history}");
    assert!(history.stdout.contains("WHERE"), "{history}");
    for name in [" test ", " other "] {
        assert!(rows.iter().any(|row| row.contains(name)), "{history}");
    }
    let of_one = ran(&["history", "--local", "--environment", "test"]);
    assert!(!of_one.stdout.contains("WHERE"), "{of_one}");
    assert_eq!(self::rows(&of_one).len(), 1, "{of_one}");

    let id = rows[0].split_whitespace().next().unwrap();
    let asked = ran(&["show", id]);
    assert_eq!(asked.code, 2, "{asked}");
    let other = format!("master in other-name/{}", folder.namespace);
    assert!(asked.stderr.contains(&other), "{asked}");
    let told = ran(&["show", id, "--environment", "test"]);
    assert!(told.stdout.contains("check one passed"), "{told}");
    let place = ["--context", "other-name", "--namespace", &folder.namespace];
    let filled_in = ran(&[&["show", id][..], &place].concat());
    assert_eq!(filled_in.code, 0, "{filled_in}");
    assert!(
        !filled_in.stdout.contains("check one passed"),
        "{filled_in}"
    );

    let logs = ran(&["logs", id, "--environment", "test"]);
    let both = "--- one, run 1 ---\ncheck one was here\n--- two, run 1 ---\ncheck two was here\n";
    assert_eq!(logs.stdout, both, "{logs}");
}

#[test]
fn what_is_refused_is_in_the_history_once() {
    let folder = Folder::new("refused-often");
    folder.open(&folder.hello("master"));
    let hold = folder.promoter(["hold", "master", "--reason", "the database moves"]);
    let hold = hold.run();
    assert_eq!(hold.code, 0, "{hold}");
    for actor in ["ann", "schedule", "schedule"] {
        let refused = deploy(&folder).actor(actor).run();
        assert_eq!(refused.code, 4, "{refused}");
    }
    let history = folder.promoter(["history"]).run();
    println!("{history}");
    let rows: Vec<_> = history.stdout.lines().skip(1).collect();
    let refused = |actor: &str| {
        let is_row = |row: &&&str| row.contains("refused") && row.contains(actor);
        rows.iter().filter(is_row).count()
    };
    assert_eq!((refused("ann"), refused("schedule")), (1, 1), "{history}");
    let text = rows.join(" ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(text.matches("2 times since").count(), 1, "{history}");
    assert_eq!(text.matches("the database").count(), 2, "{history}");
}

#[test]
fn records_that_are_locked_are_filled_in_later() {
    let folder = Folder::new("locked");
    folder.open(&folder.hello("master"));
    let records = folder.path().join("records.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lock = runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(&records);
        let mut other = options.connect().await.unwrap();
        sqlx::query("BEGIN EXCLUSIVE")
            .execute(&mut other)
            .await
            .unwrap();
        other
    });
    let run = deploy(&folder).run();
    assert_promoted_without_records(&run, "database is locked");
    runtime.block_on(lock.close()).unwrap();
    assert_filled_in(&folder, &records, 2);
}

#[test]
fn a_full_disk_fails_no_promotion() {
    let folder = Folder::new("full");
    folder.open(&folder.hello("master"));
    let disk = Disk::new("size=16k");
    let run = deploy(&folder).env(RECORDS, disk.records()).run();
    assert_promoted_without_records(&run, "full");
    disk.remount("size=10m");
    assert_filled_in(&folder, Path::new(disk.records()), 2);
}

#[test]
fn a_disk_that_may_not_be_written_fails_no_promotion() {
    let folder = Folder::new("read-only");
    folder.open(&folder.hello("master"));
    let disk = Disk::new("size=10m");
    disk.remount("ro");
    let run = deploy(&folder).env(RECORDS, disk.records()).run();
    assert_promoted_without_records(&run, "Read-only file system");
    disk.remount("rw");
    assert_filled_in(&folder, Path::new(disk.records()), 2);
}

/// The promotions of a history, a line each: what is long goes on below.
fn rows(history: &Run) -> Vec<&str> {
    let rows = history.stdout.lines().skip(1);
    rows.filter(|row| !row.starts_with(' ')).collect()
}

fn deploy(folder: &Folder) -> Promoter {
    folder.promoter(["deploy", "master", "--force"])
}

fn deploy_with(folder: &Folder, group: &mut GroupFile, script: &str) -> Run {
    group.checks[0].command = ["sh", "-c", script].map(str::to_owned).to_vec();
    "none".clone_into(&mut group.checks[0].report);
    folder.write_group(group);
    deploy(folder).run()
}

#[track_caller]
fn assert_promoted_without_records(run: &Run, why: &str) {
    assert_eq!(run.code, 0, "{run}");
    let said = run.stderr.lines().find(|line| line.contains(GOES_ON));
    assert!(said.is_some_and(|said| said.contains(why)), "{run}");
    assert!(run.stderr.contains(MISSING), "{run}");
}

/// The cluster knows how the promotions ended.
#[track_caller]
fn assert_filled_in(folder: &Folder, records: &Path, number: usize) {
    let history = folder.promoter(["history", "-o", "json"]);
    let run = history.env(RECORDS, records.to_str().unwrap()).run();
    assert_eq!(run.code, 0, "{run}");
    let entries: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let promoted = entries
        .iter()
        .filter(|entry| entry["outcome"]["phase"] == "Promoted");
    assert_eq!(promoted.count(), number, "{run}");
}

/// A file system of the test's own.
struct Disk {
    folder: TempDir,
    records: PathBuf,
}

impl Disk {
    fn new(options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = folder.path().join("records.db");
        let disk = Self { folder, records };
        disk.mount(&["-t", "tmpfs", "-o", options, "none"]);
        disk
    }

    fn remount(&self, options: &str) {
        self.mount(&["-o", &format!("remount,{options}")]);
    }

    fn mount(&self, options: &[&str]) {
        let mut mount = Command::new("mount");
        let status = mount.args(options).arg(self.folder.path()).status();
        assert!(status.unwrap().success(), "mount {options:?}");
    }

    fn records(&self) -> &str {
        self.records.to_str().unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}
