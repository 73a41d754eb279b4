//! Manifest templates, from their text to a plan.

use promoter::group::{Group, Manifest, Template};
use promoter::plan::capacity::capacity;
use promoter::plan::color::Color;
use promoter::plan::label::{GROUP, ROLE};
use promoter::plan::pin::Pin;
use promoter::plan::{AppPlan, Plan, diff, planner};
use proptest::prelude::*;
use serde_json::Value;

use super::{broken, cases};
use crate::support::given;

/// What may come behind the Deployment and the Service.
const MORE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data: {color: \"{{ values.color }}\", text: \"a\"}
---
apiVersion: v1
kind: Secret
metadata: {name: secret}
stringData: {token: \"hunter2\"}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: &meta {name: hello-a, labels: &labels {app: hello-a}}
spec: {minAvailable: 1, selector: {matchLabels: *labels}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{host: \"{{ values.host }}\"}]}
";

/// The Deployment once more, in JSON and with much in it.
const JSON: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "{{ app.name }}"}, "spec": {
 "replicas": {{ app.replicas }}, "selector": {"matchLabels": {"app": "a"}},
 "template": {"metadata": {"labels": {"app": "a"}}, "spec": {
  "initContainers": [{"name": "i", "image": "b", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}],
  "containers": [{"name": "c", "image": "{{ image }}", "envFrom": [{"configMapRef": {"name": "config"}}],
   "resources": {"requests": {"cpu": "250m", "memory": 64e6}, "limits": {"memory": "128Mi"}}}],
  "topologySpreadConstraints": [{"labelSelector": {"matchLabels": {"app": "a"}}}]}}}},
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"a": "{{ group.name }}"}},
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"type": "NodePort",
 "selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": {{ app.port }}, "nodePort": 30000}]}}
]}"#;

