//! Only images whose commits CI found good, and images that a moving tag leads to.

use crate::support::{Folder, Github, Run, move_tag, push, push_commit};

const TOKEN: &str = "ghp_of-the-test";
const GOOD: &str = "a1a1a1a0000000000000000000000000000000aa";
const NEWER: &str = "b2b2b2b0000000000000000000000000000000bb";

fn run(folder: &Folder, arguments: &[&str]) -> Run {
    let command = folder.promoter(arguments.iter().copied());
    let run = command.env("GH_ENTERPRISE_TOKEN", TOKEN).run();
    assert!(!run.output().contains(TOKEN), "the token is shown: {run}");
    run
}

#[test]
fn a_newer_image_is_deployed_once_its_commit_is_good() {
    let folder = Folder::new("proven");
    let github = Github::start();
    let environment = folder.read("environments/test.toml");
    folder.write(
        "environments/test.toml",
        &format!(
            "{environment}\n[defaults]\nproof = \"github-checks\"\n\n\
             [github]\napi = \"{}\"\nowner = \"acme\"\n",
            github.api()
        ),
    );
    let branch = format!("proof/{}", folder.namespace);
    let good = push_commit("hello-b", &branch, GOOD);
    let mut group = folder.hello("master");
    group.app("hello-b").branch = Some(branch.clone());
    folder.write_group(&group);
    let first = run(&folder, &["deploy", "master"]);
    assert_eq!(first.code, 0, "{first}");
    assert_eq!(folder.image("hello-b-blue"), good);

    let newer = push_commit("hello-b", &branch, NEWER);
    for (status, conclusion, why) in [
        ("completed", Some("failure"), "check run build failed"),
        (
            "in_progress",
            None,
            "check run build has not ended (in_progress)",
        ),
    ] {
        github.build(NEWER, status, conclusion);
        let planned = run(&folder, &["plan", "master", "--detailed-exitcode"]);
        assert_eq!(planned.code, 0, "nothing changes: {planned}");
        let said = format!("-b2b2b2b passed over: {why}");
        assert!(
            planned.stdout.contains(&said),
            "{said:?} is missing: {planned}"
        );
        let deployed = run(&folder, &["deploy", "master"]);
        assert_eq!(deployed.code, 0, "{deployed}");
        assert_eq!(folder.image("hello-b-blue"), good);
        assert!(folder.of_color("green").is_empty(), "{deployed}");
    }

    github.build(NEWER, "completed", Some("success"));
    let second = run(&folder, &["deploy", "master"]);
    assert_eq!(second.code, 0, "{second}");
    assert_eq!(folder.image("hello-b-green"), newer);

    // Neither is good any more: nothing is planned, and what serves goes on.
    github.build(GOOD, "completed", Some("cancelled"));
    github.build(NEWER, "completed", Some("failure"));
    let before = folder.versions();
    let refused = run(&folder, &["plan", "master"]);
    assert_eq!(refused.code, 2, "{refused}");
    for part in [
        "hello-b",
        "check run build failed",
        "check run build was cancelled",
    ] {
        assert!(
            refused.stderr.contains(part),
            "{part:?} is missing: {refused}"
        );
    }
    assert_eq!(folder.versions(), before, "plan writes nothing");

    let asked = github.asked();
    assert!(
        asked
            .iter()
            .all(|(_, sent)| *sent == format!("Bearer {TOKEN}"))
    );
    for repository in ["hello-a", "hello-b", "hello-tests"] {
        let begins = format!("/repos/acme/{repository}/commits/");
        assert!(
            asked.iter().any(|(path, _)| path.starts_with(&begins)),
            "{repository}"
        );
    }
}

#[test]
fn a_moving_tag_leads_to_its_image() {
    let folder = Folder::new("moving");
    let branch = format!("moving/{}", folder.namespace);
    let wanted = push("hello-b", &branch, &[]);
    push("hello-b", &branch, &["GREETING=Goodbye"]);
    let caller = push("hello-a", &branch, &[]);
    let mut group = folder.hello("master");
    for app in ["hello-a", "hello-b"] {
        group.app(app).branch = Some(branch.clone());
    }
    let environment = folder.read("environments/test.toml");
    let defaults = "\n[defaults]\nnewest = \"moving-tag\"\n";
    folder.write(
        "environments/test.toml",
        &format!("{environment}{defaults}"),
    );
    group.checks[0].source = "app = \"hello-b\"".to_owned();
    group.checks[0].command = vec!["true".to_owned()];
    group.checks[0].report = "none".to_owned();
    folder.write_group(&group);

    let missing = folder.promoter(["plan", "master"]).run();
    assert_eq!(missing.code, 2, "{missing}");
    let moving = format!("branch.{}", branch.replace('/', "-"));
    for part in ["hello-a", "hello-b", &format!("has no tag `{moving}`")] {
        assert!(
            missing.stderr.contains(part),
            "{part:?} is missing: {missing}"
        );
    }
    move_tag("hello-a", &moving, &caller);
    move_tag("hello-b", &moving, &wanted);
    folder.promote("master");
    assert_eq!(folder.image("hello-b-blue"), wanted);
}
