//! Groups and environments that are valid, and all the ways in which they are
//! not.

mod across;
mod job;
mod proof;

use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::group::spec::EnvironmentSpec;
use crate::group::{CheckImage, ClusterRef, Manifest, Newest};

const ENVIRONMENT: &str = r#"
[environment]
name = "v2"
namespace = "v2"
cluster = { context = "here" }
[defaults]
keep_old = "10s"
"#;

const GROUP: &str = r#"
[group]
name = "g"
environment = "v2"
branch = "master"
[[app]]
name = "aa"
manifest = "a.yaml"
[[check]]
name = "c"
repository = "tests"
"#;

fn valid_environment(text: &str) -> ValidEnvironment {
    let (spec, problems) = EnvironmentSpec::read("environments/v2.toml", text);
    assert!(problems.is_empty(), "{problems}");
    let (environment, problems) = environment(&spec.unwrap());
    environment.unwrap_or_else(|| panic!("{problems}"))
}

fn manifests() -> Manifests {
    let template = |path: &str, text: &str| {
        let template = Template {
            path: format!("groups/{path}"),
            text: text.to_owned(),
        };
        (path.to_owned(), Ok(template))
    };
    let fault = |path: &str, fault: &str| (path.to_owned(), Err(fault.to_owned()));
    Manifests::from([
        template("a.yaml", "image: {{ image }}"),
        template("b.json", "\"image\": {{- image|tojson -}}"),
        template(
            "no-image.yaml",
            "image: {{ values.image }} {# {{ image }} #} { image } {{ images }}",
        ),
        fault("gone.yaml", "the manifest groups/gone.yaml is not there"),
    ])
}

fn made(text: &str, environment: &str, overrides: &Overrides) -> (Option<Group>, Problems) {
    let environment = valid_environment(environment);
    let (spec, mut problems) = GroupSpec::read("groups/g.toml", text);
    let Some(spec) = spec else {
        return (None, problems);
    };
    let (made, found) = group(&spec, Some(&environment), &manifests(), overrides);
    problems.extend(found);
    (made, problems)
}

fn valid(text: &str) -> Group {
    let (group, problems) = made(text, ENVIRONMENT, &Overrides::default());
    group.unwrap_or_else(|| panic!("{problems}"))
}

/// The problems of a group, one a line.
fn lines(text: &str) -> String {
    let (group, problems) = made(text, ENVIRONMENT, &Overrides::default());
    assert_eq!(group.is_none(), problems.has_errors());
    joined(&problems)
}

fn joined(problems: &Problems) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The problems of [`GROUP`] with each of several texts in place of one.
#[track_caller]
fn table(from: &str, texts: &[&str]) -> String {
    assert!(GROUP.contains(from), "{from}");
    let row = |to: &&str| {
        let found = lines(&GROUP.replacen(from, to, 1)).replace("groups/", "");
        let found = if found.is_empty() { "valid" } else { &found };
        let to = if to.is_empty() {
            "(nothing)".to_owned()
        } else {
            to.replace('\n', "; ")
        };
        format!(
            "{}\n  {}",
            to.trim_end_matches(&format!("; {from}")),
            found.replace('\n', "\n  ")
        )
    };
    let rows: Vec<_> = texts.iter().map(row).collect();
    rows.join("\n")
}

/// [`table`] with lines put before what a line begins with.
#[track_caller]
fn before(line: &str, texts: &[&str]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| format!("{text}\n{line}")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    table(line, &texts)
}

