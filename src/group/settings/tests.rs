//! No setting is missing, each has the value that holds, and the line that is
//! named says it.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::group::spec::{EnvironmentSpec, GroupSpec};
use crate::group::validate::{self, Manifests, Overrides};

/// Lines that may be left out, each with a value that no other line has.
const ENVIRONMENT: &[&str] = &[
    "branch = \"of-environment\"",
    "tag = \"e-{slug}-{build}\"",
    "replicas = 21",
    "proof = \"pushed\"",
    "newest = \"build\"",
    "schedule = \"1 1 * * *\"",
    "timezone = \"Europe/Berlin\"",
    "jitter = \"26s\"",
    "on_push = true",
    "quiet_period = \"27s\"",
    "keep_old = \"22s\"",
    "deploy_timeout = \"23s\"",
    "endpoint_delay = \"24s\"",
    "isolation = \"network-policy\"",
    "timeout = \"25s\"",
];
const GROUP: &[&str] = &[
    "branch = \"of-group\"",
    "tag = \"g-{slug}-{build}\"",
    "schedule = \"2 2 * * *\"",
    "timezone = \"Europe/Paris\"",
    "jitter = \"36s\"",
    "on_push = false",
    "quiet_period = \"37s\"",
    "requires = [\"base\"]",
    "proof = \"pushed\"",
    "newest = \"moving-tag\"",
];
const STRATEGY: &[&str] = &[
    "kind = \"blue-green\"",
    "keep_old = \"32s\"",
    "deploy_timeout = \"33s\"",
    "endpoint_delay = \"34s\"",
    "isolation = \"pinning\"",
    "on_regression = \"report\"",
    "parallel_checks = 35",
];
const APP: &[&str] = &[
    "repository = \"team/web\"",
    "branch = \"of-app\"",
    "tag = \"a-{slug}-{build}\"",
    "port = 8080",
    "replicas = 41",
    "start = \"beside\"",
    "env = { TOKEN = \"hunter2\" }",
    "resources = { limits = { cpu = \"42m\" } }",
    "values = { password = \"hunter2\" }",
];
const CHECK: &[&str] = &[
    "branch = \"of-check\"",
    "tag = \"c-{slug}-{build}\"",
    "command = [\"npm\", \"test\"]",
    "env = { KEY = \"hunter2\" }",
    "timeout = \"51s\"",
    "start_timeout = \"52s\"",
    "report = \"tap\"",
];

/// The texts of a group's file and its environment's.
fn texts(parts: &[Vec<&str>; 5]) -> (String, String) {
    let [environment, group, strategy, app, check] = parts.each_ref().map(|lines| lines.join("\n"));
    let group = format!(
        "[group]\nname = \"g\"\nenvironment = \"v2\"\n{group}\n[strategy]\n{strategy}\n[[app]]\n\
         name = \"web\"\n{app}\n[[app]]\nname = \"db\"\nbranch = \"of-db\"\nneeds = [\"web\"]\n\
         [[check]]\nname = \"buys\"\nrepository = \"tests\"\nbranch = \"of-buys\"\n\
         [[hook]]\nname = \"migrates\"\nwhen = \"before-switch\"\napp = \"db\"\n\
         [[check]]\nname = \"greets\"\nrepository = \"greetings\"\n{check}\n"
    );
    let environment = format!(
        "[environment]\nname = \"v2\"\nnamespace = \"shop\"\ncluster = {{ eks = \"prod\" }}\nbudget_guard = \"spent\"\n\
         [values]\nsecret = \"hunter2\"\n[registry]\nregion = \"eu-west-1\"\n\
         [github]\nowner = \"acme\"\nsources = {{ \"team/web\" = \"acme/shop\" }}\n\
         [cloudwatch]\nbilling_alarms = [\"spent\", \"half\"]\nmetrics = true\nregion = \"eu-west-1\"\n\
         [defaults]\n{environment}\n"
    );
    (group, environment)
}

/// All settings, or none where the files are not valid.
fn settings(group_text: &str, text: &str, overrides: &Overrides) -> Option<Vec<Setting>> {
    let spec = EnvironmentSpec::read("environments/v2.toml", text).0?;
    let valid = validate::environment(&spec).0?;
    let group_spec = GroupSpec::read("groups/g.toml", group_text).0?;
    let made = validate::group(&group_spec, Some(&valid), &Manifests::new(), overrides).0?;
    let of_group = group(&group_spec, &spec, overrides, &made);
    let of_environment = environment(&spec, &valid.environment);
    Some([of_group, of_environment].concat())
}

fn whole() -> [Vec<&'static str>; 5] {
    [ENVIRONMENT, GROUP, STRATEGY, APP, CHECK].map(<[_]>::to_vec)
}

