//! Group and environment files.

use std::collections::BTreeMap;

use promoter::group::Template;
use promoter::group::problem::Problems;
use promoter::group::spec::{EnvironmentSpec, GroupSpec};
use promoter::group::validate::{self, Manifests, Overrides, ValidEnvironment};
use proptest::prelude::*;

use super::{broken, cases};
use crate::schema::against;

const ENVIRONMENT: &str = r#"[environment]
name = "v2"
namespace = "v2"
cluster = { context = "here" }
cluster_domain = "cluster.local"
untested = "allowed"
[registry]
account = "123456789012"
region = "eu-west-1"
[github]
api = "https://git.example.org/api/v3"
owner = "acme"
required = ["build"]
sources = { "team/hello-a" = "acme/hello" }
[defaults]
branch = "master"
tag = "{slug}-{build}-{sha}"
replicas = 2
keep_old = "30s"
timeout = "5m"
schedule = "0 2 * * *"
timezone = "Europe/Berlin"
[values]
host = "example.org"
list = [1, 2.5, { deep = true }]
"#;

const GROUP: &str = r#"[group]
name = "master"
environment = "v2"
branch = "feature/new-greeting"
schedule = "*/5 8-18 * * MON-FRI"
timezone = "America/New_York"
requires = []
proof = "pushed"
newest = "build"

[strategy]
kind = "blue-green"
keep_old = "1h30m"
deploy_timeout = "5m"

[[app]]
name = "hello-a"
repository = "team/hello-a"
manifest = "a.yaml"
port = 8080
replicas = 2
needs = ["hello-b"]
values = { color = "blue", limit = 0x10 }

[[app]]
name = "hello-b"
branch = "master"
tag = "v{build}-{slug}"
env = { TOKEN = "secret", URL = 'http://a' }
resources = { requests = { cpu = "250m", memory = "128Mi" }, limits = { cpu = 1 } }

[[check]]
name = "greets"
repository = "hello-tests"
command = ["npm", "test"]
timeout = "5m"
start_timeout = "2m"
report = "tap"
[check.env]
WHO = "world"

[[check]]
name = "same"
app = "hello-a"

[[check]]
name = "fixed"
image = "busybox:1"
"#;

/// Words of group and environment files, right and wrong.
const WORDS: &[&str] = &[
    "[group]",
    "[[app]]",
    "[[check]]",
    "[strategy]",
    "[app.env]",
    "[environment]",
    "[defaults]",
    "[values]",
    "[registry]",
    "[github]",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    " = ",
    ".",
    ",",
    "\n",
    "\r\n",
    "\t",
    "#",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "\\u0041",
    "\\U0010FFFF",
    "\u{feff}",
    "name",
    "environment",
    "branch",
    "tag",
    "manifest",
    "port",
    "replicas",
    "needs",
    "requires",
    "env",
    "values",
    "resources",
    "repository",
    "app",
    "check",
    "image",
    "command",
    "timeout",
    "report",
    "keep_old",
    "schedule",
    "timezone",
    "proof",
    "newest",
    "api",
    "owner",
    "required",
    "sources",
    "\"github-checks\"",
    "\"moving-tag\"",
    "\"https://me@a/\"",
    "kind",
    "cluster",
    "in-cluster",
    "\"hello-a\"",
    "\"hello-b\"",
    "\"hello-a-green\"",
    "\"hello-c\"",
    "\"master\"",
    "\"\"",
    "\"gone.yaml\"",
    "\"b.yaml\"",
    "\"../..\"",
    "\"refs/heads/a\"",
    "\"0 0 30 2 *\"",
    "\"* * * * *\"",
    "\"@daily\"",
    "\"0 2 * * 8\"",
    "\"L W * * #3\"",
    "\"Mars/Olympus\"",
    "\"10s\"",
    "\"99999999999999999h\"",
    "\"1.5h\"",
    "\"{slug}\"",
    "\"{build}{slug}\"",
    "true",
    "false",
    "0",
    "-1",
    "65536",
    "1e400",
    "-inf",
    "nan",
    "0xffffffffffffffff",
    "1_0",
    "99999999999999999999999999",
    "1979-05-27T07:32:00Z",
    "25:61",
    "[[[[[[",
    "{a={a={a=",
    "a.a.a.a.a.a = ",
    "\"\u{1b}[31m\"",
    "\"é日本\"",
    "\u{202e}",
    "\0",
];

fn manifests() -> Manifests {
    let template = |text: &str| {
        Ok(Template {
            path: "groups/a.yaml".to_owned(),
            text: text.to_owned(),
        })
    };
    BTreeMap::from([
        ("a.yaml".to_owned(), template("image: {{ image }}")),
        ("b.yaml".to_owned(), template("{# image #} {{ im")),
        (
            "gone.yaml".to_owned(),
            Err("the manifest groups/gone.yaml is not there".to_owned()),
        ),
    ])
}

