//! What only shows when all groups and environments are seen together.
//!
//! Input: every file, by its stem; `None` for one whose syntax is broken.
//! Output: problems, each in the file it can be put right in. Two groups in
//! conflict both get one, so that neither is promoted.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::app::COLORS;
use super::{cycle, text};
use crate::group::problem::{Problem, Problems, Source, did_you_mean};
use crate::group::spec::{AppSpec, EnvironmentSpec, GroupSpec, Spanned};

type Files<T> = BTreeMap<String, Option<T>>;

/// Validates groups and environments among each other.
pub fn across(groups: &Files<GroupSpec>, environments: &Files<EnvironmentSpec>) -> Problems {
    let mut problems = Problems::new();
    for (name, group) in groups {
        let Some(group) = group else { continue };
        problems.extend(unknown_environment(group, environments));
        problems.extend(
            group
                .requires
                .iter()
                .filter_map(|required| requirement(group, required, groups)),
        );
        for (other_name, other) in groups {
            if let Some(other) = other.as_ref().filter(|_| other_name != name) {
                problems.extend(claims(group, other_name, other));
            }
        }
    }
    problems.extend(circles(groups));
    problems.extend(shared_places(environments));
    problems
}

fn unknown_environment(
    group: &GroupSpec,
    environments: &Files<EnvironmentSpec>,
) -> Option<Problem> {
    let written = group.environment.as_ref()?;
    if environments.contains_key(written.get_ref()) {
        return None;
    }
    let known: Vec<&str> = environments.keys().map(String::as_str).collect();
    let message = format!("there is no environment `{}`", written.get_ref());
    let hint = did_you_mean(written.get_ref(), known.iter().copied()).unwrap_or_else(|| {
        let make = format!("add environments/{}.toml", written.get_ref());
        if known.is_empty() {
            make
        } else {
            format!("there are {}; or {make}", known.join(", "))
        }
    });
    Some(at(&group.source, written, message).hint(hint))
}

fn requirement(
    group: &GroupSpec,
    required: &Spanned<String>,
    groups: &Files<GroupSpec>,
) -> Option<Problem> {
    let Some(other) = groups.get(required.get_ref()) else {
        let message = format!(
            "`requires` names `{}`, which is no group",
            required.get_ref()
        );
        let hint = did_you_mean(required.get_ref(), groups.keys().map(String::as_str));
        return Some(at(&group.source, required, message).maybe_hint(hint));
    };
    let theirs = text(other.as_ref()?.environment.as_ref())?;
    let ours = text(group.environment.as_ref())?;
    (ours != theirs).then(|| {
        let message = format!(
            "`requires` names `{}`, which runs in the environment `{theirs}` and not in `{ours}`",
            required.get_ref()
        );
        at(&group.source, required, message)
            .hint("a group can only require groups of its own environment")
    })
}

/// Apps of `group` whose objects an app of `other` would have as well.
fn claims(group: &GroupSpec, other_name: &str, other: &GroupSpec) -> Vec<Problem> {
    let environment = text(group.environment.as_ref());
    if environment.is_none() || environment != text(other.environment.as_ref()) {
        return Vec::new();
    }
    let environment = environment.unwrap_or_default();
    let theirs: BTreeMap<&str, &Spanned<String>> = names(&other.apps)
        .map(|name| (name.get_ref().as_str(), name))
        .collect();
    let clash = |name: &Spanned<String>| {
        let own = name.get_ref().as_str();
        if let Some(their) = theirs.get(own) {
            let (line, column) = other.source.position(their.span().start);
            let place = format!("{}:{line}:{column}", other.source.path());
            let message = format!(
                "app `{own}` is also in group `{other_name}` ({place}), and both run in the environment `{environment}`"
            );
            let hint = "an app belongs to one group of an environment; rename it, or give one group another environment";
            return Some(at(&group.source, name, message).hint(hint));
        }
        let ours = COLORS.map(|color| format!("{own}{color}"));
        let stem = COLORS.iter().find_map(|color| own.strip_suffix(color));
        let alike = ours.iter().map(String::as_str).chain(stem);
        let theirs = alike.filter(|name| theirs.contains_key(name)).min()?;
        let message = format!(
            "a Deployment of app `{own}` and one of app `{theirs}` in group `{other_name}` get the same name"
        );
        Some(at(&group.source, name, message).hint("give one of them another name"))
    };
    names(&group.apps).filter_map(clash).collect()
}

fn names(apps: &[AppSpec]) -> impl Iterator<Item = &Spanned<String>> {
    apps.iter().filter_map(|app| app.name.as_ref())
}

fn circles(groups: &Files<GroupSpec>) -> Vec<Problem> {
    let edge = |required: &Spanned<String>| (required.span(), required.get_ref().clone());
    let written: Vec<_> = groups
        .iter()
        .filter_map(|(name, group)| group.as_ref().map(|group| (name, group)))
        .map(|(name, group)| {
            (
                name.as_str(),
                group.requires.iter().map(edge).collect::<Vec<_>>(),
            )
        })
        .collect();
    let edges = written
        .iter()
        .map(|(name, requires)| {
            (
                *name,
                requires
                    .iter()
                    .map(|(place, name)| (name.as_str(), place.clone()))
                    .collect(),
            )
        })
        .collect();
    let mut problems = Vec::new();
    for (circle, _) in cycle::cycles(&edges) {
        // Every group along the circle waits for ever, so each is told.
        for pair in circle.windows(2) {
            let (name, next) = (pair[0], pair[1]);
            let Some(Some(group)) = groups.get(name) else {
                continue;
            };
            let Some(required) = group
                .requires
                .iter()
                .find(|required| required.get_ref() == next)
            else {
                continue;
            };
            let message = format!("`requires` goes in a circle: {}", cycle::along(&circle));
            problems.push(
                at(&group.source, required, message).hint("leave out one of the requirements"),
            );
        }
    }
    problems
}

/// Two environments in one namespace would take each other's objects down.
fn shared_places(environments: &Files<EnvironmentSpec>) -> Vec<Problem> {
    let mut places: BTreeMap<_, Vec<(&str, &EnvironmentSpec, Range<usize>)>> = BTreeMap::new();
    for (name, spec) in environments {
        let Some(spec) = spec else { continue };
        let (Some(cluster), Some(namespace)) = (&spec.cluster, &spec.namespace) else {
            continue;
        };
        // Who asks makes no other cluster of it.
        let cluster = [&cluster.context, &cluster.eks, &cluster.region];
        let place = (
            cluster.map(|written| text(written.as_ref())),
            namespace.get_ref(),
        );
        places
            .entry(place)
            .or_default()
            .push((name, spec, namespace.span()));
    }
    let mut problems = Vec::new();
    for sharing in places.values().filter(|sharing| sharing.len() > 1) {
        for (name, spec, place) in sharing {
            let others: Vec<_> = sharing
                .iter()
                .map(|(other, ..)| *other)
                .filter(|other| other != name)
                .collect();
            let message = format!(
                "the environment `{}` has the same cluster and namespace",
                others.join("`, `")
            );
            problems.push(
                Problem::error(&spec.source, place.clone(), message)
                    .hint("give each a namespace of its own"),
            );
        }
    }
    problems
}

fn at(source: &Arc<Source>, written: &Spanned<String>, message: String) -> Problem {
    Problem::error(source, written.span(), message)
}
