//! `promoter doctor`: whether all that promotions hang on holds.
//!
//! Writes nothing anywhere. What is doubtful keeps nothing from being promoted, so that
//! only what is broken shows in the exit code.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use futures::future::join_all;

use super::args::{Doctor, Format};
use super::exit::Exit;
use super::{CliError, view};
use crate::adapter::files::Catalog;
use crate::config::{self, Reached};
use crate::engine::doctor::{Link, LinkName, State, Subject, examine, links};
use crate::group::name::EnvironmentName;
use crate::group::problem::Problems;
use crate::group::spec::Spanned;
use crate::group::validate::Overrides;
use view::count;

pub(super) async fn run(dir: &Path, command: &Doctor) -> Result<Exit, CliError> {
    let catalog = Catalog::load(dir);
    let (files, subjects) = subjects(&catalog, command)?;
    let looked = subjects.into_values().map(async |subject| {
        let chain = Reached::new(&subject.environment);
        let facts = examine(&subject, &chain).await;
        let links = links(&subject, &facts);
        (subject.environment, links)
    });
    let environments = join_all(looked).await;
    let mut out = anstream::stdout();
    match command.output {
        Format::Text => {
            let room = view::Room::of_results();
            write!(out, "{}", view::doctor(&files, &environments, room))?;
        }
        Format::Json => writeln!(out, "{:#}", view::doctor_json(&files, &environments))?,
    }
    let broken = |link: &Link| link.state == State::Bad;
    let mut outside = environments.iter().flat_map(|(_, links)| links);
    Ok(if broken(&files) {
        Exit::Usage
    } else if outside.any(broken) {
        Exit::Outside
    } else {
        Exit::Success
    })
}

type Subjects = BTreeMap<EnvironmentName, Subject>;

/// Whether the files are good, and what of them can be looked at.
fn subjects(catalog: &Catalog, command: &Doctor) -> Result<(Link, Subjects), CliError> {
    let environments: BTreeSet<&str> = match &command.environment {
        Some(name) if !catalog.environment_names().any(|known| known == name) => {
            config::environment(catalog, Some(name))?;
            BTreeSet::new()
        }
        Some(name) => [name.as_str()].into(),
        None if command.group.is_empty() => catalog.environment_names().collect(),
        None => BTreeSet::new(),
    };
    if environments.is_empty() && command.group.is_empty() {
        config::environments(catalog)?;
    }
    let mut problems = Problems::new();
    let mut subjects = Subjects::new();
    for name in environments.iter().copied() {
        problems.extend(catalog.environment_problems(name));
        if let Some(valid) = catalog.environment(name) {
            let environment = valid.environment.clone();
            let groups = Vec::new();
            subjects.insert(
                environment.name.clone(),
                Subject {
                    environment,
                    groups,
                },
            );
        }
    }
    let is_ours = |name: &&str| match catalog.group_spec(name) {
        Some(spec) => {
            let environment = spec.environment.as_ref().map(Spanned::get_ref);
            environment.is_none_or(|name| environments.contains(name.as_str()))
        }
        // Nobody knows whose it is.
        None => true,
    };
    let groups: Vec<&str> = if command.group.is_empty() {
        catalog.group_names().filter(is_ours).collect()
    } else {
        command.group.iter().map(String::as_str).collect()
    };
    let mut valid = 0;
    for name in groups {
        let unknown = !catalog.group_names().any(|known| known == name);
        match catalog.group(name, &Overrides::default()) {
            Ok(group) => {
                valid += 1;
                let environment = &group.environment;
                let subject = subjects
                    .entry(environment.name.clone())
                    .or_insert_with(|| Subject {
                        environment: environment.clone(),
                        groups: Vec::new(),
                    });
                subject.groups.push(group);
            }
            Err(found) if unknown => return Err(CliError::Problems(found)),
            Err(found) => problems.extend(found),
        }
    }
    Ok((files(&problems, valid, subjects.len()), subjects))
}

/// What is to be said of the files.
fn files(problems: &Problems, groups: usize, environments: usize) -> Link {
    let errors = problems.errors().count();
    if errors == 0 {
        let found = format!(
            "{} in {}",
            count(groups, "valid group"),
            count(environments, "environment")
        );
        return Link::new(LinkName::Files, State::Good, found);
    }
    let files: BTreeSet<_> = problems.errors().map(|error| error.source.path()).collect();
    let files: Vec<_> = files.into_iter().collect();
    let found = format!("{} in {}", count(errors, "problem"), files.join(", "));
    Link::new(LinkName::Files, State::Bad, found)
        .help("`promoter validate` shows each in its place; what is not valid is not looked at")
}
