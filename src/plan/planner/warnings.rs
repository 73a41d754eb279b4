//! What a person should know before a plan is carried out, though nothing speaks against it.

use crate::group::{CheckImage, Group};
use crate::plan::AppPlan;
use crate::plan::image::{CheckImageRef, Resolved};
use crate::plan::survey::Survey;

pub(super) fn warnings(
    group: &Group,
    resolved: &Resolved,
    apps: &[AppPlan],
    survey: &Survey,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if group.checks.is_empty() {
        warnings.push(format!(
            "group {} has no checks; environment {} allows that, so nothing will be tested",
            group.name, group.environment.name
        ));
    }
    for app in apps {
        warnings.extend(
            app.image
                .warnings
                .iter()
                .map(|warning| format!("app {}: {warning}", app.name)),
        );
        if app.image.platforms.is_empty() {
            warnings.push(format!(
                "app {}: the registry does not tell which platforms its image runs on",
                app.name
            ));
        }
        if app.deployment.0.to_string().contains("\"hostPort\"") {
            warnings.push(format!(
                "app {}: uses a hostPort, so both colours cannot run on one node",
                app.name
            ));
        }
        if app.shared.iter().any(|object| object.kind() == "Ingress") {
            warnings.push(format!(
                "app {}: calls between members through its Ingress are not kept to one colour",
                app.name
            ));
        }
        warnings.extend(
            scaling_warning(app, survey).map(|warning| format!("app {}: {warning}", app.name)),
        );
    }
    let checks = group.checks.iter().map(|check| ("check", check));
    let hooks = group.hooks.iter().map(|hook| ("hook", &hook.job));
    for (kind, job) in checks.chain(hooks) {
        // In the image of an app, whose warnings were said.
        if matches!(job.image, CheckImage::App(_)) {
            continue;
        }
        let image = resolved.checks.get(&job.name);
        let of_image = image.and_then(CheckImageRef::resolved).into_iter();
        warnings.extend(
            of_image
                .flat_map(|image| &image.warnings)
                .map(|warning| format!("{kind} {}: {warning}", job.name)),
        );
    }
    if survey.nodes.is_empty() {
        warnings.push("nodes cannot be listed, so free room is unknown".to_owned());
    }
    warnings
}

/// What a person may not expect of the number of pods.
fn scaling_warning(app: &AppPlan, survey: &Survey) -> Option<String> {
    let serving = survey.ready(&app.name);
    let count = app.count(serving);
    let live = survey.live.iter().flat_map(|live| &live.apps);
    let was_scaled = live
        .filter(|live| live.name == app.name)
        .any(|live| live.autoscaler.is_some());
    match (&app.autoscaler, serving) {
        (Some(_), Some(serving)) if count < serving => Some(format!(
            "{serving} pods serve, but its autoscaler allows {count} from now on"
        )),
        (None, Some(serving)) if was_scaled && count < serving => Some(format!(
            "its autoscaler goes; {serving} pods serve, and {count} will"
        )),
        (Some(autoscaler), _) if autoscaler.start.is_some() => Some(
            "`replicas` only counts where nothing serves yet; after that its autoscaler rules"
                .to_owned(),
        ),
        _ => None,
    }
}
