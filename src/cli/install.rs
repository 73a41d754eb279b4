//! `promoter install`: prepare a cluster for promotions.

use std::io::Write;
use std::path::Path;

use super::CliError;
use super::args::Install;
use super::exit::Exit;
use crate::adapter::files::Catalog;
use crate::adapter::kubernetes::{definition_yaml, install, role_yaml};
use crate::config;

pub(super) async fn run(dir: &Path, command: &Install) -> Result<Exit, CliError> {
    let mut out = anstream::stdout();
    if command.print_definition {
        write!(out, "{}", definition_yaml())?;
        return Ok(Exit::Success);
    }
    let catalog = Catalog::load(dir);
    let environment = config::environment(&catalog, command.environment.as_deref())?;
    if command.print_role {
        write!(out, "{}", role_yaml(&environment.namespace))?;
        return Ok(Exit::Success);
    }
    let connection = config::connection(&environment.cluster).await?;
    let installed = install(&connection, &environment.namespace).await?;
    anstream::eprintln!(
        "cluster {} is ready for groups of environment {}:",
        connection.name(),
        environment.name
    );
    for object in installed.0 {
        anstream::eprintln!("  {object}");
    }
    anstream::eprintln!("whoever deploys needs these, bound to them:");
    write!(out, "{}", role_yaml(&environment.namespace))?;
    Ok(Exit::Success)
}
