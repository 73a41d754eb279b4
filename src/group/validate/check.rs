//! The checks and hooks of a group.
//!
//! Input: the `[[check]]` and `[[hook]]` tables and the layers above them. Output:
//! the valid ones; a problem for all else. They share their names, as all run as Jobs.

use std::collections::BTreeMap;

use super::app::{BranchSpec, branch_image};
use super::report::Report;
use super::{Layers, setting};
use crate::group::START_TIMEOUT;
use crate::group::image::RepositoryName;
use crate::group::name::{AppName, CheckName, GROUP_AND_CHECK, GroupName};
use crate::group::spec::{CheckSpec, Spanned};
use crate::group::{Check, CheckImage, Hook, Report as ReportKind, When};

pub(super) fn checks(
    report: &mut Report,
    layers: &Layers<'_>,
    group: Option<&GroupName>,
) -> Vec<Check> {
    let specs = &layers.group.checks;
    let mut seen = BTreeMap::new();
    let names = layers.group.jobs().filter_map(|spec| spec.name.as_ref());
    for name in names {
        report.once(&mut seen, name, "check or hook ");
    }
    specs
        .iter()
        .filter_map(|spec| job(report, layers, group, "check", spec))
        .collect()
}

pub(super) fn hooks(
    report: &mut Report,
    layers: &Layers<'_>,
    group: Option<&GroupName>,
) -> Vec<Hook> {
    let specs = &layers.group.hooks;
    let hooks = specs.iter().filter_map(|spec| {
        let when: Option<When> = report.choice(spec.when.as_ref(), "when");
        let job = job(report, layers, group, "hook", &spec.job);
        Some(Hook {
            when: when?,
            job: job?,
        })
    });
    hooks.collect()
}

/// A check or a hook; `kind` is what people call it.
fn job(
    report: &mut Report,
    layers: &Layers<'_>,
    group: Option<&GroupName>,
    kind: &str,
    spec: &CheckSpec,
) -> Option<Check> {
    let name = report.parse(spec.name.as_ref(), CheckName::parse);
    if let (Some(name), Some(group), Some(written)) = (&name, group, &spec.name) {
        let length = name.as_str().len() + group.as_str().len();
        if length > GROUP_AND_CHECK {
            let message = format!(
                "the names of the {kind} and its group have {length} characters together, at most {GROUP_AND_CHECK} are possible"
            );
            report.push(report.error(&written.span(), message));
        }
    }
    let image = image(report, layers, kind, spec);
    let env = report.env(spec.env.as_ref());
    let timeout = setting::timeout(report, spec.timeout.as_ref());
    let start_timeout = setting::timeout(report, spec.start_timeout.as_ref());
    let kind = report_kind(report, spec.report.as_ref());
    Some(Check {
        name: name?,
        image: image?,
        command: spec
            .command
            .iter()
            .map(|word| word.get_ref().clone())
            .collect(),
        env,
        timeout: timeout.unwrap_or(layers.defaults.timeout),
        start_timeout: start_timeout.unwrap_or(START_TIMEOUT),
        report: kind.unwrap_or_default(),
    })
}

fn report_kind(report: &mut Report, written: Option<&Spanned<String>>) -> Option<ReportKind> {
    if let Some(written) = written.filter(|written| written.get_ref() == "junit") {
        let problem = report.error(&written.span(), "`report` cannot be `junit` yet");
        report
            .push(problem.hint("it comes later; use \"tap\", or \"none\" for the exit code alone"));
        return None;
    }
    report.choice(written, "report")
}

fn image(
    report: &mut Report,
    layers: &Layers<'_>,
    kind: &str,
    spec: &CheckSpec,
) -> Option<CheckImage> {
    const HINT: &str = "write `repository` (its newest image of a branch), `app` (that app's candidate) or `image` (a full reference)";
    let sources = [&spec.repository, &spec.app, &spec.image];
    let written = sources.iter().filter(|source| source.is_some()).count();
    if written != 1 {
        let message = if written == 0 {
            format!("the {kind} does not say what it runs in")
        } else {
            format!("the {kind} says more than once what it runs in")
        };
        report.push(report.error(&spec.place, message).hint(HINT));
    }
    let repository = report.parse(spec.repository.as_ref(), RepositoryName::parse);
    let app = app(report, layers, spec.app.as_ref());
    let reference = report.parse(spec.image.as_ref(), reference);
    warn_without_tag(report, spec.image.as_ref());
    if written != 1 {
        return None;
    }
    if spec.repository.is_none() {
        for (key, value) in [("branch", &spec.branch), ("tag", &spec.tag)] {
            if let Some(value) = value {
                let message = format!("`{key}` is for {kind}s with a `repository`");
                report.push(report.error(&value.span(), message));
            }
        }
        return app
            .map(CheckImage::App)
            .or(reference.map(CheckImage::Image));
    }
    let written = BranchSpec {
        place: &spec.place,
        repository,
        branch: spec.branch.as_ref(),
        tag: spec.tag.as_ref(),
        app: None,
    };
    branch_image(report, layers, written).map(CheckImage::Branch)
}

fn app(
    report: &mut Report,
    layers: &Layers<'_>,
    written: Option<&Spanned<String>>,
) -> Option<AppName> {
    let written = written?;
    if layers.apps.contains(written.get_ref().as_str()) {
        // What is wrong with the name has been said at the app.
        return AppName::parse(written.get_ref()).ok();
    }
    let message = format!("the group has no app `{}`", written.get_ref());
    let hint = report.meant(written.get_ref(), &layers.apps);
    report.push(report.error(&written.span(), message).maybe_hint(hint));
    None
}

fn reference(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "./:@_-".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not an image reference, write one like name:tag"
        ))
    }
}

/// Without a tag it is `latest`, which nobody means to test with.
fn warn_without_tag(report: &mut Report, written: Option<&Spanned<String>>) {
    let Some(written) = written else { return };
    let last = written.get_ref().rsplit('/').next().unwrap_or_default();
    if !last.contains([':', '@']) {
        let message = format!(
            "the image `{}` has neither tag nor digest, so it is whatever `latest` is",
            written.get_ref()
        );
        report.push(report.error(&written.span(), message).warning());
    }
}
