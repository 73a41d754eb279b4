//! Folders of group files as people write them, and what they are told.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use promoter::adapter::files::Catalog;
use promoter::group::validate::Overrides;

fn catalog(folder: &str) -> Catalog {
    Catalog::load(&Path::new("tests/it/fixtures/groups").join(folder))
}

/// What people are told, without the way to the folder.
fn told(text: &impl ToString, folder: &str) -> String {
    text.to_string()
        .replace(&format!("tests/it/fixtures/groups/{folder}/"), "")
}

#[test]
fn valid_groups() {
    let validation = catalog("valid").validate_all();
    assert!(!validation.problems.has_errors(), "{}", validation.problems);
    let groups = validation.groups.iter().map(|group| {
        let image = |image: &promoter::group::BranchImage| {
            format!("{} {} {}", image.repository, image.branch, image.tag)
        };
        let apps = group
            .apps
            .iter()
            .map(|app| format!("  {} = {} x{:?}", app.name, image(&app.image), app.replicas));
        let checks = group
            .checks
            .iter()
            .map(|check| format!("  {} {:?} {:?}", check.name, check.timeout, check.report));
        let head = format!(
            "{} in {} keeps {:?}",
            group.name, group.environment.name, group.strategy.keep_old
        );
        [head]
            .into_iter()
            .chain(apps)
            .chain(checks)
            .collect::<Vec<_>>()
            .join("\n")
    });
    assert_snapshot!(groups.collect::<Vec<_>>().join("\n"), @"
    base in production keeps 120s
      base = base main {slug}-{build} xSome(3)
      runs 90s None
    play in sandbox keeps 30s
      web = web main {slug}-{build}-{sha} xNone
    shop in production keeps 5400s
      web = web main {slug}-{build} xSome(3)
      orders = team/orders release/2026.1 {slug}-{build}-{sha} xSome(5)
      worker = worker main {slug}-{build} xSome(3)
      buys 600s Tap
      migrates 90s None
      answers 90s None
    ");
    assert_snapshot!(told(&validation.problems, "valid"), @r#"
    warning: groups/play.toml:1:1: the group has no check, and the environment `sandbox` allows it: nothing is tested
      |
    1 | [group]
      | ^^^^^^^
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "all of the text is the point")]
fn every_problem_of_every_file_is_told() {
    let validation = catalog("wrong").validate_all();
    assert!(validation.groups.is_empty());
    let told = told(&validation.problems, "wrong");
    assert!(!told.contains("hunter2"));
    assert_snapshot!(told, @r#"
    error: environments/v2.toml:3:13: the environment `v3` has the same cluster and namespace
      |
    3 | namespace = "v2"
      |             ^^^^
      |
      = help: give each a namespace of its own

    error: environments/v3.toml:2:13: the name `v-three` is not that of the file
      |
    2 | name      = "v-three"
      |             ^^^^^^^^^
      |
      = help: write name = "v3", or call the file v-three.toml

    error: environments/v3.toml:3:13: the environment `v2` has the same cluster and namespace
      |
    3 | namespace = "v2"
      |             ^^^^
      |
      = help: give each a namespace of its own

    error: environments/v3.toml:5:13: `untested` cannot be `allow`
      |
    5 | untested  = "allow"
      |             ^^^^^^^
      |
      = help: write "refused" or "allowed"

    error: groups/broken.toml:2:8: string values must be quoted, expected literal string
      |
    2 | name = broken
      |        ^^^^^^

    error: groups/broken.toml:3:18: invalid basic string, expected `"`
      |
    3 | environment = "v2
      |                  ^

    error: groups/broken.toml:5:7: unclosed array table, expected `]`
      |
    5 | [[app]
      |       ^

    error: groups/empty.toml:1:1: the group has no app
      |
    1 | [group]
      | ^^^^^^^
      |
      = help: add an [[app]] table

    error: groups/empty.toml:1:1: the group has no check, so nothing would be tested
      |
    1 | [group]
      | ^^^^^^^
      |
      = help: add a [[check]] table, or write untested = "allowed" into the environment `v2`

    error: groups/first.toml:4:1: [group] has no key `brnach`
      |
    4 | brnach      = "master"
      | ^^^^^^
      |
      = help: did you mean `branch`?

    error: groups/first.toml:5:15: `0 25 * * *` is not a cron expression: number out of bounds
      |
    5 | schedule    = "0 25 * * *"
      |               ^^^^^^^^^^^^

    error: groups/first.toml:6:15: `Berlin` is not a time zone, write its IANA name (like Europe/Berlin or UTC)
      |
    6 | timezone    = "Berlin"
      |               ^^^^^^^^

    error: groups/first.toml:7:16: `requires` goes in a circle: first -> second -> first
      |
    7 | requires    = ["second", "third"]
      |                ^^^^^^^^
      |
      = help: leave out one of the requirements

    error: groups/first.toml:7:26: `requires` names `third`, which is no group
      |
    7 | requires    = ["second", "third"]
      |                          ^^^^^^^

    error: groups/first.toml:10:12: the strategy `canary` is not there yet
       |
    10 | kind     = "canary"
       |            ^^^^^^^^
       |
       = help: use "blue-green"

    error: groups/first.toml:11:12: `keep_old` must be at least 10s, the time old pods need to drain
       |
    11 | keep_old = "5s"
       |            ^^^^

    error: groups/first.toml:13:1: `branch` is missing, here and in [group]
       |
    13 | [[app]]
       | ^^^^^^^
       |
       = help: write branch = "<the branch to run>"

    error: groups/first.toml:14:12: app `hello` is also in group `second` (groups/second.toml:9:8), and both run in the environment `v2`
       |
    14 | name     = "hello"
       |            ^^^^^^^
       |
       = help: an app belongs to one group of an environment; rename it, or give one group another environment

    error: groups/first.toml:15:12: manifest without the image placeholder: groups/no-image.yaml
       |
    15 | manifest = "no-image.yaml"
       |            ^^^^^^^^^^^^^^^
       |
       = help: write {{ image }} where the container's image belongs

    error: groups/first.toml:20:12: `two words` is not a branch git would take: it has a space or a control character
       |
    20 | branch   = "two words"
       |            ^^^^^^^^^^^

    error: groups/first.toml:21:12: the manifest `../../outside.yaml` is outside of the folder tests/it/fixtures/groups/wrong
       |
    21 | manifest = "../../outside.yaml"
       |            ^^^^^^^^^^^^^^^^^^^^

    error: groups/first.toml:22:13: `needs` goes in a circle: hello -> world -> hello
       |
    22 | needs    = ["hello", "wrld"]
       |             ^^^^^^^
       |
       = help: leave out one of the needs

    error: groups/first.toml:22:22: `needs` names `wrld`, which is no app of the group
       |
    22 | needs    = ["hello", "wrld"]
       |                      ^^^^^^
       |
       = help: did you mean `world`?

    error: groups/first.toml:23:12: `env` is for apps without a manifest
     |
     = help: write it into the manifest

    error: groups/first.toml:23:43: `env.PORT` must be text in quotes, not a whole number

    error: groups/first.toml:26:12: `hello-green` is what a Deployment of app `hello` is called
       |
    26 | name     = "hello-green"
       |            ^^^^^^^^^^^^^
       |
       = help: give one of them another name

    error: groups/first.toml:26:12: a Deployment of app `hello-green` and one of app `hello` in group `second` get the same name
       |
    26 | name     = "hello-green"
       |            ^^^^^^^^^^^^^
       |
       = help: give one of them another name

    error: groups/first.toml:27:12: the manifest groups/gone.yaml is not there
       |
    27 | manifest = "gone.yaml"
       |            ^^^^^^^^^^^

    error: groups/first.toml:29:12: `port` must be from 1 to 65535, not 123456
       |
    29 | port     = 123456
       |            ^^^^^^

    error: groups/first.toml:33:10: the group has no app `helo`
       |
    33 | app    = "helo"
       |          ^^^^^^
       |
       = help: did you mean `hello`?

    error: groups/first.toml:34:10: `report = "junit"` needs `report_file`
       |
    34 | report = "junit"
       |          ^^^^^^^
       |
       = help: write where the check leaves its report, as report_file = "/reports/junit.xml"

    error: groups/first.toml:36:1: the check says more than once what it runs in
       |
    36 | [[check]]
       | ^^^^^^^^^
       |
       = help: write `repository` (its newest image of a branch), `app` (that app's candidate) or `image` (a full reference)

    error: groups/first.toml:37:14: check or hook `greets` is already in line 32
       |
    37 | name       = "greets"
       |              ^^^^^^^^

    error: groups/first.toml:40:14: `1 hour` is not a duration: there is no unit ` hour`, the units are h, m, s and ms
       |
    40 | timeout    = "1 hour"
       |              ^^^^^^^^

    error: groups/lost.toml:3:15: there is no environment `v22`
      |
    3 | environment = "v22"
      |               ^^^^^
      |
      = help: did you mean `v2`?

    error: groups/second.toml:5:16: `requires` goes in a circle: first -> second -> first
      |
    5 | requires    = ["first"]
      |                ^^^^^^^
      |
      = help: leave out one of the requirements

    error: groups/second.toml:6:15: `proof` cannot be `github-check`
      |
    6 | proof       = "github-check"
      |               ^^^^^^^^^^^^^^
      |
      = help: did you mean `github-checks`?

    error: groups/second.toml:9:8: app `hello` is also in group `first` (groups/first.toml:14:12), and both run in the environment `v2`
      |
    9 | name = "hello"
      |        ^^^^^^^
      |
      = help: an app belongs to one group of an environment; rename it, or give one group another environment
    "#);
}

#[test]
fn only_the_files_asked_for_are_told_of() {
    let folder = Path::new("tests/it/fixtures/groups/wrong");
    let paths: [PathBuf; 1] = [folder.join("environments/../groups/lost.toml")];
    let validation = catalog("wrong").validate(&paths);
    assert_snapshot!(told(&validation.problems, "wrong"), @r#"
    error: groups/lost.toml:3:15: there is no environment `v22`
      |
    3 | environment = "v22"
      |               ^^^^^
      |
      = help: did you mean `v2`?
    "#);
}

#[test]
fn a_group_by_a_wrong_name() {
    let problems = catalog("valid")
        .group("shops", &Overrides::default())
        .unwrap_err();
    assert_snapshot!(told(&problems, "valid"), @"
    error: groups: there is no group `shops`
     |
     = help: did you mean `shop`? (there are base, play, shop)
    ");
}

#[test]
fn the_groups_of_this_repository_are_valid() {
    let validation = Catalog::load(Path::new(".")).validate_all();
    assert!(validation.problems.is_empty(), "{}", validation.problems);
    let names: Vec<_> = validation
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert!(names.contains(&"master"), "{names:?}");
}
