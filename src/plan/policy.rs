//! Policies that stand in the namespace or in a manifest, and which of the
//! candidate's pods they rule.
//!
//! Policies add up: what any of them allows is allowed. So one that rules a pod is
//! opened by the wall, as it allows all but the other colour, or opens the wall, as it
//! may allow the other colour. Neither is what was asked for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::label;
use super::object::Object;
use super::{AppPlan, CheckPlan, HookPlan};

/// The version of the policies that clusters enforce.
pub const API_VERSION: &str = "networking.k8s.io/v1";
/// Their kind.
pub const KIND: &str = "NetworkPolicy";

/// Labels that pods get when they are made. What a policy says of them is not known
/// while planning, and counts as said of the candidate.
const LATER: [&str; 3] = [label::PROMOTION, label::ATTEMPT, label::TEMPLATE_HASH];
/// Those that a Job gives its pods.
const OF_JOBS: [&str; 2] = ["job-name", "controller-uid"];

/// Where a workload says which labels its pods get.
const OF_POD: &str = "/spec/template/metadata/labels";
const OF_CRON: &str = "/spec/jobTemplate/spec/template/metadata/labels";

/// A pod of the candidate, as people call it, with its labels.
pub struct CandidatePod<'a> {
    /// `app web`, `check greets`.
    called: String,
    labels: BTreeMap<&'a str, &'a str>,
}

/// The candidate's pods: of apps, their `CronJob`s, checks and hooks.
pub fn candidate_pods<'a>(
    apps: &'a [AppPlan],
    checks: &'a [CheckPlan],
    hooks: &'a [HookPlan],
) -> Vec<CandidatePod<'a>> {
    let pod = |called: String, workload: &'a Object, labels: &str| CandidatePod {
        called,
        labels: workload.pairs_at(labels).collect(),
    };
    let crons = apps.iter().flat_map(|app| &app.crons);
    let crons = crons.map(|cron| pod(cron.reference().to_string(), cron, OF_CRON));
    let apps = apps.iter();
    let apps = apps.map(|app| pod(format!("app {}", app.name), &app.deployment, OF_POD));
    let checks = checks.iter();
    let checks = checks.map(|check| pod(format!("check {}", check.name), &check.job, OF_POD));
    let hooks = hooks.iter().map(|hook| &hook.job);
    let hooks = hooks.map(|job| pod(format!("hook {}", job.name), &job.job, OF_POD));
    apps.chain(crons).chain(checks).chain(hooks).collect()
}

/// Which of them a policy rules, as people call them.
pub fn ruled<'a>(policy: &Object, pods: &'a [CandidatePod<'_>]) -> Vec<&'a str> {
    let selector = policy.at("/spec/podSelector");
    let ruled = pods
        .iter()
        .filter(|pod| selector.is_none_or(|selector| selects(selector, &pod.labels)));
    ruled.map(|pod| pod.called.as_str()).collect()
}

/// Whether a selector may find a pod with these labels.
fn selects(selector: &Value, labels: &BTreeMap<&str, &str>) -> bool {
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    let wanted = wanted.into_iter().flatten();
    let mut wanted = wanted.filter(|(key, _)| !is_later(key));
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    let mut expressions = expressions.into_iter().flatten();
    wanted.all(|(key, value)| labels.get(key.as_str()).copied() == value.as_str())
        && expressions.all(|expression| holds(expression, labels))
}

/// Whether an expression may hold of these labels; one that is not known does.
fn holds(expression: &Value, labels: &BTreeMap<&str, &str>) -> bool {
    let key = expression["key"].as_str().unwrap_or_default();
    if is_later(key) {
        return true;
    }
    let value = labels.get(key);
    let values = expression["values"].as_array();
    let is_named = value.is_some_and(|value| {
        let mut values = values.into_iter().flatten();
        values.any(|named| named.as_str() == Some(*value))
    });
    match expression["operator"].as_str() {
        Some("In") => is_named,
        Some("NotIn") => !is_named,
        Some("Exists") => value.is_some(),
        Some("DoesNotExist") => value.is_none(),
        _ => true,
    }
}

fn is_later(key: &str) -> bool {
    LATER.contains(&key) || OF_JOBS.contains(&key) || key.starts_with("batch.kubernetes.io/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_ruled(selector: &Value) -> bool {
        let labels = BTreeMap::from([("app", "web"), ("promoter.dev/color", "green")]);
        let web = CandidatePod {
            called: "app web".to_owned(),
            labels,
        };
        let policy = Object(json!({ "spec": { "podSelector": selector } }));
        ruled(&policy, &[web]) == ["app web"]
    }

    #[test]
    fn a_selector_finds_what_bears_its_labels() {
        assert!(is_ruled(&json!({})));
        assert!(is_ruled(&json!({ "matchLabels": { "app": "web" } })));
        assert!(!is_ruled(
            &json!({ "matchLabels": { "app": "web", "tier": "a" } })
        ));
        for (expression, expected) in [
            (
                json!({ "key": "app", "operator": "In", "values": ["api", "web"] }),
                true,
            ),
            (
                json!({ "key": "app", "operator": "In", "values": ["api"] }),
                false,
            ),
            (
                json!({ "key": "app", "operator": "NotIn", "values": ["web"] }),
                false,
            ),
            (
                json!({ "key": "tier", "operator": "NotIn", "values": ["a"] }),
                true,
            ),
            (json!({ "key": "app", "operator": "Exists" }), true),
            (json!({ "key": "tier", "operator": "Exists" }), false),
            (json!({ "key": "app", "operator": "DoesNotExist" }), false),
            (json!({ "key": "tier", "operator": "DoesNotExist" }), true),
        ] {
            let selector = json!({ "matchExpressions": [expression] });
            assert_eq!(is_ruled(&selector), expected, "{selector}");
        }
        // All of it has to hold.
        assert!(!is_ruled(&json!({
            "matchLabels": { "app": "web" },
            "matchExpressions": [{ "key": "app", "operator": "DoesNotExist" }],
        })));
    }

    #[test]
    fn labels_that_come_later_may_be_any() {
        assert!(is_ruled(
            &json!({ "matchLabels": { "pod-template-hash": "1" } })
        ));
        let job = json!({ "key": "batch.kubernetes.io/job-name", "operator": "Exists" });
        assert!(is_ruled(&json!({ "matchExpressions": [job] })));
    }
}
