//! From what was written to what is valid, with every problem at once.
//!
//! Input: a [`GroupSpec`], its environment, the texts of its manifests and what
//! the command line says. Output: a [`Group`], or all that is wrong with it;
//! warnings in both cases. Each setting is taken from the nearest layer that
//! has it: command line, app or check, group, environment, built in. Nothing
//! is read from disk, and no problem hides another.

mod across;
mod app;
mod check;
mod cycle;
mod environment;
mod report;
mod setting;

use std::collections::{BTreeMap, BTreeSet};

pub use across::across;
pub use environment::{Defaults, ValidEnvironment, environment};

use super::image::{Branch, TagPattern};

use super::name::GroupName;
use super::problem::{Problem, Problems};
use super::spec::{GroupSpec, Spanned};
use super::triggers::Triggers;
use super::{Group, PARALLEL, PARALLEL_CHECKS, Proof, Strategy, Template, Untested};
use report::Report;

/// What the command line says over the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The branch of every app and check with a repository.
    pub branch: Option<String>,
    /// The branches of single apps, by name; nearer than `branch`.
    pub app_branches: BTreeMap<String, String>,
}

/// The manifests a group names, by the path written in it: the file, or what
/// is wrong with it, as a message that begins with "the manifest".
pub type Manifests = BTreeMap<String, Result<Template, String>>;

/// What is said above the apps and checks of a group.
struct Layers<'a> {
    /// Built-in and the environment's.
    defaults: Defaults,
    group: &'a GroupSpec,
    /// The names of its apps, valid or not.
    apps: BTreeSet<&'a str>,
    /// The group's own branch, or the environment's.
    branch: Option<Branch>,
    /// Whether some layer has a branch, be it a valid one or not.
    has_branch: bool,
    tag: TagPattern,
    proof: Proof,
    manifests: &'a Manifests,
    /// The command line's branch for everything.
    forced: Option<Branch>,
    /// The command line's branches of single apps.
    forced_apps: BTreeMap<&'a str, Option<Branch>>,
}

/// Validates a group by itself; [`across`] does it among all others.
///
/// Without an environment (there is none of the name, or it is not valid, both
/// told elsewhere) there is no group, but still all problems of the file.
pub fn group(
    spec: &GroupSpec,
    environment: Option<&ValidEnvironment>,
    manifests: &Manifests,
    overrides: &Overrides,
) -> (Option<Group>, Problems) {
    let mut report = Report::new(&spec.source);
    let layers = layers(&mut report, spec, environment, manifests, overrides);
    let name = name(&mut report, spec);
    let strategy = strategy(&mut report, spec, &layers.defaults);
    let newest = setting::newest(&mut report, spec.newest.as_ref());
    let triggers = triggers(&mut report, spec, &layers.defaults);
    report.each_once(&spec.requires);
    let requires = spec.requires.iter();
    let requires = requires
        .filter_map(|name| report.parse(Some(name), GroupName::parse))
        .collect();
    let apps = app::apps(&mut report, &layers);
    let checks = check::checks(&mut report, &layers, name.as_ref());
    let hooks = check::hooks(&mut report, &layers, name.as_ref());
    shared_tag(&mut report, &layers);
    counts(&mut report, spec, environment);

    let made = || {
        Some(Group {
            name: name?,
            environment: environment?.environment.clone(),
            triggers,
            requires,
            proof: layers.proof,
            newest: newest.unwrap_or(layers.defaults.newest),
            strategy,
            apps,
            checks,
            hooks,
        })
    };
    let made = made();
    (
        made.filter(|_| !report.problems.has_errors()),
        report.problems,
    )
}

fn triggers(report: &mut Report, spec: &GroupSpec, defaults: &Defaults) -> Triggers {
    let (cron, timezone) = (spec.schedule.as_ref(), spec.timezone.as_ref());
    Triggers {
        schedule: setting::schedule(report, cron, timezone, defaults),
        jitter: setting::bounded(report, spec.jitter.as_ref()).unwrap_or(defaults.jitter),
        on_push: spec
            .on_push
            .as_ref()
            .map_or(defaults.on_push, |on| *on.get_ref()),
        quiet_period: setting::bounded(report, spec.quiet_period.as_ref())
            .unwrap_or(defaults.quiet_period),
    }
}

