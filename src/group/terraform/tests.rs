//! Outputs as Terraform prints them, and files as people keep them.

use serde_json::{Value, json};

use super::{ImportError, Imported, Made, OutputError, import};

const PATH: &str = "environments/v2.toml";

/// What the root hands over.
fn value() -> Value {
    json!({
        "version": 1,
        "environment": "v2",
        "namespace": "v2",
        "cluster": { "eks": "promoter", "region": "eu-west-1" },
        "registry": { "account": "123456789012", "region": "eu-west-1" },
        "repositories": ["hello-a", "hello-b", "hello-tests"],
        "budget_guard": "promoter-billing-100-usd",
        "billing_alarms": ["promoter-billing-10-usd", "promoter-billing-100-usd"],
        "metrics": false,
        "installation": { "namespace": "promoter", "role_arn": "arn:aws:iam::1:role/a" },
    })
}

/// All outputs, one of which is a secret.
fn outputs(promoter: &Value) -> String {
    json!({
        "database": { "sensitive": true, "type": "string", "value": "hunter2" },
        "promoter": { "sensitive": false, "type": ["object", {}], "value": promoter },
    })
    .to_string()
}

fn made(change: impl FnOnce(&mut Value)) -> Made {
    let mut value = value();
    change(&mut value);
    Made::read(&outputs(&value)).unwrap()
}

fn imported(made: &Made, there: &str) -> Imported {
    import(made, PATH, Some(there), false).unwrap()
}

