//! A check as the Job that runs it.

pub mod reporter;

use serde_json::{Value, json};

use super::CheckPlan;
use super::color::Color;
use super::label::{self, Role};
use super::object::{Object, entry};
use crate::group::name::GroupName;
use crate::group::{Check, Report};

/// The container whose end is the check's end; sidecars do not count.
pub const CONTAINER: &str = "check";
/// How often a check is run at most when its runs end without a verdict.
pub const MAX_ATTEMPTS: u32 = 3;

/// The plan of a check, or of a hook, for one colour.
pub fn plan(
    group: &GroupName,
    role: Role,
    check: &Check,
    image: String,
    source: String,
    color: Color,
) -> CheckPlan {
    let env: Vec<Value> = check
        .env
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let mut container = json!({ "name": CONTAINER, "image": image, "env": env });
    if !check.command.is_empty() {
        container["command"] = json!(check.command);
    }
    // Twice the allowed time: promoter ends a check itself, the Job's own
    // deadline is for the case that no promoter is left to do so.
    let deadline = (check.timeout + check.start_timeout).as_secs() * 2;
    let mut job = Object(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": "" },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": deadline,
            "ttlSecondsAfterFinished": 86_400,
            "template": {
                "metadata": { "labels": {} },
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": false,
                    "containers": [container],
                },
            },
        },
    }));
    if let Report::Junit(file) = &check.report {
        reporter::add(&mut job, file);
    }
    job.own(group.as_ref(), role);
    for path in [
        &["metadata", "labels"][..],
        &["spec", "template", "metadata", "labels"],
    ] {
        let labels = entry(&mut job.0, path);
        labels.insert(label::GROUP.into(), group.as_ref().into());
        labels.insert(label::CHECK.into(), check.name.as_ref().into());
        labels.insert(label::COLOR.into(), color.as_str().into());
        labels.insert(label::ROLE.into(), role.as_str().into());
    }
    CheckPlan {
        name: check.name.clone(),
        image,
        source,
        job,
        timeout: check.timeout,
        start_timeout: check.start_timeout,
        report: check.report.clone(),
    }
}

/// The Job of one attempt of a check in a promotion, still to be pinned.
pub fn job(group: &GroupName, plan: &CheckPlan, promotion: &str, attempt: u32) -> Object {
    let mut job = plan.job.clone();
    job.rename(&job_name(group, plan, promotion, attempt));
    for path in [
        &["metadata", "labels"][..],
        &["spec", "template", "metadata", "labels"],
    ] {
        let labels = entry(&mut job.0, path);
        labels.insert(label::PROMOTION.into(), promotion.into());
        labels.insert(label::ATTEMPT.into(), attempt.to_string().into());
    }
    let about = [
        json!({ "name": "PROMOTER_GROUP", "value": group.as_ref() }),
        json!({ "name": "PROMOTER_PROMOTION", "value": promotion }),
        json!({ "name": "POD_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }),
    ];
    for container in job.containers_mut() {
        if let Some(env) = container.get_mut("env").and_then(Value::as_array_mut) {
            env.splice(0..0, about.iter().cloned());
        }
    }
    job
}

/// The name of that Job.
pub fn job_name(group: &GroupName, plan: &CheckPlan, promotion: &str, attempt: u32) -> String {
    let name = format!("{group}-{}-{promotion}", plan.name);
    if attempt == 1 {
        name
    } else {
        format!("{name}-{attempt}")
    }
}
