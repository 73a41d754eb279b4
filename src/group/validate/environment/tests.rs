//! How a cluster is named, and what an environment has to do with CloudWatch.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::{ValidEnvironment, environment};
use crate::group::cloudwatch::{AlarmRef, BudgetGuard, CloudWatchRef};
use crate::group::problem::Problems;
use crate::group::spec::EnvironmentSpec;
use crate::group::validate::across;
use crate::group::{ClusterRef, EksRef};

fn text(name: &str, cluster: &str) -> String {
    format!("[environment]\nname = \"{name}\"\nnamespace = \"v\"\ncluster = {cluster}\n")
}

fn spec(name: &str, cluster: &str) -> (Option<EnvironmentSpec>, Problems) {
    EnvironmentSpec::read(&format!("environments/{name}.toml"), &text(name, cluster))
}

fn cluster(written: &str) -> Option<ClusterRef> {
    let (valid, _) = environment(&spec("v", written).0?);
    Some(valid?.environment.cluster)
}

/// Problems, each on a line.
fn problems(written: &[&str]) -> String {
    let of = |written: &&str| {
        let (spec, mut problems) = spec("v", written);
        problems.extend(environment(&spec.unwrap()).1);
        problems.to_string()
    };
    written.iter().map(of).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn a_cluster_of_eks() {
    let eks = |region: Option<&str>, role: Option<&str>| {
        Some(ClusterRef::Eks(EksRef {
            name: "prod".to_owned(),
            region: region.map(str::to_owned),
            role: role.map(str::to_owned),
        }))
    };
    let role = "arn:aws:iam::123456789012:role/deployer";
    let whole = format!("{{ eks = \"prod\", region = \"eu-west-1\", role = \"{role}\" }}");
    assert_eq!(cluster("{ eks = \"prod\" }"), eks(None, None));
    assert_eq!(cluster(&whole), eks(Some("eu-west-1"), Some(role)));
}

#[test]
fn wrong_clusters() {
    assert_snapshot!(problems(&[
        r#"{ eks = "a b", region = "frankfurt", role = "deployer" }"#,
        r#"{ eks = "a", regoin = "eu-west-1" }"#,
        r#"{ eks = "a", context = "b" }"#,
        r#"{ eks = "a", in-cluster = true }"#,
        r#"{ in-cluster = true, role = "deployer" }"#,
        r#"{ region = "eu-west-1" }"#,
    ]), @r#"
    error: environments/v.toml:4:19: `a b` cannot be an EKS cluster: write its name, of letters, digits, `-` and `_`
      |
    4 | cluster = { eks = "a b", region = "frankfurt", role = "deployer" }
      |                   ^^^^^

    error: environments/v.toml:4:35: `frankfurt` is not an AWS region, write one like eu-central-1
      |
    4 | cluster = { eks = "a b", region = "frankfurt", role = "deployer" }
      |                                   ^^^^^^^^^^^

    error: environments/v.toml:4:55: `deployer` is not an IAM role, write one like arn:aws:iam::123456789012:role/deployer
      |
    4 | cluster = { eks = "a b", region = "frankfurt", role = "deployer" }
      |                                                       ^^^^^^^^^^

    error: environments/v.toml:4:24: cluster has no key `regoin`
      |
    4 | cluster = { eks = "a", regoin = "eu-west-1" }
      |                        ^^^^^^
      |
      = help: did you mean `region`?

    error: environments/v.toml:4:11: `cluster` has both `context` and `eks`
      |
    4 | cluster = { eks = "a", context = "b" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write { context = "<a context of the kubeconfig>" }, { eks = "<a cluster's name>" } or { in-cluster = true }

    error: environments/v.toml:4:11: `cluster` has both `eks` and `in-cluster`
      |
    4 | cluster = { eks = "a", in-cluster = true }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write { context = "<a context of the kubeconfig>" }, { eks = "<a cluster's name>" } or { in-cluster = true }

    error: environments/v.toml:4:39: `role` says nothing of a cluster that is not `eks`
      |
    4 | cluster = { in-cluster = true, role = "deployer" }
      |                                       ^^^^^^^^^^
      |
      = help: name the cluster as { eks = "<its name>" }, or leave it out

    error: environments/v.toml:4:11: `cluster` does not say which
      |
    4 | cluster = { region = "eu-west-1" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write { context = "<a context of the kubeconfig>" }, { eks = "<a cluster's name>" } or { in-cluster = true }
    "#);
}

#[test]
fn who_asks_makes_no_other_cluster_of_it() {
    let role = "arn:aws:iam::123456789012:role/b";
    let with_role = format!("{{ eks = \"prod\", region = \"eu-west-1\", role = \"{role}\" }}");
    let environments = [
        ("a", "{ eks = \"prod\", region = \"eu-west-1\" }"),
        ("b", &with_role),
        ("c", "{ eks = \"prod\", region = \"eu-west-2\" }"),
        ("d", "{ context = \"prod\" }"),
    ];
    let specs = environments.map(|(name, cluster)| (name.to_owned(), spec(name, cluster).0));
    let found = across(&BTreeMap::new(), &specs.into()).to_string();
    assert_eq!(
        found.matches("has the same cluster and namespace").count(),
        2,
        "{found}"
    );
    assert!(found.contains("the environment `b`") && found.contains("the environment `a`"));
}

/// An environment with more in it, and everything wrong with that.
fn with(more: &str) -> (Option<ValidEnvironment>, String) {
    let text = format!("{}{more}", text("v", "{ in-cluster = true }"));
    let (spec, mut problems) = EnvironmentSpec::read("environments/v.toml", &text);
    let (valid, wrong) = environment(&spec.unwrap());
    problems.extend(wrong);
    (valid, problems.to_string())
}

#[test]
fn a_budget_is_guarded_by_an_alarm_or_an_amount() {
    let guard = |written: &str| {
        let (valid, problems) = with(&format!("budget_guard = {written}\n"));
        assert_eq!(problems, "");
        valid.unwrap().environment.budget_guard.unwrap()
    };
    let alarm = BudgetGuard::Alarm(AlarmRef {
        name: "spent".to_owned(),
        region: "us-east-1".to_owned(),
        account: None,
    });
    assert_eq!(guard("\"spent\""), alarm);
    assert_eq!(guard("80"), BudgetGuard::Above(80.0));
    assert_eq!(guard("0x50"), BudgetGuard::Above(80.0));
    assert_eq!(guard("79.5"), BudgetGuard::Above(79.5));
}

#[test]
fn cloudwatch() {
    let (valid, problems) = with("[registry]\nregion = \"eu-west-1\"\n");
    let environment = valid.unwrap().environment;
    assert_eq!(
        (environment.budget_guard.as_ref(), problems.as_str()),
        (None, "")
    );
    assert_eq!(environment.cloudwatch, CloudWatchRef::default());
    assert_eq!(environment.metrics_region().unwrap(), "eu-west-1");

    let own =
        "[cloudwatch]\nbilling_alarms = [\"a\", \"b\"]\nmetrics = true\nregion = \"eu-west-2\"\n";
    let environment = with(own).0.unwrap().environment;
    assert_eq!(environment.cloudwatch.billing_alarms, ["a", "b"]);
    assert!(environment.cloudwatch.metrics);
    assert_eq!(environment.metrics_region().unwrap(), "eu-west-2");
}

#[test]
fn wrong_alarms_and_amounts() {
    let found: Vec<_> = [
        "budget_guard = 0",
        "budget_guard = -1.5",
        "budget_guard = nan",
        "budget_guard = 99999999999",
        "budget_guard = true",
        "budget_guard = \"arn:aws:sns:eu-west-1:123456789012:topic\"",
        "[cloudwatch]\nbilling_alarms = [\"a\", \"a\", \"\"]\nregion = \"x\"",
    ]
    .map(|more| with(&format!("{more}\n")).1)
    .to_vec();
    assert_snapshot!(found.join("\n\n"), @r#"
    error: environments/v.toml:5:16: 0 is no amount to compare charges with, write one above 0, in USD
      |
    5 | budget_guard = 0
      |                ^

    error: environments/v.toml:5:16: -1.5 is no amount to compare charges with, write one above 0, in USD
      |
    5 | budget_guard = -1.5
      |                ^^^^

    error: environments/v.toml:5:16: NaN is no amount to compare charges with, write one above 0, in USD
      |
    5 | budget_guard = nan
      |                ^^^

    error: environments/v.toml:5:16: `budget_guard` is too large a number
      |
    5 | budget_guard = 99999999999
      |                ^^^^^^^^^^^

    error: environments/v.toml:5:16: `budget_guard` must be text in quotes, or a number, not true or false
      |
    5 | budget_guard = true
      |                ^^^^

    error: environments/v.toml:5:16: `arn:aws:sns:eu-west-1:123456789012:topic` is not an alarm, write its name, or an ARN like arn:aws:cloudwatch:eu-west-1:123456789012:alarm:budget
      |
    5 | budget_guard = "arn:aws:sns:eu-west-1:123456789012:topic"
      |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: environments/v.toml:6:24: `a` is already in line 6
      |
    6 | billing_alarms = ["a", "a", ""]
      |                        ^^^

    error: environments/v.toml:6:29: `` cannot be the name of an alarm, it has 1 to 255 characters
      |
    6 | billing_alarms = ["a", "a", ""]
      |                             ^^

    error: environments/v.toml:7:10: `x` is not an AWS region, write one like eu-central-1
      |
    7 | region = "x"
      |          ^^^
    "#);
}
