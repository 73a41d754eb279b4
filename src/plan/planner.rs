//! `(Group, Resolved, Survey) -> Plan`: every choice of a promotion.
//!
//! Pure and deterministic. Refusals are collected, never just the first
//! (design: what must be refused while planning, all reasons at once).

mod policies;
mod services;
mod warnings;

use std::collections::{BTreeMap, BTreeSet};

use super::color::Color;
use super::config::ConfigKey;
use super::image::{CheckImageRef, Resolved, ResolvedImage};
use super::label::Role;
use super::object::{Object, ObjectRef};
use super::paint::Paint;
use super::refusal::Refusal;
use super::survey::{Survey, Trial, Trials};
use super::{AppPlan, CheckPlan, HookPlan, Plan, check, fingerprint, render};
use crate::group::{Check, Group, Start};

/// Labels and annotations by which a namespace asks for a mesh's sidecars.
const MESH_MARKS: [&str; 3] = ["istio-injection", "istio.io/rev", "linkerd.io/inject"];

/// A plan, with what a person should know before carrying it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The plan.
    pub plan: Plan,
    /// Not wrong, but worth saying.
    pub warnings: Vec<String>,
}

/// The colour a promotion would fill now.
pub fn candidate(survey: &Survey) -> Color {
    survey
        .serving
        .as_ref()
        .map_or(Color::Blue, |serving| serving.color.other())
}

/// Makes the plan that fills `color`.
///
/// # Errors
/// All reasons why the group cannot be promoted as it stands.
pub fn draft(
    group: &Group,
    resolved: &Resolved,
    survey: &Survey,
    color: Color,
) -> Result<Draft, Vec<Refusal>> {
    let mut refusals = namespace_refusals(group, survey);
    let (apps, unpainted) = paint(group, resolved, survey, color);
    refusals.extend(unpainted);
    refusals.extend(astray(group, survey));
    refusals.extend(called_workers(&apps, survey));
    refusals.extend(duplicates(&apps));
    refusals.extend(services::clashing(&apps, color.other()));
    // In the colour that serves a plan is only drawn up to be compared.
    if color == candidate(survey) {
        refusals.extend(services::taken(group, &apps, survey));
    }
    refusals.extend(services::foreign(group, &apps, survey));
    refusals.extend(
        apps.iter()
            .filter_map(|app| wrong_platform(app, &app.image, survey)),
    );
    let mut job = |role: Role, check: &Check| {
        let Some(image) = resolved.checks.get(&check.name) else {
            let job = format!("{} {}", role.as_str(), check.name);
            refusals.push(Refusal::about(job, "its image was not resolved"));
            return None;
        };
        Some(plan_check(group, role, check, image, color))
    };
    let checks = group.checks.iter();
    let checks: Vec<_> = checks.filter_map(|check| job(Role::Check, check)).collect();
    let hooks = group.hooks.iter().filter_map(|hook| {
        let when = hook.when;
        let job = job(Role::Hook, &hook.job)?;
        Some(HookPlan { when, job })
    });
    let hooks: Vec<_> = hooks.collect();
    let painted = (apps.as_slice(), checks.as_slice(), hooks.as_slice());
    refusals.extend(policies::refused(group, survey, color, painted));
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let warnings = warnings::warnings(group, resolved, &apps, survey);
    let plan = Plan {
        replaces: survey.serving.clone(),
        apps,
        checks,
        hooks,
        ..Plan::empty(group, color, fingerprint::of(group, resolved))
    };
    Ok(Draft { plan, warnings })
}

