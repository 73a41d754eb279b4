//! `promoter install`: prepare a cluster for promotions.

use std::io::Write;
use std::path::Path;

use super::CliError;
use super::args::{Install, Promoter};
use super::exit::Exit;
use crate::adapter::files::Catalog;
use crate::adapter::kubernetes::{Who, definition_yaml, install, role_yaml};
use crate::config;

pub(super) async fn run(dir: &Path, command: &Install) -> Result<Exit, CliError> {
    let mut out = anstream::stdout();
    if command.print_definition {
        write!(out, "{}", definition_yaml())?;
        return Ok(Exit::Success);
    }
    let catalog = Catalog::load(dir);
    let environment = config::environment(&catalog, command.environment.as_deref())?;
    if let Some(promoter) = command.print_role {
        let who = match promoter {
            Promoter::Person => Who::Person,
            Promoter::Daemon => Who::Daemon,
        };
        write!(out, "{}", role_yaml(&environment.namespace, who))?;
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
    write!(out, "{}", role_yaml(&environment.namespace, Who::Person))?;
    Ok(Exit::Success)
}