/// The names of all keys of a schema, with a star in place of the names of apps
/// and checks.
fn keys(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    let tables = schema.get("items");
    let (table, path) = match tables.filter(|table| table.get("properties").is_some()) {
        Some(table) => (table, format!("{path}.*")),
        None => (schema, path.to_owned()),
    };
    let properties = table.get("properties").and_then(Value::as_object);
    if properties.is_none() {
        found.insert(path.clone());
    }
    for (name, schema) in properties.into_iter().flatten() {
        keys(
            schema,
            format!("{path}.{name}").trim_start_matches('.'),
            found,
        );
    }
}

#[test]
fn no_setting_is_missing() {
    let (group, environment) = texts(&whole());
    let settings = settings(&group, &environment, &Overrides::default()).unwrap();
    let told = settings.iter().map(|setting| {
        let parts: Vec<_> = setting.name.split('.').collect();
        match parts.as_slice() {
            [list @ ("app" | "check" | "hook"), _, key] => format!("{list}.*.{key}"),
            _ => setting.name.clone(),
        }
    });
    let told: BTreeSet<_> = told.collect();
    let mut expected = BTreeSet::new();
    keys(&GroupSpec::schema(), "", &mut expected);
    keys(&EnvironmentSpec::schema(), "", &mut expected);
    // Defaults are shown where they hold.
    let (defaults, expected): (BTreeSet<_>, BTreeSet<_>) = expected
        .into_iter()
        .partition(|name| name.starts_with("defaults."));
    assert_eq!(told, expected);
    for name in defaults {
        let end = name.trim_start_matches("defaults");
        assert!(told.iter().any(|told| told.ends_with(end)), "{name}");
    }
}