fn layers<'a>(
    report: &mut Report,
    spec: &'a GroupSpec,
    environment: Option<&ValidEnvironment>,
    manifests: &'a Manifests,
    overrides: &'a Overrides,
) -> Layers<'a> {
    let defaults = environment.map_or_else(Defaults::default, |valid| valid.defaults.clone());
    let branch = report.parse(spec.branch.as_ref(), Branch::parse);
    let tag = report.parse(spec.tag.as_ref(), TagPattern::parse);
    let proof = setting::proof(report, spec.proof.as_ref());
    let apps: BTreeSet<&str> = spec
        .apps
        .iter()
        .filter_map(|app| text(app.name.as_ref()))
        .collect();
    let mut forced_apps = BTreeMap::new();
    for (app, branch) in &overrides.app_branches {
        if !apps.contains(app.as_str()) {
            let message = format!("the group has no app `{app}`");
            let known = || apps.iter().copied().collect::<Vec<_>>().join(", ");
            let hint = report.meant(app, &apps);
            let hint = hint.unwrap_or_else(|| format!("its apps are {}", known()));
            report.push(Problem::general(COMMAND_LINE, message).hint(hint));
        }
        forced_apps.insert(app.as_str(), forced(report, branch));
    }
    Layers {
        // Without its environment nobody can tell whether a branch is missing.
        has_branch: spec.branch.is_some()
            || overrides.branch.is_some()
            || environment.is_none_or(|valid| valid.defaults.branch.is_some()),
        branch: branch.or_else(|| defaults.branch.clone()),
        tag: tag.unwrap_or_else(|| defaults.tag.clone()),
        proof: proof.unwrap_or(defaults.proof),
        defaults,
        group: spec,
        apps,
        manifests,
        forced: overrides
            .branch
            .as_deref()
            .and_then(|branch| forced(report, branch)),
        forced_apps,
    }
}

/// What problems of [`Overrides`] are said to be in.
const COMMAND_LINE: &str = "command line";

fn forced(report: &mut Report, branch: &str) -> Option<Branch> {
    Branch::parse(branch)
        .map_err(|error| report.push(Problem::general(COMMAND_LINE, error.to_string())))
        .ok()
}

fn name(report: &mut Report, spec: &GroupSpec) -> Option<GroupName> {
    let name = report.parse(spec.name.as_ref(), GroupName::parse);
    report.same_as_stem(spec.name.as_ref());
    name
}

fn strategy(report: &mut Report, spec: &GroupSpec, defaults: &Defaults) -> Strategy {
    let written = &spec.strategy;
    setting::kind(report, written.kind.as_ref());
    let keep_old = setting::keep_old(report, written.keep_old.as_ref());
    let keep_failed = setting::bounded(report, written.keep_failed.as_ref());
    let deploy_timeout = setting::timeout(report, written.deploy_timeout.as_ref());
    Strategy {
        keep_old: keep_old.unwrap_or(defaults.keep_old),
        keep_failed: keep_failed.unwrap_or_default(),
        deploy_timeout: deploy_timeout.unwrap_or(defaults.deploy_timeout),
        endpoint_delay: setting::endpoint_delay(report, written.endpoint_delay.as_ref())
            .unwrap_or(defaults.endpoint_delay),
        isolation: setting::isolation(report, written.isolation.as_ref())
            .unwrap_or(defaults.isolation),
        on_regression: setting::on_regression(report, written.on_regression.as_ref())
            .unwrap_or_default(),
        parallel_checks: report
            .number(
                written.parallel_checks.as_ref(),
                "parallel_checks",
                PARALLEL,
            )
            .unwrap_or(PARALLEL_CHECKS),
    }
}

/// Whoever has no tag pattern of its own uses one that proves its images.
fn shared_tag(report: &mut Report, layers: &Layers<'_>) {
    let spec = layers.group;
    let apps = spec.apps.iter().any(|app| app.tag.is_none());
    let mut jobs = spec.jobs();
    let jobs = jobs.any(|job| job.repository.is_some() && job.tag.is_none());
    if apps || jobs {
        let written = spec.tag.as_ref().or(spec.proof.as_ref());
        let place = written.map_or_else(|| spec.place.clone(), Spanned::span);
        app::names_commit(report, layers, &layers.tag, &place);
    }
}

/// A group has an app, and something that tests it.
fn counts(report: &mut Report, spec: &GroupSpec, environment: Option<&ValidEnvironment>) {
    if spec.apps.is_empty() {
        let problem = report.error(&spec.place, "the group has no app");
        report.push(problem.hint("add an [[app]] table"));
    }
    let Some(environment) = environment.filter(|_| spec.checks.is_empty()) else {
        return;
    };
    let name = &environment.environment.name;
    match environment.environment.untested {
        Untested::Refused => {
            let problem = report.error(
                &spec.place,
                "the group has no check, so nothing would be tested",
            );
            report.push(problem.hint(format!(
                "add a [[check]] table, or write untested = \"allowed\" into the environment `{name}`"
            )));
        }
        Untested::Allowed => {
            let message = format!(
                "the group has no check, and the environment `{name}` allows it: nothing is tested"
            );
            report.push(report.error(&spec.place, message).warning());
        }
    }
}

fn text(written: Option<&Spanned<String>>) -> Option<&str> {
    written.map(|written| written.get_ref().as_str())
}

#[cfg(test)]
mod tests;
