//! `promoter schedule`: when the daemon promotes which group, by the files alone.

use std::io::Write;
use std::path::Path;

use super::args::{Format, Schedule};
use super::exit::Exit;
use super::{CliError, now, view};
use crate::adapter::files::Catalog;
use crate::config;
use crate::group::Group;
use crate::group::validate::Overrides;

pub(super) fn run(dir: &Path, command: &Schedule) -> Result<Exit, CliError> {
    let catalog = Catalog::load(dir);
    let groups = groups(&catalog, command)?;
    let next = usize::from(command.next.get());
    let mut out = anstream::stdout();
    match command.output {
        Format::Text => write!(
            out,
            "{}",
            view::schedule(&groups, now(), next, view::Room::of_results())
        )?,
        Format::Json => writeln!(out, "{:#}", view::schedule_json(&groups, now(), next))?,
    }
    Ok(Exit::Success)
}

fn groups(catalog: &Catalog, command: &Schedule) -> Result<Vec<Group>, CliError> {
    if let Some(name) = command.of.name() {
        let group = catalog.group(name, &Overrides::default());
        return Ok(vec![group.map_err(CliError::Problems)?]);
    }
    let validation = catalog.validate_all();
    if validation.problems.has_errors() {
        return Err(CliError::Problems(validation.problems));
    }
    let mut groups = validation.groups;
    if let Some(name) = &command.environment {
        let environment = config::environment(catalog, Some(name))?;
        groups.retain(|group| group.environment.name == environment.name);
    }
    Ok(groups)
}
