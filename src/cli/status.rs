//! `promoter status`: what the cluster knows, without driving anything.

use std::io::Write;
use std::path::Path;

use futures::StreamExt;

use super::args::{Format, Status};
use super::exit::Exit;
use super::{CliError, now, view};
use crate::adapter::files::Catalog;
use crate::adapter::kubernetes::{GroupStatus, list_groups, look_closer, watch_groups};
use crate::config;
use crate::group::Environment;
use crate::group::validate::Overrides;
use crate::port::ClusterError;

pub(super) async fn run(dir: &Path, command: Status) -> Result<Exit, CliError> {
    let catalog = Catalog::load(dir);
    let Some(name) = command.of.name() else {
        if command.watch {
            return Err(CliError::Usage(
                "--watch shows one group; name it".to_owned(),
            ));
        }
        return all(&catalog, &command).await;
    };
    let environment = environment(&catalog, &command)?;
    let connection = config::connection(&environment.cluster).await?;
    let mut out = anstream::stdout();
    if command.watch {
        let mut changes = watch_groups(&connection, &environment.namespace, name);
        while let Some(status) = changes.next().await {
            show(&mut out, &status?, command.output)?;
        }
        return Ok(Exit::Success);
    }
    let groups = list_groups(&connection, &environment.namespace).await?;
    let known: Vec<_> = groups.iter().map(|group| group.name.clone()).collect();
    let Some(mut status) = groups.into_iter().find(|group| group.name == name) else {
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        return Err(CliError::Usage(format!(
            "group {name} was never promoted in environment {}; groups there: {known}",
            environment.name,
        )));
    };
    look_closer(&connection, &environment.namespace, &mut status).await?;
    show(&mut out, &status, command.output)?;
    Ok(Exit::Success)
}

/// Every group of the named environment, or of all of them.
async fn all(catalog: &Catalog, command: &Status) -> Result<Exit, CliError> {
    let environments = match &command.environment {
        Some(name) => vec![config::environment(catalog, Some(name))?],
        None => config::environments(catalog)?,
    };
    let mut out = anstream::stdout();
    let mut groups = Vec::new();
    for environment in environments {
        let connection = config::connection(&environment.cluster).await?;
        let mut here = match list_groups(&connection, &environment.namespace).await {
            // Nothing was promoted where promoter is not installed.
            Err(ClusterError::NotInstalled) => Vec::new(),
            here => here?,
        };
        for group in &mut here {
            look_closer(&connection, &environment.namespace, group).await?;
        }
        if command.output == Format::Text {
            let place = format!(
                "environment {} (namespace {}, cluster {})",
                environment.name,
                environment.namespace,
                connection.name()
            );
            write!(out, "{}", view::note(&place))?;
            write!(out, "{}", view::status(&here, now()))?;
        }
        groups.extend(here);
    }
    if command.output == Format::Json {
        writeln!(out, "{:#}", view::status_json(&groups))?;
    }
    Ok(Exit::Success)
}

/// The named environment, or that of the named group, or the only one.
fn environment(catalog: &Catalog, command: &Status) -> Result<Environment, CliError> {
    if let (None, Some(group)) = (&command.environment, command.of.name())
        && let Ok(group) = catalog.group(group, &Overrides::default())
    {
        return Ok(group.environment);
    }
    Ok(config::environment(
        catalog,
        command.environment.as_deref(),
    )?)
}

fn show(out: &mut impl Write, status: &GroupStatus, format: Format) -> Result<(), CliError> {
    match format {
        Format::Json => writeln!(out, "{}", view::status_json(std::slice::from_ref(status)))?,
        Format::Text => write!(out, "{}", view::status_detail(status, now()))?,
    }
    Ok(())
}