#[test]
fn defaults_are_layered() {
    let group = valid(GROUP);
    assert_eq!(group.strategy.keep_old, Duration::from_secs(10));
    assert_eq!(group.strategy.deploy_timeout, Duration::from_mins(5));
    assert_eq!(group.newest, Newest::Pushed);
    assert_eq!(
        group.environment.cluster,
        ClusterRef::Context("here".to_owned())
    );
    assert_eq!(group.environment.cluster_domain, "cluster.local");
    assert_eq!(group.apps[0].image.repository.as_str(), "aa");
    assert_eq!(group.apps[0].image.branch.as_str(), "master");
    assert_eq!(group.apps[0].image.tag, TagPattern::default());
    assert_eq!(group.apps[0].replicas, None);
    assert_eq!(group.checks[0].timeout, Duration::from_mins(5));

    let environment = format!(
        "{ENVIRONMENT}replicas = 3\ntimeout = \"1m\"\ntag = \"{{slug}}-{{build}}\"\nnewest = \"build\"\nbranch = \"main\"\n"
    );
    let text = GROUP
        .replace("branch = \"master\"\n", "")
        .replace("manifest", "replicas = 2\nmanifest");
    let group = made(&text, &environment, &Overrides::default()).0.unwrap();
    assert_eq!(group.apps[0].image.branch.as_str(), "main");
    assert_eq!(group.apps[0].image.tag.as_str(), "{slug}-{build}");
    assert_eq!(group.apps[0].replicas, Some(2));
    assert_eq!(group.newest, Newest::Build);
    assert_eq!(group.checks[0].timeout, Duration::from_mins(1));
    let text = format!("{text}timeout = \"2m\"\n");
    let group = made(&text, &environment, &Overrides::default()).0.unwrap();
    assert_eq!(group.checks[0].timeout, Duration::from_mins(2));
}

#[test]
fn the_command_line_is_nearest() {
    let text = format!("{GROUP}[[app]]\nname = \"bb\"\nbranch = \"own\"\n");
    let branches = |overrides: &Overrides| {
        let group = made(&text, ENVIRONMENT, overrides).0.unwrap();
        let CheckImage::Branch(check) = &group.checks[0].image else {
            panic!("no branch")
        };
        let apps: Vec<_> = group
            .apps
            .iter()
            .map(|app| app.image.branch.as_str())
            .collect();
        format!("{} {}", apps.join(" "), check.branch)
    };
    let mut overrides = Overrides::default();
    assert_eq!(branches(&overrides), "master own master");
    overrides
        .app_branches
        .insert("aa".to_owned(), "feature/x".to_owned());
    assert_eq!(branches(&overrides), "feature/x own master");
    overrides.branch = Some("release".to_owned());
    assert_eq!(branches(&overrides), "feature/x release release");
}

