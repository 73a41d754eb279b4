//! The apps of a group.
//!
//! Input: the `[[app]]` tables and the layers above them. Output: the apps that
//! are valid by themselves and with each other; a problem for all else.

use std::collections::BTreeMap;
use std::ops::Range;

use super::report::Report;
use super::{Layers, cycle, text};
use crate::group::image::{Branch, RepositoryName, TagPattern};
use crate::group::name::AppName;
use crate::group::problem::did_you_mean;
use crate::group::spec::{AppSpec, Entries, Spanned, map};
use crate::group::{App, BranchImage, Inline, Manifest, PORTS, Proof, REPLICAS};

/// The ends of the names of an app's Deployments and colour Services.
pub(super) const COLORS: [&str; 2] = ["-blue", "-green"];

pub(super) fn apps(report: &mut Report, layers: &Layers<'_>) -> Vec<App> {
    let specs = &layers.group.apps;
    names(report, specs);
    needs(report, layers);
    specs
        .iter()
        .filter_map(|spec| app(report, layers, spec))
        .collect()
}

fn app(report: &mut Report, layers: &Layers<'_>, spec: &AppSpec) -> Option<App> {
    let name = report.parse(spec.name.as_ref(), AppName::parse);
    let repository = repository(report, spec);
    let written = BranchSpec {
        place: &spec.place,
        repository,
        branch: spec.branch.as_ref(),
        tag: spec.tag.as_ref(),
        app: text(spec.name.as_ref()),
    };
    let image = branch_image(report, layers, written);
    let manifest = manifest(report, layers, spec);
    let port = report.number(spec.port.as_ref(), "port", PORTS);
    let replicas = report.number(spec.replicas.as_ref(), "replicas", REPLICAS);
    report.each_once(&spec.needs);
    // Every need that is no valid name of an app has a problem already.
    let needs = spec.needs.iter();
    let needs = needs.filter_map(|need| AppName::parse(need.get_ref()).ok());
    Some(App {
        name: name?,
        image: image?,
        manifest: manifest?,
        port,
        replicas: replicas.or(layers.defaults.replicas),
        needs: needs.collect(),
        values: map(spec.values.as_ref()),
    })
}

/// The app's own, or the one called like the app.
fn repository(report: &mut Report, spec: &AppSpec) -> Option<RepositoryName> {
    if spec.repository.is_some() {
        return report.parse(spec.repository.as_ref(), RepositoryName::parse);
    }
    // What is wrong with the name has been said; a name that is fine but for
    // a repository needs one to be written.
    let name = text(spec.name.as_ref()).filter(|name| AppName::parse(name).is_ok())?;
    let repository = RepositoryName::parse(name).ok();
    if repository.is_none() {
        let message =
            format!("app `{name}` needs a `repository`, no repository can be called like it");
        report.push(report.error(&spec.place, message));
    }
    repository
}

/// What an app or a check says about its image.
pub(super) struct BranchSpec<'a> {
    pub(super) place: &'a Range<usize>,
    pub(super) repository: Option<RepositoryName>,
    pub(super) branch: Option<&'a Spanned<String>>,
    pub(super) tag: Option<&'a Spanned<String>>,
    /// Its name, if it is an app.
    pub(super) app: Option<&'a str>,
}

pub(super) fn branch_image(
    report: &mut Report,
    layers: &Layers<'_>,
    spec: BranchSpec<'_>,
) -> Option<BranchImage> {
    let branch = report.parse(spec.branch, Branch::parse);
    let tag = report.parse(spec.tag, TagPattern::parse);
    if let (Some(tag), Some(written)) = (&tag, spec.tag) {
        names_commit(report, layers, tag, &written.span());
    }
    let forced_app = spec.app.and_then(|app| layers.forced_apps.get(app));
    if spec.branch.is_none() && !layers.has_branch && forced_app.is_none() {
        let problem = report.error(spec.place, "`branch` is missing, here and in [group]");
        report.push(problem.hint("write branch = \"<the branch to run>\""));
    }
    let forced = forced_app
        .cloned()
        .flatten()
        .or_else(|| layers.forced.clone());
    Some(BranchImage {
        repository: spec.repository?,
        branch: forced.or(branch).or_else(|| layers.branch.clone())?,
        tag: tag.unwrap_or_else(|| layers.tag.clone()),
    })
}

/// Only a commit can be proven, so the tag has to name it: a label alone may be
/// that of a base image.
pub(super) fn names_commit(
    report: &mut Report,
    layers: &Layers<'_>,
    tag: &TagPattern,
    place: &Range<usize>,
) {
    if layers.proof == Proof::GithubChecks && !tag.has_sha() {
        let message = format!(
            "`proof = \"github-checks\"` needs {{sha}} in the tag pattern, `{tag}` has none"
        );
        let problem = report.error(place, message);
        report.push(problem.hint("have CI put the commit into the tag, or use \"pushed\""));
    }
}