#[test]
fn a_file_that_is_not_there_is_whole() {
    let made = made(|_| {});
    let new = import(&made, PATH, None, true).unwrap();
    insta::assert_snapshot!(new.text, @r#"
    #:schema ../schema/environment.json

    # What Terraform made. `promoter config import-terraform` brings it up to date, and keeps what you add.

    [environment]
    name      = "v2"
    namespace = "v2"
    cluster   = { eks = "promoter", region = "eu-west-1" }
    budget_guard = "promoter-billing-100-usd"

    [registry]
    account = "123456789012"
    region  = "eu-west-1"

    [cloudwatch]
    billing_alarms = ["promoter-billing-10-usd", "promoter-billing-100-usd"]
    "#);
    assert!(new.changes() && new.notes.is_empty());
    let again = imported(&made, &new.text);
    assert!(!again.changes());
    assert_eq!(again.text, new.text);
}

#[test]
fn the_bare_value_is_as_good() {
    assert_eq!(
        Made::read(&value().to_string()),
        Made::read(&outputs(&value()))
    );
}

/// A file as somebody keeps it.
const KEPT: &str = r#"#:schema ../schema/environment.json

# Ours. Ask Ada before you change it.

[environment]
name      = "v2"     # as the file
namespace = "old"    # was v1
cluster   = { context = "testbed" }   # of the kubeconfig
# untested = "allowed"

[values]
node_port = 30080
password  = "hunter2"

[defaults]
keep_old = "10s"

# The registry.
[registry]
region  = "us-east-1"   # for now

# Where commits are proven.
# [github]
# owner = "acme"
"#;

#[test]
fn what_a_person_wrote_stays() {
    let made = made(|_| {});
    let new = imported(&made, KEPT);
    insta::assert_snapshot!(new.text, @r#"
    #:schema ../schema/environment.json

    # Ours. Ask Ada before you change it.

    [environment]
    name      = "v2"     # as the file
    namespace = "v2"    # was v1
    cluster   = { eks = "promoter", region = "eu-west-1" }   # of the kubeconfig
    budget_guard = "promoter-billing-100-usd"
    # untested = "allowed"

    [values]
    node_port = 30080
    password  = "hunter2"

    [defaults]
    keep_old = "10s"

    # The registry.
    [registry]
    region  = "eu-west-1"   # for now
    account = "123456789012"

    # Where commits are proven.
    # [github]
    # owner = "acme"

    [cloudwatch]
    billing_alarms = ["promoter-billing-10-usd", "promoter-billing-100-usd"]
    "#);
    assert_eq!(new.notes.len(), 1);
    assert_eq!(
        new.notes[0],
        "the cluster was the context `testbed` of the kubeconfig; from now on EKS tells where \
         `promoter` is, and the AWS credentials log in"
    );
    let again = imported(&made, &new.text);
    assert!(!again.changes() && again.notes.is_empty());
    assert_eq!(again.text, new.text);
    // Values may be secrets.
    for shown in [&new.shown.0, &new.shown.1] {
        assert!(
            !shown.contains("hunter2") && shown.contains("keep_old"),
            "{shown}"
        );
    }
}

#[test]
fn what_terraform_does_not_tell_deletes_nothing() {
    let there = imported(&made(|_| {}), KEPT).text;
    for nothing in [Value::Null, json!("")] {
        let silent = made(|value| {
            for key in ["namespace", "cluster", "registry", "metrics"] {
                value[key] = Value::Null;
            }
            value["budget_guard"] = nothing.clone();
            value["billing_alarms"] = json!([]);
        });
        let new = imported(&silent, &there);
        assert_eq!(new.text, there);
        assert!(!new.changes());
        assert_eq!(new.notes.len(), 2, "{:?}", new.notes);
        assert!(new.notes[0].starts_with("`budget_guard` stays"));
        assert!(new.notes[1].starts_with("`billing_alarms` stays"));
    }
    let fewer = made(|value| {
        let map = value.as_object_mut().unwrap();
        map.retain(|key, _| ["version", "environment"].contains(&key.as_str()));
    });
    assert_eq!(imported(&fewer, &there).text, there);
}

#[test]
fn the_role_of_a_cluster_stays_however_it_is_written() {
    let role = "arn:aws:iam::123456789012:role/deployer";
    let inline = format!("cluster = {{ role = \"{role}\", eks = \"old\" }} # ours\n");
    let dotted = format!("cluster.role = \"{role}\"\ncluster.eks = \"old\"\n");
    let table = format!("[environment.cluster]\n# ours\nrole = \"{role}\"\neks = \"old\"\n");
    for cluster in [inline, dotted, table] {
        let there = format!("[environment]\nname = \"v2\"\n{cluster}");
        let new = imported(&made(|_| {}), &there);
        let environment = environment(&new.text);
        let crate::group::ClusterRef::Eks(eks) = environment.cluster else {
            panic!("{}", new.text)
        };
        assert_eq!(
            (eks.name.as_str(), eks.region.as_deref()),
            ("promoter", Some("eu-west-1"))
        );
        assert_eq!(eks.role.as_deref(), Some(role), "{}", new.text);
        assert_eq!(new.text.contains("# ours"), cluster.contains("# ours"));
        assert!(!new.text.contains(" ,"), "{}", new.text);
        assert!(new.notes.is_empty());
        assert!(
            !imported(&made(|_| {}), &new.text).changes(),
            "{}",
            new.text
        );
    }
    let inside = "[environment]\nname = \"v2\"\ncluster = { in-cluster = true }\n";
    let new = imported(&made(|_| {}), inside);
    assert!(new.notes[0].starts_with("the cluster was the one that promoter runs in"));
}

fn environment(text: &str) -> crate::group::Environment {
    let spec = crate::group::spec::EnvironmentSpec::read(PATH, text)
        .0
        .unwrap();
    crate::group::validate::environment(&spec)
        .0
        .unwrap()
        .environment
}

#[test]
fn alarms_keep_their_comments_and_lines() {
    let there = "[environment]\nname = \"v2\"\n\n[cloudwatch]\nbilling_alarms = [\n  \
                 \"gone\",\n  # the one that calls\n  \"promoter-billing-100-usd\",\n]\nmetrics = true\n";
    let new = imported(&made(|_| {}), there);
    let alarms = "billing_alarms = [\n  # the one that calls\n  \"promoter-billing-100-usd\",\n  \
                  \"promoter-billing-10-usd\",\n]\nmetrics = false\n";
    assert!(new.text.contains(alarms), "{}", new.text);
    assert!(!imported(&made(|_| {}), &new.text).changes());
}

#[test]
fn what_stands_behind_an_alarm_goes_with_it_and_no_other() {
    let with = |alarms: &str| {
        let head =
            "[environment]\nname = \"v2\"\nnamespace = \"v2\"\ncluster = { context = \"a\" }\n";
        let there = format!("{head}[cloudwatch]\nbilling_alarms = [{alarms}] # all\n");
        let new = imported(&made(|_| {}), &there);
        assert!(
            !imported(&made(|_| {}), &new.text).changes(),
            "{}",
            new.text
        );
        let (_, list) = new.text.split_once("billing_alarms = [").unwrap();
        list.split_once("] # all").unwrap().0.to_owned()
    };
    let alarms = "\n  # cheap\n  \"promoter-billing-10-usd\", # ten\n  \"promoter-billing-50-usd\", # fifty\n  \
                  # dear\n  \"promoter-billing-100-usd\" # a hundred\n  # the end\n";
    assert_eq!(
        with(alarms),
        "\n  # cheap\n  \"promoter-billing-10-usd\", # ten\n  # dear\n  \
         \"promoter-billing-100-usd\", # a hundred\n  # the end\n"
    );
    // Whatever the last one is, the bracket stays where it was.
    assert_eq!(
        with(" # some\n    # old\n    \"a\", # a\n    \"promoter-billing-10-usd\" # ten\n"),
        " # some\n    # old\n    \"promoter-billing-10-usd\", # ten\n    \"promoter-billing-100-usd\",\n"
    );
    // Several on one line.
    assert_eq!(
        with("\"promoter-billing-10-usd\", # ten\n \"a\", \"promoter-billing-100-usd\""),
        "\"promoter-billing-10-usd\", # ten\n \"promoter-billing-100-usd\",\n"
    );
    assert_eq!(
        with(" \"a\", \"promoter-billing-100-usd\" "),
        "\"promoter-billing-100-usd\", \"promoter-billing-10-usd\""
    );
}

#[test]
fn comments_above_a_cluster_stay_when_it_becomes_another_kind() {
    for (there, cluster) in [
        (
            "[environment]\nname = \"v2\"\nnamespace = \"v2\"\n\n[environment.cluster]\n# Ask first.\ncontext = \"a\"\n",
            "[environment.cluster]\n# Ask first.\neks = \"promoter\"\nregion = \"eu-west-1\"\n",
        ),
        (
            "environment.name = \"v2\"\nenvironment.namespace = \"v2\"\n# Ask first.\nenvironment.cluster.in-cluster = true\n",
            "\n# Ask first.\nenvironment.cluster.eks = \"promoter\"\nenvironment.cluster.region = \"eu-west-1\"\n",
        ),
    ] {
        let new = imported(&made(|_| {}), there);
        assert!(new.text.contains(cluster), "{}", new.text);
    }
}

#[test]
fn many_alarms_are_below_each_other() {
    let alarm = |usd| format!("promoter-billing-{usd}-usd");
    let made = made(|value| value["billing_alarms"] = (1..=4).map(alarm).collect());
    let new = import(&made, PATH, None, false).unwrap();
    let (_, cloudwatch) = new.text.split_once("[cloudwatch]\n").unwrap();
    insta::assert_snapshot!(cloudwatch, @r#"
    billing_alarms = [
      "promoter-billing-1-usd",
      "promoter-billing-2-usd",
      "promoter-billing-3-usd",
      "promoter-billing-4-usd",
    ]
    "#);
    assert!(!imported(&made, &new.text).changes());
}

#[test]
fn lines_end_as_they_did() {
    let windows = KEPT.replace('\n', "\r\n");
    let new = imported(&made(|_| {}), &windows);
    assert_eq!(
        new.text,
        imported(&made(|_| {}), KEPT).text.replace('\n', "\r\n")
    );
    assert!(!imported(&made(|_| {}), &new.text).changes());
    // What is of both kinds, or has a byte order mark, is not touched without need.
    let same = imported(&made(|_| {}), KEPT).text;
    for there in [same.replacen('\n', "\r\n", 1), format!("\u{feff}{same}")] {
        let new = imported(&made(|_| {}), &there);
        assert!(!new.changes() && new.text == there, "{there:?}");
    }
}

#[test]
fn a_file_that_cannot_be_taken_is_told_and_not_changed() {
    let made = made(|_| {});
    let fails = |there: &str| import(&made, PATH, Some(there), false).unwrap_err();
    let named = fails("[environment]\nname = \"v3\"\n");
    assert_eq!(
        named.to_string(),
        "environments/v2.toml is of environment `v3`, and Terraform's output is of `v2`: give the \
         file the name v3.toml, or set `name` in it to v2"
    );
    for (there, expected) in [
        ("[environment\n", "environments/v2.toml:1:13"),
        ("environment = 3\n", "must be a table"),
        ("[environment]\ncluster = \"a\"\n", "must be a table"),
        ("registry = []\n", "must be a table"),
        ("[environment]\nnmae = \"v2\"\n", "has no key `nmae`"),
        ("[defaults]\nkeep_old = \"1s\"\n", "must be at least 10s"),
    ] {
        let ImportError::Problems(problems) = fails(there) else {
            panic!("{there}")
        };
        let text = problems.to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_value_that_no_environment_can_have_is_refused() {
    for (pointer, value, expected) in [
        ("/namespace", json!("Not A Namespace"), "namespace"),
        ("/cluster/eks", json!("a b"), "cannot be an EKS cluster"),
        ("/cluster/region", json!("here"), "is not an AWS region"),
        ("/registry/account", json!("1"), "is not an AWS account"),
        ("/registry/region", json!("here"), "is not an AWS region"),
    ] {
        let made = made(|whole| *whole.pointer_mut(pointer).unwrap() = value);
        for there in [None, Some(KEPT)] {
            let ImportError::Problems(problems) = import(&made, PATH, there, false).unwrap_err()
            else {
                panic!("{pointer}")
            };
            let text = problems.to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}

#[test]
fn what_is_no_output_is_told() {
    let promoter = |output: Value| json!({ "promoter": output, "db": { "value": "hunter2" } });
    for (text, expected) in [
        (
            "",
            "Terraform's output is empty: look at what `terraform output -json` says by itself",
        ),
        (
            " \n",
            "Terraform's output is empty: look at what `terraform output -json` says by itself",
        ),
        (
            "promoter = {\n  \"db\" = \"hunter2\"\n}",
            "Terraform's output is not JSON (line 1, column 1): print it with `terraform output -json`",
        ),
        (
            "{}",
            "Terraform has no outputs: run `terraform apply` first, in the folder of the root",
        ),
        (
            "[\"hunter2\"]",
            "this is a single value, not Terraform's output: print that with `terraform output -json`",
        ),
        (
            r#"{"version": 4, "terraform_version": "1.9.0", "outputs": {"db": {"value": "hunter2"}}}"#,
            "this is a state or a plan of Terraform, not Terraform's output: print that with \
             `terraform output -json`",
        ),
        (
            r#"{"a": "hunter2"}"#,
            "this is JSON of another kind, not Terraform's output: print that with `terraform \
             output -json`",
        ),
        (
            r#"{"vpc_id": {"value": "vpc-1"}, "db": {"value": "hunter2", "sensitive": true}}"#,
            "Terraform has no output `promoter`, only `db`, `vpc_id`: add it to the root module, \
             as terraform/outputs.tf has it, and apply",
        ),
        (
            &promoter(json!({"value": value(), "sensitive": true})).to_string(),
            "Terraform's output `promoter` is marked as sensitive, and would be written into a \
             file: it holds names only, so take out `sensitive = true` and apply",
        ),
        (
            &promoter(json!({"value": "hunter2"})).to_string(),
            "`value` in Terraform's output `promoter` must be an object: use the modules as they are",
        ),
    ] {
        let error = Made::read(text).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    let many: Value = (0..12)
        .map(|n| (format!("o{n:02}"), json!({"value": n})))
        .collect();
    let error = Made::read(&many.to_string()).unwrap_err().to_string();
    assert!(error.contains("`o09` and 2 more: add it"), "{error}");
}

#[test]
fn each_key_has_its_form() {
    for (key, wrong, expected) in [
        (
            "version",
            json!(2),
            "is of version 2, and this promoter reads version 1",
        ),
        ("version", json!("hunter2"), "is of version none"),
        ("version", Value::Null, "is of version none"),
        (
            "environment",
            Value::Null,
            "`environment` in Terraform's output `promoter` must be text",
        ),
        (
            "environment",
            json!("../etc/passwd"),
            "`environment` in Terraform's output `promoter`: ",
        ),
        ("namespace", json!(1), "`namespace` in"),
        (
            "cluster",
            json!("promoter"),
            "`cluster` in Terraform's output `promoter` must be an object",
        ),
        ("cluster", json!({"eks": ["hunter2"]}), "`cluster.eks` in"),
        (
            "registry",
            json!({"account": 123_456_789_012_u64}),
            "`registry.account` in",
        ),
        ("repositories", json!(["a", 1]), "must be a list of texts"),
        ("billing_alarms", json!("hunter2"), "`billing_alarms` in"),
        ("budget_guard", json!(true), "`budget_guard` in"),
        ("metrics", json!("yes"), "must be true or false"),
    ] {
        let mut whole = value();
        whole[key] = wrong;
        let error = Made::read(&outputs(&whole)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_ne!(error, OutputError::Empty);
    }
}
