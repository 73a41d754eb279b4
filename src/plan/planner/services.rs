//! Services that stand in the namespace, and what of a plan they rule out.

use crate::group::Group;
use crate::plan::bearers::Bearers;
use crate::plan::label::{ROLE, Role};
use crate::plan::object::Object;
use crate::plan::refusal::Refusal;
use crate::plan::survey::Survey;
use crate::plan::{AppPlan, ServicePlan};

/// Names that the plan has for one kind of Service, and that one of the other kind
/// has: users are at it, or pods that serve are led by it.
pub(super) fn taken(group: &Group, apps: &[AppPlan], survey: &Survey) -> Vec<Refusal> {
    let stands = |name: &str, role: Role| {
        let mut services = survey.services.iter();
        services.any(|found| {
            found.name() == name
                && found.is_owned_by(group.name.as_ref())
                && found.label(ROLE) == Some(role.as_str())
        })
    };
    // The one of the idle colour makes room.
    let serving = survey.serving.as_ref().map(|serving| serving.color);
    let leads = |name: &str| {
        let serves = serving.is_some_and(|color| ServicePlan::is_colored_name(name, color));
        serves && stands(name, Role::Colored)
    };
    let of_service = |app: &AppPlan, service: &ServicePlan| {
        let refuse = |object: &Object, reason: &str| {
            let refusal = Refusal::object(&app.name, &object.reference(), reason);
            refusal.hint("give one of the two Services another name, in a promotion of its own")
        };
        let (active, colored) = (&service.active, &service.colored);
        let is_used = stands(colored.name(), Role::Active)
            .then(|| refuse(colored, "has the name of a Service that users are at"));
        let is_led = leads(active.name()).then(|| {
            refuse(
                active,
                "has the name of a Service by which pods that serve call each other",
            )
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
