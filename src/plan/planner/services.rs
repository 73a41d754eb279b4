//! Services that stand in the namespace, and what of a plan they rule out.

use std::collections::{BTreeMap, BTreeSet};

use crate::group::Group;
use crate::plan::bearers::Bearers;
use crate::plan::color::Color;
use crate::plan::label::Role;
use crate::plan::object::Object;
use crate::plan::refusal::Refusal;
use crate::plan::survey::Survey;
use crate::plan::{AppPlan, Plan, ServicePlan};

const RENAME: &str = "give one of the two Services another name";

/// Active Services that have the name of a colour's. This plan's own colour is
/// looked at with all other objects.
pub(super) fn clashing(apps: &[AppPlan], other: Color) -> Vec<Refusal> {
    let services = || apps.iter().flat_map(|app| &app.services);
    let colored = services().map(|service| {
        let active = service.active.name();
        (ServicePlan::colored_name(active, other), active)
    });
    let colored: BTreeMap<_, _> = colored.collect();
    let refuse = |app: &AppPlan, service: &ServicePlan| {
        let active = &service.active;
        let base = colored.get(active.name())?;
        let reason = format!("has the name that Service {base} has for its {other} pods");
        let refusal = Refusal::object(&app.name, &active.reference(), reason);
        Some(refusal.hint(RENAME))
    };
    let of_app = |app| move |service| refuse(app, service);
    apps.iter()
        .flat_map(|app: &AppPlan| app.services.iter().filter_map(of_app(app)))
        .collect()
}

/// Names that the plan has for one kind of Service, and that one of the other kind
/// has: users are at it, or pods of a colour are led by it.
pub(super) fn taken(group: &Group, apps: &[AppPlan], survey: &Survey) -> Vec<Refusal> {
    let stands = |name: &str, role: Role| {
        let mut services = survey.services.iter();
        services.any(|found| found.name() == name && found.is_of(group.name.as_ref(), role))
    };
    // Whatever its labels say by now.
    let live = survey.live.iter().flat_map(Plan::services);
    let used: BTreeSet<_> = live.map(|service| service.active.name()).collect();
    let of_service = |app: &AppPlan, service: &ServicePlan| {
        let refuse = |object: &Object, reason: &str, hint: &str| {
            Refusal::object(&app.name, &object.reference(), reason).hint(hint)
        };
        let (active, colored) = (&service.active, &service.colored);
        let name = colored.name();
        let is_used = used.contains(name) || stands(name, Role::Active);
        let is_used = is_used.then(|| {
            let hint = "give the new Service another name, or promote once more under the old one";
            refuse(colored, "has the name of a Service that users are at", hint)
        });
        let is_led = stands(active.name(), Role::Colored).then(|| {
            let reason = "has the name of a Service by which pods of a colour call each other";
            refuse(active, reason, RENAME)
        });
        is_used.into_iter().chain(is_led)
    };
    let services = apps
        .iter()
        .flat_map(|app| app.services.iter().map(move |service| (app, service)));
    services
        .flat_map(|(app, service)| of_service(app, service))
        .collect()
}

/// Services that are not ours and would send their callers to the candidate at once.
pub(super) fn foreign(group: &Group, apps: &[AppPlan], survey: &Survey) -> Vec<Refusal> {
    let foreign = survey
        .services
        .iter()
        .filter(|service| !service.is_owned_by(group.name.as_ref()));
    let ours = |name: &str| {
        let mut services = apps.iter().flat_map(|app| &app.services);
        services.any(|service| service.active.name() == name)
    };
    // One of the same name is reported once, as an object that is not ours.
    let others = foreign.filter(|service| !ours(service.name()));
    let bearers = Bearers::of(apps);
    let refuse = |service: &Object, app: &AppPlan| {
        Refusal::about(
            format!("Service {}", service.name()),
            format!("is not of this group and selects the pods of app {}", app.name),
        )
        .hint("it would get the candidate's pods before they are tested; narrow its selector or delete it")
    };
    others
        .flat_map(|service| bearers.selected_by(service).map(move |app| (service, app)))
        .map(|(service, app)| refuse(service, app))
        .collect()
}