/// The apps' objects as those of a colour, and why some cannot be.
pub fn paint(
    group: &Group,
    resolved: &Resolved,
    survey: &Survey,
    color: Color,
) -> (Vec<AppPlan>, Vec<Refusal>) {
    let mut refusals = Vec::new();
    let mut apps = Vec::new();
    for app in &group.apps {
        let Some(image) = resolved.apps.get(&app.name) else {
            refusals.push(Refusal::app(&app.name, "its image was not resolved"));
            continue;
        };
        // Without a key nothing was ever promoted here, so no name made with the
        // stand-in is compared with one in the cluster.
        let stand_in = ConfigKey([0; 32]);
        let key = survey.config_key.as_ref().unwrap_or(&stand_in);
        let paint = Paint {
            group: &group.name,
            app,
            image,
            color,
            key,
        };
        match render::render(group, app, image).and_then(|objects| paint.apply(objects)) {
            Ok(painted) => apps.push(painted),
            Err(reasons) => refusals.extend(reasons),
        }
    }
    (apps, refusals)
}

/// What the server's dry run says against a plan.
pub fn trial_refusals(plan: &Plan, trials: &Trials) -> Vec<Refusal> {
    let refuse = |app: &AppPlan, object: &Object| {
        let reference = object.reference();
        let refusal = |reason: &str| Refusal::object(&app.name, &reference, reason);
        Some(match trials.get(&reference)? {
            Trial::Taken => return None,
            Trial::Foreign => refusal("is there already and is not promoter's")
                .hint("rename one of the two, or delete the old one; of a whole group that runs already, `promoter adopt` takes over what stands"),
            Trial::Conflict(who) => refusal(&format!("another field manager owns what the manifest sets: {who}"))
                .hint("take the field out of the manifest, or end the other manager's ownership; promoter never forces"),
            Trial::Refused(why) => refusal(&format!("the cluster refuses it: {why}")),
        })
    };
    plan.apps
        .iter()
        .flat_map(|app| objects(app).filter_map(move |object| refuse(app, object)))
        .collect()
}

/// Every object of an app that the server can be asked about while planning.
pub fn objects(app: &AppPlan) -> impl Iterator<Item = &Object> {
    let services = app
        .services
        .iter()
        .flat_map(|service| [&service.active, &service.colored]);
    std::iter::once(&app.deployment)
        .chain(services)
        .chain(&app.config)
        .chain(&app.colored)
        .chain(app.autoscaler.iter().map(|scaler| &scaler.object))
        .chain(&app.crons)
        .chain(&app.shared)
}

fn plan_check(
    group: &Group,
    role: Role,
    check: &Check,
    image: &CheckImageRef,
    color: Color,
) -> CheckPlan {
    let source = image
        .resolved()
        .map(|i| format!("{} {}", i.branch, i.tag))
        .unwrap_or_default();
    check::plan(
        &group.name,
        role,
        check,
        image.reference().to_owned(),
        source,
        color,
    )
}

fn namespace_refusals(group: &Group, survey: &Survey) -> Vec<Refusal> {
    let namespace = &group.environment.namespace;
    let subject = format!("namespace {namespace}");
    let Some(marks) = &survey.namespace else {
        let hint = format!(
            "run `promoter install --environment {}`, which makes it",
            group.environment.name
        );
        return vec![Refusal::about(subject, "does not exist").hint(hint)];
    };
    let meshed = MESH_MARKS
        .into_iter()
        .filter(|mark| marks.get(*mark).is_some_and(|v| v != "disabled"));
    meshed
        .map(|mark| {
            Refusal::about(&subject, format!("is injected by a service mesh ({mark})")).hint(
                "a sidecar routes by Host header, past the pinning that keeps candidates among themselves; \
                 use a namespace without injection",
            )
        })
        .collect()
}

fn duplicates(apps: &[AppPlan]) -> Vec<Refusal> {
    let mut seen: BTreeMap<ObjectRef, &AppPlan> = BTreeMap::new();
    let mut refusals = Vec::new();
    for app in apps {
        let config: BTreeSet<_> = app.config.iter().map(Object::reference).collect();
        for object in objects(app) {
            let reference = object.reference();
            // Equal content under a content-hashed name is the same object.
            if let Some(first) = seen.insert(reference.clone(), app)
                && !(config.contains(&reference) && first.config.contains(object))
            {
                let reason = format!("is also made by app {}", first.name);
                refusals.push(Refusal::object(&app.name, &reference, reason));
            }
        }
    }
    refusals
}