#[test]
fn wrong_branches_on_the_command_line() {
    let overrides = Overrides {
        branch: Some("a b".to_owned()),
        app_branches: BTreeMap::from([("aaa".to_owned(), "x..y".to_owned())]),
    };
    let (group, problems) = made(GROUP, ENVIRONMENT, &overrides);
    assert!(group.is_none());
    assert_snapshot!(problems, @"
    error: command line: `a b` is not a branch git would take: it has a space or a control character

    error: command line: `x..y` is not a branch git would take: it has `..` or `@{`

    error: command line: the group has no app `aaa`
     |
     = help: did you mean `aa`?
    ");
}

#[test]
fn branches() {
    let two_hundred = "x".repeat(200);
    for branch in ["feature/a", "grüße/日本", &two_hundred] {
        let group = valid(&GROUP.replace("master", branch));
        assert_eq!(group.apps[0].image.branch.as_str(), branch);
    }
    assert_snapshot!(table(r#"branch = "master""#, &[r#"branch = "a b""#, ""]), @r#"
    branch = "a b"
      g.toml:5:10: `a b` is not a branch git would take: it has a space or a control character
    (nothing)
      g.toml:6:1: `branch` is missing, here and in [group]
      g.toml:9:1: `branch` is missing, here and in [group]
    "#);
}

#[test]
fn names() {
    assert_snapshot!(table(r#""g""#, &[r#""h""#, r#""G""#]), @r#"
    "h"
      g.toml:3:8: the name `h` is not that of the file
    "G"
      g.toml:3:8: `G` cannot be a group's name: `G` is not a lower-case letter, a digit or `-`
      g.toml:3:8: the name `G` is not that of the file
    "#);
    assert_snapshot!(table(r#""aa""#, &[r#""Aa""#, r#""a""#]), @r#"
    "Aa"
      g.toml:7:8: `Aa` cannot be an app's name: `A` is not a lower-case letter, a digit or `-`
    "a"
      g.toml:6:1: app `a` needs a `repository`, no repository can be called like it
    "#);
    let long = format!("\"{}\"", "c".repeat(41));
    assert_snapshot!(table(r#""c""#, &[&long]), @r#"
    "ccccccccccccccccccccccccccccccccccccccccc"
      g.toml:10:8: `ccccccccccccccccccccccccccccccccccccccccc` cannot be a check's name: it has 41 characters, at most 40 are possible
    "#);
    let other = |name: &str| format!("[[app]]\nname = \"{name}\"");
    let others = [other("aa"), other("aa-green"), other("bb-green")];
    assert_snapshot!(before("[[check]]", &[&others[0], &others[1], &others[2]]), @r#"
    [[app]]; name = "aa"
      g.toml:10:8: app `aa` is already in line 7
    [[app]]; name = "aa-green"
      g.toml:10:8: `aa-green` is what a Deployment of app `aa` is called
    [[app]]; name = "bb-green"
      valid
    "#);
    let checks = [
        r#"name = "c""#,
        "[[check]]",
        r#"name = "c""#,
        r#"app = "aa""#,
    ]
    .join("\n");
    assert_snapshot!(table(r#"name = "c""#, &[&checks]), @r#"
    name = "c"; [[check]]; name = "c"; app = "aa"
      g.toml:9:1: the check does not say what it runs in
      g.toml:11:1: the check says more than once what it runs in
      g.toml:12:8: check or hook `c` is already in line 10
    "#);
}

#[test]
fn settings() {
    let lines = [
        r#"schedule = "61 * * * *""#,
        r#"schedule = "0 2 * * *""#,
        r#"schedule = "0 0 2 * * *""#,
        r#"timezone = "Berlin""#,
        r#"jitter = "10""#,
        r#"quiet_period = "200h""#,
        r#"proof = "github-check""#,
        r#"newest = "bulid""#,
        r#"tag = "{slug}{build}""#,
        r#"requires = ["x", "x", "X"]"#,
    ];
    assert_snapshot!(before("branch", &lines), @r#"
    schedule = "61 * * * *"
      g.toml:5:12: `61 * * * *` is not a cron expression: number out of bounds
    schedule = "0 2 * * *"
      valid
    schedule = "0 0 2 * * *"
      g.toml:5:12: a schedule has five fields (minute hour day month weekday), `0 0 2 * * *` has 6
    timezone = "Berlin"
      g.toml:5:12: `Berlin` is not a time zone, write its IANA name (like Europe/Berlin or UTC)
    jitter = "10"
      g.toml:5:10: `10` is not a duration: `10` has no unit, write 10s or 10m
    quiet_period = "200h"
      g.toml:5:16: `200h` is longer than a week (168h)
    proof = "github-check"
      g.toml:5:9: `proof` cannot be `github-check`
    newest = "bulid"
      g.toml:5:10: `newest` cannot be `bulid`
    tag = "{slug}{build}"
      g.toml:5:7: nothing shows where {build} starts, put a `-` there
    requires = ["x", "x", "X"]
      g.toml:5:18: `x` is already in line 5
      g.toml:5:23: `X` cannot be a group's name: `X` is not a lower-case letter, a digit or `-`
    "#);
}

#[test]
fn strategies() {
    let lines = [
        r#"kind = "blue-green""#,
        r#"kind = "rolling""#,
        r#"kind = "bluegreen""#,
        r#"keep_old = "9s""#,
        r#"keep_old = "2d""#,
        r#"keep_old = "400h""#,
        r#"deploy_timeout = "0s""#,
        r#"deploy_timeout = "5""#,
    ];
    let lines = lines.map(|line| format!("[strategy]\n{line}"));
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    assert_snapshot!(before("[[app]]", &lines), @r#"
    [strategy]; kind = "blue-green"
      valid
    [strategy]; kind = "rolling"
      g.toml:7:8: the strategy `rolling` is not there yet
    [strategy]; kind = "bluegreen"
      g.toml:7:8: `kind` cannot be `bluegreen`
    [strategy]; keep_old = "9s"
      g.toml:7:12: `keep_old` must be at least 10s, the time old pods need to drain
    [strategy]; keep_old = "2d"
      g.toml:7:12: `2d` is not a duration: days are not always 24 hours long, write hours (48h)
    [strategy]; keep_old = "400h"
      g.toml:7:12: `400h` is longer than a week (168h)
    [strategy]; deploy_timeout = "0s"
      g.toml:7:18: a timeout must be at least 1s
    [strategy]; deploy_timeout = "5"
      g.toml:7:18: `5` is not a duration: `5` has no unit, write 5s or 5m
    "#);
}

#[test]
fn apps() {
    let lines = [
        "port = 0",
        "port = 65536",
        "replicas = 0",
        r#"start = "on-promote""#,
        "start = \"on-promote\"\nport = 80",
        r#"start = "later""#,
        r#"repository = "Team/a""#,
        r#"repository = "1.dkr.ecr.eu-west-1.amazonaws.com/a""#,
        "env = { A = '1' }\nresources = {}",
        r#"needs = ["bb", "bb"]"#,
        r#"needs = ["aaa"]"#,
        r#"needs = ["aa"]"#,
    ];
    assert_snapshot!(before("manifest", &lines), @r#"
    port = 0
      g.toml:8:8: `port` must be from 1 to 65535, not 0
    port = 65536
      g.toml:8:8: `port` must be from 1 to 65535, not 65536
    replicas = 0
      g.toml:8:12: `replicas` must be from 1 to 10000, not 0
    start = "on-promote"
      valid
    start = "on-promote"; port = 80
      g.toml:9:8: an app with `start = "on-promote"` takes no requests, so it has no `port`
    start = "later"
      g.toml:8:9: `start` cannot be `later`
    repository = "Team/a"
      g.toml:8:14: `Team/a` is not a repository's name: write lower-case letters and digits, with single `.` `_` `-` or `/` between them
    repository = "1.dkr.ecr.eu-west-1.amazonaws.com/a"
      g.toml:8:14: `1.dkr.ecr.eu-west-1.amazonaws.com/a` is not a repository's name: leave out the registry's host, the tag and the digest
    env = { A = '1' }; resources = {}
      g.toml:8:7: `env` is for apps without a manifest
      g.toml:9:13: `resources` is for apps without a manifest
    needs = ["bb", "bb"]
      g.toml:8:10: `needs` names `bb`, which is no app of the group
      g.toml:8:16: `bb` is already in line 8
      g.toml:8:16: `needs` names `bb`, which is no app of the group
    needs = ["aaa"]
      g.toml:8:10: `needs` names `aaa`, which is no app of the group
    needs = ["aa"]
      g.toml:8:10: `needs` goes in a circle: aa -> aa
    "#);
    assert_snapshot!(table("a.yaml", &["gone.yaml", "other.yaml", "no-image.yaml", "b.json"]), @"
    gone.yaml
      g.toml:8:12: the manifest gone.yaml is not there
    other.yaml
      g.toml:8:12: the manifest was not loaded
    no-image.yaml
      g.toml:8:12: manifest without the image placeholder: no-image.yaml
    b.json
      valid
    ");
}

#[test]
fn an_app_without_a_manifest() {
    let inline = r#"
port = 80
env = { A = "1" }
resources = { limits = { cpu = 1, memory = "64Mi" } }
"#;
    let manifest = r#"manifest = "a.yaml""#;
    let group = valid(&GROUP.replace(manifest, inline));
    let Manifest::Inline(inline) = &group.apps[0].manifest else {
        panic!("no inline")
    };
    assert_eq!(inline.env["A"], "1");
    assert_eq!(inline.resources.as_ref().unwrap()["limits"]["cpu"], 1);
    let worker = valid(&GROUP.replace(manifest, ""));
    assert_eq!(worker.apps[0].port, None);
    let lines = [
        "env = { 1A = '', 'B C' = '' }",
        "resources = { limit = {}, requests = 3 }",
    ];
    assert_snapshot!(table(manifest, &lines), @r#"
    env = { 1A = '', 'B C' = '' }
      g.toml:8:9: `1A` cannot be the name of an environment variable
      g.toml:8:18: `B C` cannot be the name of an environment variable
    resources = { limit = {}, requests = 3 }
      g.toml:8:15: `resources` has no key `limit`
      g.toml:8:27: `resources.requests` must be a table, like { cpu = "250m", memory = "128Mi" }
    "#);
}

#[test]
fn circles_of_needs() {
    let text = GROUP.replace("manifest", "needs = ['bb']\nmanifest");
    let more = "[[app]]\nname = 'bb'\nneeds = ['cc']\n[[app]]\nname = 'cc'\nneeds = ['aa']\n";
    assert_snapshot!(lines(&format!("{text}{more}")), @"groups/g.toml:18:10: `needs` goes in a circle: aa -> bb -> cc -> aa");
}

#[test]
fn nothing_to_promote_and_nothing_to_test_it_with() {
    let text = "[group]\nname = \"g\"\nenvironment = \"v2\"\n";
    assert_snapshot!(made(text, ENVIRONMENT, &Overrides::default()).1, @r#"
    error: groups/g.toml:1:1: the group has no app
      |
    1 | [group]
      | ^^^^^^^
      |
      = help: add an [[app]] table

    error: groups/g.toml:1:1: the group has no check, so nothing would be tested
      |
    1 | [group]
      | ^^^^^^^
      |
      = help: add a [[check]] table, or write untested = "allowed" into the environment `v2`
    "#);
    let text = GROUP.split("[[check]]").next().unwrap();
    let environment = ENVIRONMENT.replace("[defaults]", "untested = \"allowed\"\n[defaults]");
    let (group, problems) = made(text, &environment, &Overrides::default());
    assert!(group.is_some());
    assert_snapshot!(problems, @"
    warning: groups/g.toml:2:1: the group has no check, and the environment `v2` allows it: nothing is tested
      |
    2 | [group]
      | ^^^^^^^
    ");
}

#[test]
fn all_problems_of_a_file_are_shown_at_once() {
    let text = r#"
[group]
name = "master"
environment = "v2"
colour = "blue"
schedule = "@daily"
[strategy]
keep_old = "1s"
[[app]]
name = "Hello"
manifest = "gone.yaml"
port = "8080"
needs = ["word"]
[[app]]
name = "world"
[[check]]
name = "greets"
app = "wrold"
report = "junit"
"#;
    assert_snapshot!(made(text, ENVIRONMENT, &Overrides::default()).1, @r#"
    error: groups/g.toml:3:8: the name `master` is not that of the file
      |
    3 | name = "master"
      |        ^^^^^^^^
      |
      = help: write name = "g", or call the file master.toml

    error: groups/g.toml:5:1: [group] has no key `colour`
      |
    5 | colour = "blue"
      | ^^^^^^
      |
      = help: there are name, environment, branch, tag, schedule, timezone, jitter, on_push, quiet_period, requires, proof, newest

    error: groups/g.toml:6:12: `@daily` is a nickname, write the five fields (minute hour day month weekday)
      |
    6 | schedule = "@daily"
      |            ^^^^^^^^

    error: groups/g.toml:8:12: `keep_old` must be at least 10s, the time old pods need to drain
      |
    8 | keep_old = "1s"
      |            ^^^^

    error: groups/g.toml:9:1: `branch` is missing, here and in [group]
      |
    9 | [[app]]
      | ^^^^^^^
      |
      = help: write branch = "<the branch to run>"

    error: groups/g.toml:10:8: `Hello` cannot be an app's name: `H` is not a lower-case letter, a digit or `-`
       |
    10 | name = "Hello"
       |        ^^^^^^^

    error: groups/g.toml:11:12: the manifest groups/gone.yaml is not there
       |
    11 | manifest = "gone.yaml"
       |            ^^^^^^^^^^^

    error: groups/g.toml:12:8: `port` must be a whole number, not text
       |
    12 | port = "8080"
       |        ^^^^^^

    error: groups/g.toml:13:10: `needs` names `word`, which is no app of the group
       |
    13 | needs = ["word"]
       |          ^^^^^^
       |
       = help: did you mean `world`?

    error: groups/g.toml:14:1: `branch` is missing, here and in [group]
       |
    14 | [[app]]
       | ^^^^^^^
       |
       = help: write branch = "<the branch to run>"

    error: groups/g.toml:18:7: the group has no app `wrold`
       |
    18 | app = "wrold"
       |       ^^^^^^^
       |
       = help: did you mean `world`?

    error: groups/g.toml:19:10: `report = "junit"` needs `report_file`
       |
    19 | report = "junit"
       |          ^^^^^^^
       |
       = help: write where the check leaves its report, as report_file = "/reports/junit.xml"
    "#);
}

#[test]
fn environments() {
    let text = r#"
[environment]
name = "v3"
namespace = "V2"
cluster = { context = "here", in-cluster = true }
cluster_domain = "cluster..local"
untested = "yes"
[defaults]
branch = "a b"
tag = "{slug}"
replicas = 0
proof = "github"
newest = "latest"
schedule = "0 2 * *"
timezone = "Mars"
keep_old = "1s"
deploy_timeout = "never"
timeout = "0s"
[registry]
account = "1234"
region = "frankfurt"
"#;
    let (spec, problems) = EnvironmentSpec::read("environments/v2.toml", text);
    assert!(problems.is_empty());
    let (environment, problems) = environment(&spec.unwrap());
    assert!(environment.is_none());
    assert_snapshot!(joined(&problems), @"
    environments/v2.toml:3:8: the name `v3` is not that of the file
    environments/v2.toml:4:13: `V2` cannot be a namespace: `V` is not a lower-case letter, a digit or `-`
    environments/v2.toml:5:11: `cluster` has both `context` and `in-cluster`
    environments/v2.toml:6:18: `cluster..local` is not a DNS domain, write one like cluster.local
    environments/v2.toml:7:12: `untested` cannot be `yes`
    environments/v2.toml:9:10: `a b` is not a branch git would take: it has a space or a control character
    environments/v2.toml:10:7: a tag pattern needs {build}, like {slug}-{build}-{sha}
    environments/v2.toml:11:12: `replicas` must be from 1 to 10000, not 0
    environments/v2.toml:12:9: `proof` cannot be `github`
    environments/v2.toml:13:10: `newest` cannot be `latest`
    environments/v2.toml:14:12: a schedule has five fields (minute hour day month weekday), `0 2 * *` has 4
    environments/v2.toml:15:12: `Mars` is not a time zone, write its IANA name (like Europe/Berlin or UTC)
    environments/v2.toml:16:12: `keep_old` must be at least 10s, the time old pods need to drain
    environments/v2.toml:17:18: `never` is not a duration: a number is missing before `never`
    environments/v2.toml:18:11: a timeout must be at least 1s
    environments/v2.toml:20:11: `1234` is not an AWS account, it has twelve digits
    environments/v2.toml:21:10: `frankfurt` is not an AWS region, write one like eu-central-1
    ");
}

#[test]
fn the_placeholder_is_found_quickly() {
    let template = "{{ {% {# ".repeat(100_000);
    let manifests = Manifests::from([(
        "a.yaml".to_owned(),
        Ok(Template {
            path: "a.yaml".to_owned(),
            text: template,
        }),
    )]);
    let spec = GroupSpec::read("groups/g.toml", GROUP).0.unwrap();
    let (_, problems) = group(
        &spec,
        Some(&valid_environment(ENVIRONMENT)),
        &manifests,
        &Overrides::default(),
    );
    assert!(
        problems
            .to_string()
            .contains("without the image placeholder")
    );
}

proptest! {
    #[test]
    fn no_value_panics(key in "[a-z_]{1,14}|branch|tag|schedule|timezone|requires|needs", value in ".{0,60}") {
        let value = serde_json::to_string(&value).unwrap();
        for place in ["branch", "manifest", "repository", "[[app]]"] {
            for value in [value.clone(), format!("[{value}]")] {
                let text = GROUP.replace(place, &format!("{key} = {value}\n{place}"));
                drop(made(&text, ENVIRONMENT, &Overrides::default()).1.to_string());
            }
        }
    }
}
