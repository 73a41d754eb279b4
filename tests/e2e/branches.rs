//! Which image of which branch is deployed, and what happens when it cannot be had.

use crate::support::{Folder, forget_in_ecr, forget_in_registry, push, repository};

/// Git takes any of these; no tag does.
const BRANCH: &str = "feature/grüße";
const LONGER: &str = "feature/grüße-2";

#[test]
fn branches_are_selected_app_by_app() {
    let folder = Folder::new("branches");
    let wanted = push("hello-b", BRANCH, &[]);
    // Newer, and its name begins the same.
    push("hello-b", LONGER, &[]);
    let slashed = push("hello-b", "feature/x", &[]);
    let long = format!("feature/{}", "long-".repeat(39));
    let longest = push("hello-a", &long, &[]);
    let mut group = folder.hello("master");
    group.app("hello-a").branch = Some(long);
    group.app("hello-b").branch = Some(BRANCH.to_owned());
    folder.write_group(&group);

    let first = folder.promote("master").outcome();
    assert_eq!(folder.image("hello-a-blue"), longest);
    assert_eq!(folder.image("hello-b-blue"), wanted);
    let tag = first["apps"][0]["tag"].as_str().unwrap();
    assert!(
        tag.starts_with("feature-long-") && tag.len() <= 128,
        "{tag}"
    );

    let run = folder
        .promoter([
            "deploy",
            "master",
            "--branch",
            "hello-b=feature/x",
            "--output",
            "json",
        ])
        .run();
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(folder.image("hello-b-green"), slashed);
    let apps = run.outcome()["apps"].clone();
    let tags: Vec<_> = apps
        .as_array()
        .unwrap()
        .iter()
        .map(|app| app["tag"].as_str().unwrap())
        .collect();
    assert!(tags[1].starts_with("feature-x-"), "{tags:?}");
}

#[test]
fn an_image_that_cannot_be_pulled_ends_the_deploy_with_its_reason() {
    let folder = Folder::new("pull");
    let mut group = folder.hello("master");
    folder.write_group(&group);
    folder.promote("master");
    let before = folder.owned();
    let branch = format!("gone/{}", folder.namespace);
    group.app("hello-b").branch = Some(branch.clone());
    group.deploy_timeout = "15s".to_owned();
    folder.write_group(&group);

    let gone = push("hello-b", &branch, &[]);
    let planned = folder
        .promoter(["plan", "master", "--detailed-exitcode"])
        .run();
    assert_eq!(planned.code, 10, "{planned}");
    forget_in_registry(&gone);
    let run = folder.deploy("master");
    assert_eq!(run.code, 5, "{run}");
    let reasons = run.reasons();
    assert!(
        reasons.contains("app hello-b: its image cannot be pulled"),
        "{run}"
    );
    let digest = gone.split_once('@').unwrap().1;
    assert!(
        reasons.contains(digest) && reasons.contains("not found"),
        "{reasons}"
    );
    assert!(
        !reasons.contains("hello-a"),
        "hello-a had no trouble: {reasons}"
    );
    println!("pull: {reasons}");
    folder.assert_cleared("green");
    assert_eq!(folder.owned(), before, "what promoter owns is what it was");
    assert_eq!(folder.status("master")["color"], "blue");

    // Deleted from ECR as well, there is nothing to deploy any more.
    forget_in_ecr("hello-b", &gone);
    let versions = folder.versions();
    let planned = folder.promoter(["plan", "master"]).run();
    assert_eq!(planned.code, 2, "{planned}");
    for part in ["hello-b", branch.as_str(), repository("hello-b").as_str()] {
        assert!(
            planned.stderr.contains(part),
            "{part:?} is missing: {planned}"
        );
    }
    assert_eq!(folder.versions(), versions, "plan writes nothing");
    let refused = folder.deploy("master");
    assert_eq!(refused.code, 2, "{refused}");
    assert_eq!(folder.owned(), before, "what promoter owns is what it was");
}