/// What an environment file makes, with the problems of its form and of its words.
type Read = (
    Option<EnvironmentSpec>,
    Option<ValidEnvironment>,
    [Problems; 2],
);

fn environment(text: &str) -> Read {
    let (spec, form) = EnvironmentSpec::read("environments/v2.toml", text);
    let (valid, words) = spec.as_ref().map(validate::environment).unwrap_or_default();
    (spec, valid, [form, words])
}

/// Every problem is about a place that is in the file, and can be shown.
fn placed(problems: &Problems) -> Result<(), TestCaseError> {
    for problem in problems.iter() {
        let text = problem.source.text();
        let span = problem.span.clone().unwrap_or_default();
        prop_assert!(
            span.start <= span.end && span.end <= text.len(),
            "{:?}",
            problem
        );
        let (line, column) = problem.source.position(span.start);
        let written = text.split('\n').nth(line - 1);
        let columns = written.map(|written| written.chars().count());
        prop_assert!(
            columns.is_some_and(|most| (1..=most + 1).contains(&column)),
            "{}",
            problem
        );
        prop_assert!(
            !problem.to_string().contains(char::is_control),
            "{:?}",
            problem
        );
    }
    prop_assert!(problems.is_empty() || !problems.to_string().is_empty());
    drop(problems.render(true, 40));
    Ok(())
}

/// Something is made of the words where they are right, and where nothing is
/// made it is said why.
fn agrees<T>(made: Option<&T>, form: &Problems, words: &Problems) -> Result<(), TestCaseError> {
    prop_assert!(made.is_none() || !words.has_errors(), "{}", words);
    prop_assert!(made.is_some() || form.has_errors() || words.has_errors());
    Ok(())
}

/// An editor has nothing against what is valid.
fn taken(schema: &serde_json::Value, text: &str) -> Result<(), TestCaseError> {
    let faults = against(schema, text);
    prop_assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), text);
    Ok(())
}

fn read_all(group: &str, environment_text: &str) -> Result<(), TestCaseError> {
    let (environment_spec, valid, [form, words]) = environment(environment_text);
    placed(&form)?;
    placed(&words)?;
    prop_assert!(environment_spec.is_some() || form.has_errors());
    agrees(valid.as_ref(), &form, &words)?;
    if valid.is_some() && !form.has_errors() {
        taken(&EnvironmentSpec::schema(), environment_text)?;
    }
    let (spec, form) = GroupSpec::read("groups/master.toml", group);
    placed(&form)?;
    prop_assert!(spec.is_some() || form.has_errors());
    let usual = environment(ENVIRONMENT).1;
    if let Some(spec) = &spec {
        let overrides = Overrides {
            branch: None,
            app_branches: BTreeMap::from([("hello-b".to_owned(), "feature/a".to_owned())]),
        };
        for overrides in [Overrides::default(), overrides] {
            let (made, found) = validate::group(
                spec,
                valid.as_ref().or(usual.as_ref()),
                &manifests(),
                &overrides,
            );
            placed(&found)?;
            agrees(made.as_ref(), &form, &found)?;
            if made.is_some() && !form.has_errors() {
                taken(&GroupSpec::schema(), group)?;
            }
        }
    }
    let other = GroupSpec::read("groups/other.toml", GROUP).0;
    let groups = BTreeMap::from([("master".to_owned(), spec), ("other".to_owned(), other)]);
    let environments = BTreeMap::from([("v2".to_owned(), environment_spec)]);
    placed(&validate::across(&groups, &environments))
}

#[test]
fn the_whole_files_are_valid() {
    let (_, valid, [form, _]) = environment(ENVIRONMENT);
    assert!(form.is_empty(), "{form}");
    let (spec, form) = GroupSpec::read("groups/master.toml", GROUP);
    assert!(form.is_empty(), "{form}");
    let spec = spec.unwrap();
    let (group, problems) =
        validate::group(&spec, valid.as_ref(), &manifests(), &Overrides::default());
    assert!(group.is_some(), "{problems}");
}

#[test]
fn editors_take_the_whole_files() {
    assert_eq!(against(&GroupSpec::schema(), GROUP), [""; 0]);
    assert_eq!(against(&EnvironmentSpec::schema(), ENVIRONMENT), [""; 0]);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_group_file_breaks_anything(
        group in broken(Just(GROUP.to_owned()), WORDS),
        environment in broken(Just(ENVIRONMENT.to_owned()), WORDS),
    ) {
        read_all(&group, &environment)?;
    }
}