fn shown(settings: &[Setting]) -> String {
    let lines = settings.iter().map(|Setting { name, value, from }| {
        let value = match value {
            Shown::Nothing => "-".to_owned(),
            Shown::Is(value) => value.to_string(),
            Shown::Hidden(names) => format!("{names:?} hidden"),
        };
        format!("{name} = {value}  {from}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
#[expect(clippy::too_many_lines, reason = "all of the text is the point")]
fn each_says_where_it_is_from() {
    let (group, environment) = texts(&[
        vec!["replicas = 21", "timeout = \"25s\"", "keep_old = \"22s\""],
        vec!["branch = \"of-group\""],
        vec!["keep_old = \"32s\""],
        vec!["env = { TOKEN = \"hunter2\" }"],
        vec!["command = [\"npm\", \"test\"]"],
    ]);
    let overrides = Overrides {
        branch: None,
        app_branches: [("web".to_owned(), "typed".to_owned())].into(),
    };
    let all = shown(&settings(&group, &environment, &overrides).unwrap());
    assert!(!all.contains("hunter2"), "{all}");
    assert_snapshot!(all, @r#"
    group.name = "g"  groups/g.toml:2
    group.environment = "v2"  groups/g.toml:3
    group.branch = "of-group"  groups/g.toml:4
    group.tag = "{slug}-{build}-{sha}"  built-in
    group.schedule = -  not set
    group.timezone = "UTC"  built-in
    group.jitter = "0s"  built-in
    group.on_push = false  built-in
    group.quiet_period = "1m"  built-in
    group.requires = []  built-in
    group.proof = "pushed"  built-in
    group.newest = "pushed"  built-in
    strategy.kind = "blue-green"  built-in
    strategy.keep_old = "32s"  groups/g.toml:6
    strategy.keep_failed = "0s"  built-in
    strategy.deploy_timeout = "5m"  built-in
    strategy.endpoint_delay = "2s"  built-in
    strategy.isolation = "pinning"  built-in
    strategy.on_regression = "switch-back"  built-in
    strategy.parallel_checks = 16  built-in
    app.web.name = "web"  groups/g.toml:8
    app.web.repository = "web"  built-in
    app.web.branch = "typed"  command line
    app.web.tag = "{slug}-{build}-{sha}"  built-in
    app.web.manifest = -  not set
    app.web.port = -  not set
    app.web.replicas = 21  environments/v2.toml:18
    app.web.start = "beside"  built-in
    app.web.env = ["TOKEN"] hidden  groups/g.toml:9
    app.web.resources = -  not set
    app.web.needs = []  built-in
    app.web.values = -  not set
    app.db.name = "db"  groups/g.toml:11
    app.db.repository = "db"  built-in
    app.db.branch = "of-db"  groups/g.toml:12
    app.db.tag = "{slug}-{build}-{sha}"  built-in
    app.db.manifest = -  not set
    app.db.port = -  not set
    app.db.replicas = 21  environments/v2.toml:18
    app.db.start = "beside"  built-in
    app.db.env = -  not set
    app.db.resources = -  not set
    app.db.needs = ["web"]  groups/g.toml:13
    app.db.values = -  not set
    check.buys.name = "buys"  groups/g.toml:15
    check.buys.repository = "tests"  groups/g.toml:16
    check.buys.app = -  not set
    check.buys.image = -  not set
    check.buys.branch = "of-buys"  groups/g.toml:17
    check.buys.tag = "{slug}-{build}-{sha}"  built-in
    check.buys.command = -  not set
    check.buys.env = -  not set
    check.buys.timeout = "25s"  environments/v2.toml:19
    check.buys.start_timeout = "2m"  built-in
    check.buys.report = "none"  built-in
    check.buys.report_file = -  not set
    check.greets.name = "greets"  groups/g.toml:23
    check.greets.repository = "greetings"  groups/g.toml:24
    check.greets.app = -  not set
    check.greets.image = -  not set
    check.greets.branch = "of-group"  groups/g.toml:4
    check.greets.tag = "{slug}-{build}-{sha}"  built-in
    check.greets.command = ["npm","test"]  groups/g.toml:25
    check.greets.env = -  not set
    check.greets.timeout = "25s"  environments/v2.toml:19
    check.greets.start_timeout = "2m"  built-in
    check.greets.report = "none"  built-in
    check.greets.report_file = -  not set
    hook.migrates.when = "before-switch"  groups/g.toml:20
    hook.migrates.name = "migrates"  groups/g.toml:19
    hook.migrates.repository = -  not set
    hook.migrates.app = "db"  groups/g.toml:21
    hook.migrates.image = -  not set
    hook.migrates.branch = -  not set
    hook.migrates.tag = -  not set
    hook.migrates.command = -  not set
    hook.migrates.env = -  not set
    hook.migrates.timeout = "25s"  environments/v2.toml:19
    hook.migrates.start_timeout = "2m"  built-in
    hook.migrates.report = "none"  built-in
    hook.migrates.report_file = -  not set
    environment.name = "v2"  environments/v2.toml:2
    environment.namespace = "shop"  environments/v2.toml:3
    environment.cluster.context = -  not set
    environment.cluster.eks = "prod"  environments/v2.toml:4
    environment.cluster.region = -  not set
    environment.cluster.role = -  not set
    environment.cluster.in-cluster = false  built-in
    environment.cluster_domain = "cluster.local"  built-in
    environment.untested = "refused"  built-in
    environment.budget_guard = "spent"  environments/v2.toml:5
    values = ["secret"] hidden  environments/v2.toml:6
    registry.account = -  not set
    registry.region = "eu-west-1"  environments/v2.toml:9
    github.api = "https://api.github.com"  built-in
    github.owner = "acme"  environments/v2.toml:11
    github.required = -  not set
    github.sources = {"team/web":"acme/shop"}  environments/v2.toml:12
    cloudwatch.billing_alarms = ["spent","half"]  environments/v2.toml:14
    cloudwatch.metrics = true  environments/v2.toml:15
    cloudwatch.region = "eu-west-1"  environments/v2.toml:16
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn the_line_that_is_named_says_the_value(
        parts in [ENVIRONMENT, GROUP, STRATEGY, APP, CHECK]
            .map(|lines| subsequence(lines, 0..=lines.len())),
        typed in any::<bool>(),
    ) {
        let (group, environment) = texts(&parts);
        let branch = Some("typed".to_owned()).filter(|_| typed);
        let overrides = Overrides { branch, ..Overrides::default() };
        let settings = settings(&group, &environment, &overrides);
        // Without any branch there is nothing to run.
        for setting in settings.iter().flatten() {
            let Setting { name, value, from } = setting;
            let key = name.rsplit('.').next().unwrap();
            match from {
                Origin::File { path, line } => {
                    let text = if path == "groups/g.toml" { &group } else { &environment };
                    let written = text.lines().nth(line - 1).unwrap();
                    let says = match value {
                        Shown::Is(value @ (Value::String(_) | Value::Number(_))) => value.to_string(),
                        Shown::Is(_) => String::new(),
                        Shown::Hidden(names) => names[0].clone(),
                        Shown::Nothing => panic!("{name} is nothing of {path}:{line}"),
                    };
                    let named = written.starts_with(key) || written.contains(&format!("{{ {key} ="));
                    let table = key == "values" && written == "[values]";
                    prop_assert!(table || (named && written.contains(&says)), "{:?}: {}", setting, written);
                }
                Origin::CommandLine => prop_assert_eq!(value, &Shown::from("typed")),
                Origin::BuiltIn | Origin::Unset => {
                    let line = format!("{key} =");
                    let alike = ["name", "repository"].contains(&key);
                    let of_parts = if name.starts_with("app.web.") { &parts[3] }
                        else if name.starts_with("check.greets.") { &parts[4] }
                        else if name.starts_with("strategy.") { &parts[2] }
                        else if name.starts_with("group.") { &parts[1] }
                        else { continue };
                    prop_assert!(
                        alike || !of_parts.iter().any(|written| written.starts_with(&line)),
                        "{:?}", setting
                    );
                }
                Origin::Variable(_) | Origin::Machine(_) => prop_assert!(false),
            }
        }
    }
}