/// Words of templates, of YAML and JSON, and of Kubernetes.
const WORDS: &[&str] = &[
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{#",
    "#}",
    "{{ image }}",
    "{{ values }}",
    "{{ values.none }}",
    "{% if app.port %}",
    "{% elif 1 %}",
    "{% else %}",
    "{% endif %}",
    "{% for i in range(9) %}",
    "{% endfor %}",
    "{% set x = [x] %}",
    "{% macro f(x) %}{{ f(x) }}{% endmacro %}",
    "{{ f(1) }}",
    "{% include 'a' %}",
    "{% raw %}",
    "{% endraw %}",
    "not ",
    "-",
    "+1",
    "~'a'",
    " * 999",
    "|upper",
    "|tojson",
    "|indent(4)",
    "|length",
    ".a",
    "[0]",
    "(",
    ")",
    " if 1 else ",
    " and 1",
    "a: ",
    "- ",
    "? ",
    ": ",
    "\n",
    "  ",
    "\t",
    "---\n",
    "...\n",
    "&a ",
    "*a",
    "*labels",
    "<<: *meta",
    "!!binary ",
    "!!int ",
    "%YAML 1.1\n",
    "|\n",
    ">-\n",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    "'",
    "#",
    "\\x41",
    "\\u0000",
    "~",
    "null",
    "true",
    "yes",
    "0",
    "-1",
    "0x7fffffffffffffff",
    "0o17",
    "1e400",
    ".inf",
    ".nan",
    "1e30",
    "99999999999999999999",
    "1.5",
    "\"1e30\"",
    "\"100Ei\"",
    "\"-5\"",
    "[[[[[[[[",
    "{a: {a: {a: ",
    "kind: ",
    "Deployment",
    "Service",
    "ConfigMap",
    "Secret",
    "CronJob",
    "List",
    "Namespace",
    "metadata: ",
    "spec: ",
    "items: ",
    "selector: ",
    "clusterIP: None",
    "type: ExternalName",
    "namespace: other",
    "hostNetwork: true",
    "replicas: 4294967295",
    "ports: ",
    "nodePort: 1",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\0",
    "é",
];

fn template() -> impl Strategy<Value = (bool, String)> {
    let yaml = given::manifest("hello-a", MORE);
    prop_oneof![
        2 => broken(Just(yaml), WORDS).prop_map(|text| (false, text)),
        1 => broken(Just(JSON.to_owned()), WORDS).prop_map(|text| (true, text)),
    ]
}

/// hello-a with this template, and a second app to call.
fn group(is_json: bool, text: &str) -> Group {
    let mut group = given::hello();
    group.environment.values = [
        ("host".to_owned(), "example.org".into()),
        ("color".to_owned(), 1.5.into()),
    ]
    .into();
    let extension = if is_json { "json" } else { "yaml" };
    group.apps[0].manifest = Manifest::Template(Template {
        path: format!("manifests/hello-a.{extension}"),
        text: text.to_owned(),
    });
    group
}

fn holds(plan: &Plan) -> Result<(), TestCaseError> {
    for app in &plan.apps {
        prop_assert_eq!(app.deployment.name(), format!("{}-green", app.name));
        for object in planner::objects(app) {
            prop_assert_eq!(object.label(GROUP), Some("master"), "{:?}", object);
            prop_assert!(object.label(ROLE).is_some(), "{:?}", object);
            prop_assert!(!object.kind().is_empty() && !object.name().is_empty());
        }
        services(app)?;
    }
    // Plans are stored as text.
    let text = serde_json::to_string(plan).unwrap();
    let read: Plan = serde_json::from_str(&text).unwrap();
    prop_assert_eq!(&read, plan);
    prop_assert_eq!(read.id(), plan.id());
    for change in diff::changes(None, plan) {
        prop_assert!(!tells_a_secret(&change.after), "{}", change.after);
    }
    drop((plan.inventory(), plan.teardown_order()));
    drop(capacity(plan, &given::survey()).warning(&given::survey()));
    Ok(())
}

/// Whether a Secret's YAML has the secret elsewhere than in what names it.
fn tells_a_secret(yaml: &str) -> bool {
    let names = ["apiVersion", "kind", "metadata", "type", "immutable"];
    let mut field = "";
    yaml.contains("\nkind: Secret\n")
        && yaml.lines().any(|line| {
            if !line.starts_with([' ', '-']) {
                field = line.split(':').next().unwrap_or_default();
            }
            line.contains("hunter2") && !names.contains(&field)
        })
}

/// No call of the candidate's leads out, and nobody's comes in.
fn services(app: &AppPlan) -> Result<(), TestCaseError> {
    for service in &app.services {
        prop_assert_eq!(service.active.at("/spec/selector"), None);
        let colored = &service.colored;
        prop_assert_eq!(colored.str_at("/spec/type"), Some("ClusterIP"));
        prop_assert_eq!(&colored.texts_at("/spec/selector"), &service.selector);
        let ports = colored.at("/spec/ports").and_then(Value::as_array).unwrap();
        prop_assert!(ports.iter().all(|port| port.get("nodePort").is_none()));
        drop(Pin::of(service.active.name(), colored));
    }
    Ok(())
}

#[test]
fn the_whole_templates_are_planned() {
    for (is_json, text) in [
        (false, given::manifest("hello-a", MORE)),
        (true, JSON.to_owned()),
    ] {
        let plan = given::plan(&group(is_json, &text), Color::Green);
        holds(&plan).unwrap();
    }
}

/// Found by `cargo xtask fuzz`.
#[test]
fn numbers_come_back_from_the_text_of_a_plan() {
    let more = MORE.replace("minAvailable: 1,", "minAvailable: 80801e30,");
    let plan = given::plan(
        &group(false, &given::manifest("hello-a", &more)),
        Color::Green,
    );
    holds(&plan).unwrap();
}

/// Found by `cargo xtask fuzz`.
#[test]
fn a_refusal_does_not_repeat_a_whole_manifest() {
    let text = format!("apiVersion: v1\nkind: {}\n", "Deploym ".repeat(500));
    let group = group(false, &text);
    let resolved = given::resolved(&group);
    let drafted = planner::draft(&group, &resolved, &given::survey(), Color::Green);
    let refusals = drafted.unwrap_err();
    assert!(refusals.iter().all(|refusal| refusal.reason.len() < 2000));
    assert!(refusals.iter().any(|refusal| refusal.reason.ends_with('…')));
}

/// Found by `cargo xtask fuzz`.
#[test]
fn a_secret_written_without_its_space_is_not_shown() {
    let written = |more: String| {
        let group = group(false, &given::manifest("hello-a", &more));
        planner::draft(
            &group,
            &given::resolved(&group),
            &given::survey(),
            Color::Green,
        )
    };
    let joined = MORE.replace("{token: \"hunter2\"}", "{token:hunter2}");
    let refused = format!("{:?}", written(joined.clone()).unwrap_err());
    assert!(
        refused.contains("the values of *** are no texts"),
        "{refused}"
    );
    assert!(!refused.contains("hunter2"), "{refused}");

    // Whose values are not looked at, as no Secret has such a field.
    let misspelt = joined.replace("stringData", "stringdata");
    let plan = written(misspelt).unwrap().plan;
    holds(&plan).unwrap();
    let changes = diff::changes(None, &plan);
    let secrets = changes.iter().filter(|c| c.after.contains("kind: Secret"));
    let shown: Vec<_> = secrets
        .map(|secret| secret.after.contains(r#""***": "***""#))
        .collect();
    assert_eq!(shown, [true], "{changes:?}");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_template_breaks_anything((is_json, text) in template()) {
        let group = group(is_json, &text);
        let draft = || {
            planner::draft(&group, &given::resolved(&group), &given::survey(), Color::Green)
        };
        match draft() {
            Ok(drafted) => {
                prop_assert_eq!(&draft().unwrap(), &drafted);
                holds(&drafted.plan)?;
            }
            Err(refusals) => {
                prop_assert!(!refusals.is_empty());
                for refusal in refusals {
                    prop_assert!(!refusal.reason.is_empty() && refusal.reason.len() < 2000);
                    prop_assert!(!refusal.reason.contains('\n'), "{:?}", refusal.reason);
                }
            }
        }
    }
}