/// What serves is not what the record says, or cannot be known. Filling or
/// deleting a colour on top of that could take users down, so nothing is planned.
fn astray(group: &Group, survey: &Survey) -> Vec<Refusal> {
    let Some(serving) = &survey.serving else {
        return lost_record(group, survey);
    };
    let Some(live) = &survey.live else {
        let reason = format!(
            "the plan of what serves ({}) is gone from the cluster",
            serving.plan
        );
        return vec![
            Refusal::about(format!("group {}", group.name), reason)
                .hint("put the Secrets labelled promoter.dev/role=plan back; without them nothing can be undone"),
        ];
    };
    let strays = live.services().filter_map(|service| {
        let name = service.active.name();
        let Some(found) = survey.services.iter().find(|found| found.name() == name) else {
            let reason = "is gone, though users are at it by the record".to_owned();
            return Some(Refusal::about(format!("Service {name}"), reason).hint(
                "somebody deleted it; `promoter resume` or the next `promoter deploy` makes it \
                 again, once pods of its app are ready",
            ));
        };
        (!service.is_followed_by(found)).then(|| {
            let reason = format!(
                "does not point at {}, which serves by the record",
                serving.color
            );
            Refusal::about(format!("Service {name}"), reason).hint(
                "somebody changed its selector; `promoter resume` or the next `promoter deploy` \
                 puts it back, once pods of that colour are ready",
            )
        })
    });
    strays.collect()
}

/// Apps that are stopped before their successors start, and that somebody calls.
fn called_workers(apps: &[AppPlan], survey: &Survey) -> Vec<Refusal> {
    let workers = apps.iter().filter(|app| app.start == Start::OnPromote);
    let called = workers.filter_map(|app| {
        let service = survey.live.as_ref()?.app(&app.name)?.services.first()?;
        let reason = format!(
            "starts when it is promoted, but what serves of it takes requests by Service {}",
            service.active.name()
        );
        let hint = "promote it once without its Service and without `start`, then with `start`";
        Some(Refusal::app(&app.name, reason).hint(hint))
    });
    called.collect()
}

/// Nothing serves by the record; then nothing may serve in the cluster either.
fn lost_record(group: &Group, survey: &Survey) -> Vec<Refusal> {
    if survey.unfinished {
        // Whoever left it unfinished is cleaned up after before anything is filled.
        return Vec::new();
    }
    let services = survey.services.iter();
    let pointing = services.filter(|s| s.active_color(group.name.as_str()).is_some());
    let pointing = pointing.map(|service| format!("Service {}", service.name()));
    let standing = survey.deployments.iter().filter(|d| !d.deleting);
    let standing = standing.map(|deployment| format!("Deployment {}", deployment.name));
    let refuse = |object: String| {
        Refusal::about(object, "serves, but the DeploymentGroup that says so is gone").hint(
            "`promoter resume` puts it together again if the group's Deployments and kept plans are there \
             and its Services point at what serves; if an outage is fine, delete the group's objects and deploy anew",
        )
    };
    pointing.chain(standing).map(refuse).collect()
}

fn wrong_platform(app: &AppPlan, image: &ResolvedImage, survey: &Survey) -> Option<Refusal> {
    let nodes = survey.platforms();
    let runs = image
        .platforms
        .iter()
        .any(|platform| nodes.contains(platform));
    if image.platforms.is_empty() || nodes.is_empty() || runs {
        return None;
    }
    let list = |platforms: Vec<String>| platforms.join(", ");
    Some(Refusal::app(
        &app.name,
        format!(
            "image {} is for {}, the nodes are {}",
            image.tag,
            list(image.platforms.iter().map(ToString::to_string).collect()),
            list(nodes.iter().map(ToString::to_string).collect()),
        ),
    ))
}
