//! A proposal for programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::adoption;
use super::apps::{self, AppChange};
use crate::engine::propose::Proposal;
use crate::group::choice::Choice as _;
use crate::plan::CheckPlan;
use crate::plan::diff::Change;
use crate::plan::survey::Resources;

/// A proposal for programs. Keys stay as they are; new ones may come.
///
/// - `group`, `environment`, `namespace`, `release`, `fingerprint`,
///   `candidate` (the colour), `upToDate`;
/// - `replaces`: `color` and `release` of what serves, or null;
/// - `apps`: `app`, `change` (`new`, `image`, `settings`, `none`, `removed`),
///   `image` and `live`, each null or `repository`, `reference`, `branch`,
///   `tag`, `digest`, `build`, `commit`, `pushedAt`;
/// - `changes`: `app`, `object`, `change` (`added`, `removed`, `changed`),
///   `before` and `after` as YAML, the values of Secrets masked;
/// - `checks`: `check`, `image`, `source`, `timeoutMs`, `report`;
/// - `hooks`: the same, and `when` (`before-deploy`, `before-switch`, `after-promote`);
/// - `untestedAllowed`, `keepOldMs`, `deployTimeoutMs`, `endpointDelayMs`;
/// - `isolation`: `pinning` or `network-policy`;
/// - `capacity`: `needed` and `free`, each `pods`, `cpuMillis`, `memoryBytes`;
/// - `restraints`: what keeps the release from users, each `held`, `banned`,
///   `required` or `failed`, with who or what, and why;
/// - `adopts`: what is taken over, each `object` and `change` (`paused`, `narrowed`,
///   `marked`), and given back unless it is promoted;
/// - `warnings`: texts.
pub fn proposal_json(proposal: &Proposal) -> Value {
    let plan = &proposal.plan;
    let replaces = plan.replaces.as_ref();
    json!({
        "group": plan.group,
        "environment": plan.environment,
        "namespace": plan.namespace,
        "release": plan.release,
        "fingerprint": plan.fingerprint,
        "candidate": plan.candidate,
        "upToDate": proposal.is_up_to_date(),
        "replaces": replaces.map(|old| json!({ "color": old.color, "release": old.release })),
        "apps": apps(proposal),
        "changes": proposal.changes.iter().map(change).collect::<Vec<_>>(),
        "checks": plan.checks.iter().map(check).collect::<Vec<_>>(),
        "hooks": plan.hooks.iter().map(|hook| {
            let mut found = check(&hook.job);
            found["when"] = json!(hook.when);
            found
        }).collect::<Vec<_>>(),
        "untestedAllowed": plan.untested_allowed,
        "keepOldMs": millis(plan.keep_old),
        "deployTimeoutMs": millis(plan.deploy_timeout),
        "endpointDelayMs": millis(plan.endpoint_delay),
        "isolation": plan.isolation,
        "capacity": {
            "needed": resources(proposal.capacity.needed),
            "free": resources(proposal.capacity.free),
        },
        "restraints": proposal.restraints,
        "adopts": adoption::takings(proposal).map(|(object, change)| json!({
            "object": object.to_string(),
            "change": change.word(),
        })).collect::<Vec<_>>(),
        "warnings": proposal.warnings,
    })
}

fn apps(proposal: &Proposal) -> Vec<Value> {
    let planned = apps::changes(proposal).map(|(app, change)| {
        let change = match change {
            AppChange::New => "new",
            AppChange::Image => "image",
            AppChange::Settings => "settings",
            AppChange::None => "none",
        };
        let live = apps::live(proposal, app).map(|live| image(&live.image));
        json!({ "app": app.name, "change": change, "image": image(&app.image), "live": live })
    });
    let removed = apps::removed(proposal).map(|app| {
        json!({ "app": app.name, "change": "removed", "image": null, "live": image(&app.image) })
    });
    planned.chain(removed).collect()
}

fn image(image: &crate::plan::image::ResolvedImage) -> Value {
    json!({
        "repository": image.repository,
        "reference": image.reference,
        "branch": image.branch,
        "tag": image.tag,
        "digest": image.digest,
        "build": image.build,
        "commit": image.commit,
        "pushedAt": image.pushed_at,
    })
}

fn check(check: &CheckPlan) -> Value {
    json!({
        "check": check.name,
        "image": check.image,
        "source": check.source,
        "timeoutMs": millis(check.timeout),
        "report": check.report.kind().word(),
        "reportFile": check.report.file(),
    })
}

fn change(change: &Change) -> Value {
    let kind = match (change.before.is_empty(), change.after.is_empty()) {
        (true, _) => "added",
        (_, true) => "removed",
        _ => "changed",
    };
    json!({
        "app": change.app,
        "object": change.object,
        "change": kind,
        "before": change.before,
        "after": change.after,
    })
}

fn resources(resources: Resources) -> Value {
    json!({
        "pods": resources.pods,
        "cpuMillis": resources.cpu_millis,
        "memoryBytes": resources.memory,
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
