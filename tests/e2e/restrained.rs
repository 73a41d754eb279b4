//! Holds, bans and inputs that failed before, as people meet them.

use serde_json::Value;

use crate::support::{Folder, Run, until};

const WHY: &str = "the database moves";

#[test]
fn a_held_group_stays_as_it_is_until_it_is_let_go() {
    let folder = Folder::new("held");
    let group = folder.hello("master");
    folder.open(&group);
    let hold = said(&folder, &["hold", "master", "--reason", WHY]);
    assert_eq!(hold.code, 0, "{hold}");
    let deploy = said(&folder, &["deploy", "master", "--force"]);
    assert_eq!(deploy.code, 4, "{deploy}");
    for told in [WHY, "tester", "promoter unhold master", "--override"] {
        assert!(deploy.stderr.contains(told), "{told}: {deploy}");
    }
    let plan = said(&folder, &["plan", "master"]);
    assert_eq!(plan.code, 0, "{plan}");
    assert!(plan.stdout.contains(WHY), "{plan}");
    let status = said(&folder, &["status", "master"]);
    assert!(status.stdout.contains(WHY), "{status}");
    let column = folder.kubectl(&[
        "get",
        "deploymentgroup",
        "master",
        "-o=jsonpath={.spec.hold.reason}",
    ]);
    assert_eq!(column, WHY);

    let reason = "nobody can buy anything";
    let overridden = said(
        &folder,
        &["deploy", "master", "--force", "--override", reason],
    );
    assert_eq!(overridden.code, 0, "{overridden}");
    let show = said(&folder, &["show", &last(&folder)]);
    for told in [reason, WHY] {
        assert!(show.stdout.contains(told), "{told}: {show}");
    }
    let unhold = said(&folder, &["unhold", "master", "--reason", "it has moved"]);
    assert!(unhold.stdout.contains(WHY), "{unhold}");
    let deploy = said(&folder, &["deploy", "master", "--force"]);
    assert_eq!(deploy.code, 0, "{deploy}");
}

#[test]
fn a_hold_aborts_what_is_under_way() {
    let folder = Folder::new("held-midway");
    let mut group = folder.hello("master");
    folder.open(&group);
    "none".clone_into(&mut group.checks[0].report);
    group.checks[0].command = ["sleep", "60"].map(str::to_owned).to_vec();
    folder.write_group(&group);
    let running = folder.promoter(["deploy", "master", "--force"]).start();
    until("a check to run", || folder.list("Job", "").pop());
    let hold = said(&folder, &["hold", "master", "--reason", WHY]);
    assert_eq!(hold.code, 0, "{hold}");
    let run = running.wait();
    assert_eq!(run.code, 4, "{run}");
    assert!(
        run.stdout.contains("held by tester: the database moves"),
        "{run}"
    );
    let history = said(&folder, &["history"]);
    assert!(history.stdout.contains("held"), "{history}");
}

#[test]
fn a_banned_image_is_not_promoted_and_where_it_serves_is_said() {
    let folder = Folder::new("banned");
    folder.open(&folder.hello("master"));
    let plan = said(&folder, &["plan", "master", "-o", "json"]);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let digest = plan["apps"][0]["image"]["digest"].as_str().unwrap();
    let short = &digest["sha256:".len()..][..12];
    let ban = said(&folder, &["ban", short, "--reason", "it leaks"]);
    assert_eq!(ban.code, 0, "{ban}");
    let deploy = said(&folder, &["deploy", "master", "--force"]);
    assert_eq!(deploy.code, 4, "{deploy}");
    assert!(deploy.stderr.contains("it leaks"), "{deploy}");
    let status = said(&folder, &["status", "master"]);
    assert!(
        status
            .stdout
            .contains(&format!("its image {short} is banned")),
        "{status}"
    );
    let bans = said(&folder, &["bans"]);
    assert!(
        bans.stdout.contains(short) && bans.stdout.contains("it leaks"),
        "{bans}"
    );
    let other = said(&folder, &["unban", "000000000000", "--reason", "x"]);
    assert_eq!(other.code, 2, "{other}");
    let unban = said(&folder, &["unban", short, "--reason", "another one did"]);
    assert_eq!(unban.code, 0, "{unban}");
    let deploy = said(&folder, &["deploy", "master", "--force"]);
    assert_eq!(deploy.code, 0, "{deploy}");
}

#[test]
fn what_failed_is_tried_again_only_if_somebody_says_so() {
    let folder = Folder::new("retried");
    let mut group = folder.hello("master");
    folder.open(&group);
    "none".clone_into(&mut group.checks[0].report);
    group.checks[0].command = ["false"].map(str::to_owned).to_vec();
    "0s".clone_into(&mut group.endpoint_delay);
    folder.write_group(&group);
    let failed = said(&folder, &["deploy", "master"]);
    assert_eq!(failed.code, 3, "{failed}");
    let again = said(&folder, &["deploy", "master"]);
    assert_eq!(again.code, 4, "{again}");
    assert!(again.stderr.contains("promoter retry master"), "{again}");
    let retried = said(&folder, &["retry", "master"]);
    assert_eq!(retried.code, 3, "{retried}");
}

fn said(folder: &Folder, command: &[&str]) -> Run {
    let run = folder.promoter(command.iter().copied()).run();
    println!("{run}");
    run
}

/// The last promotion.
fn last(folder: &Folder) -> String {
    let history = said(folder, &["history", "-n", "1", "-o", "json"]);
    let entries: Value = serde_json::from_str(&history.stdout).unwrap();
    entries[0]["promotion"].as_str().unwrap().to_owned()
}