fn manifest(report: &mut Report, layers: &Layers<'_>, spec: &AppSpec) -> Option<Manifest> {
    let env = report.env(spec.env.as_ref());
    resources(report, spec.resources.as_ref());
    let Some(path) = &spec.manifest else {
        let resources = spec.resources.as_ref();
        let resources = resources.map(|entries| map(Some(entries)).into_iter().collect());
        return Some(Manifest::Inline(Inline { env, resources }));
    };
    let places = [
        ("env", spec.env.as_ref().map(Spanned::span)),
        ("resources", spec.resources.as_ref().map(Spanned::span)),
    ];
    for (key, place) in places {
        if let Some(place) = place {
            let problem = report.error(&place, format!("`{key}` is for apps without a manifest"));
            report.push(problem.hint("write it into the manifest"));
        }
    }
    let unknown = Err("the manifest was not loaded".to_owned());
    let template = match layers.manifests.get(path.get_ref()).unwrap_or(&unknown) {
        Ok(template) => template,
        Err(message) => {
            report.push(report.error(&path.span(), message));
            return None;
        }
    };
    if !mentions_image(&template.text) {
        let message = format!("manifest without the image placeholder: {}", template.path);
        let problem = report.error(&path.span(), message);
        report.push(problem.hint("write {{ image }} where the container's image belongs"));
    }
    Some(Manifest::Template(template.clone()))
}

/// Whether an expression or a statement of the template has the word `image`
/// on its own: `{{ image }}`, not `{{ values.image }}`.
fn mentions_image(template: &str) -> bool {
    let separates = |c: char| !c.is_alphanumeric() && c != '_' && c != '.';
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        let close = match rest.chars().next() {
            Some('{') => "}}",
            Some('%') => "%}",
            Some('#') => "#}",
            _ => continue,
        };
        let Some(end) = rest.find(close) else {
            return false;
        };
        let inside = &rest[1..end.max(1)];
        if close != "#}" && inside.split(separates).any(|word| word == "image") {
            return true;
        }
        rest = &rest[end..];
    }
    false
}

fn resources(report: &mut Report, written: Option<&Spanned<Entries<serde_json::Value>>>) {
    for (key, value) in written.into_iter().flat_map(Spanned::get_ref) {
        let known = ["requests", "limits", "claims"];
        let name = key.get_ref();
        if !known.contains(&name.as_str()) {
            let problem = report.error(&key.span(), format!("`resources` has no key `{name}`"));
            report.push(
                problem.hint(
                    did_you_mean(name, known)
                        .unwrap_or_else(|| "there are requests and limits".to_owned()),
                ),
            );
        } else if name != "claims" && !is_quantities(value) {
            let message = format!(
                "`resources.{name}` must be a table, like {{ cpu = \"250m\", memory = \"128Mi\" }}"
            );
            report.push(report.error(&key.span(), message));
        }
    }
}

fn is_quantities(value: &serde_json::Value) -> bool {
    let quantity = |value: &serde_json::Value| value.is_string() || value.is_number();
    value
        .as_object()
        .is_some_and(|table| table.values().all(quantity))
}

/// Names are there once, and none is that of another app's colour.
fn names(report: &mut Report, specs: &[AppSpec]) {
    let mut seen = BTreeMap::new();
    for name in specs.iter().filter_map(|spec| spec.name.as_ref()) {
        report.once(&mut seen, name, "app ");
    }
    for name in specs.iter().filter_map(|spec| spec.name.as_ref()) {
        let other = COLORS
            .iter()
            .find_map(|color| name.get_ref().strip_suffix(color));
        if let Some(other) = other.filter(|other| seen.contains_key(other)) {
            let message = format!(
                "`{}` is what a Deployment of app `{other}` is called",
                name.get_ref()
            );
            report.push(
                report
                    .error(&name.span(), message)
                    .hint("give one of them another name"),
            );
        }
    }
}

/// Every need is an app of the group, and no app needs itself in the end.
fn needs(report: &mut Report, layers: &Layers<'_>) {
    let mut edges = BTreeMap::new();
    for spec in &layers.group.apps {
        for need in &spec.needs {
            if !layers.apps.contains(need.get_ref().as_str()) {
                let message = format!(
                    "`needs` names `{}`, which is no app of the group",
                    need.get_ref()
                );
                let hint = report.meant(need.get_ref(), &layers.apps);
                report.push(report.error(&need.span(), message).maybe_hint(hint));
            }
        }
        if let Some(name) = text(spec.name.as_ref()) {
            let needs = spec
                .needs
                .iter()
                .map(|need| (need.get_ref().as_str(), need.span()));
            edges.entry(name).or_insert_with(Vec::new).extend(needs);
        }
    }
    for (cycle, place) in cycle::cycles(&edges) {
        let message = format!("`needs` goes in a circle: {}", cycle::along(&cycle));
        report.push(
            report
                .error(&place, message)
                .hint("leave out one of the needs"),
        );
    }
}
