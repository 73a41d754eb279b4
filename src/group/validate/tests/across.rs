//! What groups and environments are to each other.

use super::*;

fn across_lines(groups: &[(&str, &str)], environments: &[&str]) -> String {
    let groups = groups.iter().map(|(name, text)| {
        let text = format!("[group]\nname = \"{name}\"\n{text}");
        (
            (*name).to_owned(),
            GroupSpec::read(&format!("groups/{name}.toml"), &text).0,
        )
    });
    let environments = environments.iter().map(|name| {
        let text = format!(
            "[environment]\nname = \"{name}\"\nnamespace = \"{}\"\ncluster = {{ context = \"x\" }}",
            name.trim_end_matches('2')
        );
        (
            (*name).to_owned(),
            EnvironmentSpec::read(&format!("environments/{name}.toml"), &text).0,
        )
    });
    joined(&across(&groups.collect(), &environments.collect()))
}

#[test]
fn two_groups_claim_one_app_of_an_environment() {
    let app = |environment: &str, app: &str| {
        format!("environment = \"{environment}\"\n[[app]]\nname = \"{app}\"\n")
    };
    let [a, b, other] = [app("v", "hello"), app("v", "hello"), app("w", "hello")];
    assert_snapshot!(across_lines(&[("a", &a), ("b", &b), ("other", &other)], &["v", "w"]), @"
    groups/a.toml:5:8: app `hello` is also in group `b` (groups/b.toml:5:8), and both run in the environment `v`
    groups/b.toml:5:8: app `hello` is also in group `a` (groups/a.toml:5:8), and both run in the environment `v`
    ");
    let [a, b] = [app("v", "hello"), app("v", "hello-blue")];
    assert_snapshot!(across_lines(&[("a", &a), ("b", &b)], &["v"]), @"
    groups/a.toml:5:8: a Deployment of app `hello` and one of app `hello-blue` in group `b` get the same name
    groups/b.toml:5:8: a Deployment of app `hello-blue` and one of app `hello` in group `a` get the same name
    ");
}

#[test]
fn groups_and_environments_that_are_not_there() {
    let groups = [
        ("a", "environment = \"v22\"\n"),
        ("b", "environment = \"production\"\n"),
        (
            "c",
            "environment = \"v\"\nrequires = [\"d\", \"f\", \"cc\"]\n",
        ),
        ("f", "environment = \"w\"\n"),
    ];
    assert_snapshot!(across_lines(&groups, &["v", "w"]), @"
    groups/a.toml:3:15: there is no environment `v22`
    groups/b.toml:3:15: there is no environment `production`
    groups/c.toml:4:13: `requires` names `d`, which is no group
    groups/c.toml:4:18: `requires` names `f`, which runs in the environment `w` and not in `v`
    groups/c.toml:4:23: `requires` names `cc`, which is no group
    ");
}

#[test]
fn circles_of_requirements() {
    let groups = [
        ("a", "environment = \"v\"\nrequires = [\"b\"]\n"),
        ("b", "environment = \"v\"\nrequires = [\"c\"]\n"),
        ("c", "environment = \"v\"\nrequires = [\"b\"]\n"),
    ];
    assert_snapshot!(across_lines(&groups, &["v"]), @"
    groups/b.toml:4:13: `requires` goes in a circle: b -> c -> b
    groups/c.toml:4:13: `requires` goes in a circle: b -> c -> b
    ");
}

#[test]
fn environments_that_share_a_namespace() {
    assert_snapshot!(across_lines(&[], &["v", "v2", "w"]), @"
    environments/v.toml:3:13: the environment `v2` has the same cluster and namespace
    environments/v2.toml:3:13: the environment `v` has the same cluster and namespace
    ");
}
