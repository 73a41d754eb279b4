//! `promoter init`: a first group, from what runs in a cluster and what ECR holds. It
//! is shown first, and written once somebody says so. A file that is there stays.

mod beside;

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::args::Init;
use super::driving::is_wanted;
use super::exit::Exit;
use super::{CliError, view};
use crate::adapter::kubernetes::Context;
use crate::config;
use crate::engine::init::look;
use crate::group::name::{EnvironmentName, GroupName, Namespace};
use crate::plan::init::{self, File, Wish};

pub(super) async fn run(dir: &Path, command: &Init) -> Result<Exit, CliError> {
    let wish = Wish {
        group: parsed(command.group.as_ref(), GroupName::parse)?,
        environment: parsed(command.environment.as_ref(), EnvironmentName::parse)?,
        schemas: dir.join("schema/group.json").is_file(),
    };
    let context = Context::of(command.context.as_deref())?;
    let namespace = command.namespace.as_ref().unwrap_or(&context.namespace);
    let namespace = Namespace::parse(namespace).map_err(CliError::usage)?;
    let surroundings = config::surroundings(&context.name, &namespace).await?;
    let cluster = &surroundings.cluster;
    let found = look(cluster, &surroundings.registry, context.name, namespace);
    let found = Box::pin(found).await?;
    let draft = init::draft(&found, &wish).map_err(CliError::Usage)?;
    let there = beside::there(dir, &draft);
    let mut out = anstream::stdout();
    write!(
        out,
        "{}",
        view::draft(&draft, &there, view::Room::of_results())
    )?;
    beside::check(dir, &draft, &there)?;
    if !command.yes && !is_wanted("write these files?")? {
        let said = "nothing was written; `promoter init --yes` does it";
        anstream::eprint!("{}", view::aside(said));
        return Ok(Exit::Usage);
    }
    let new = draft
        .files
        .iter()
        .filter(|file| !there.contains(&file.path));
    for file in new {
        write_new(dir, file)?;
    }
    write!(out, "{}", view::next_steps(&draft))?;
    Ok(Exit::Success)
}

/// Writes a file that is not there, not even since a moment.
fn write_new(dir: &Path, file: &File) -> Result<(), CliError> {
    let path = dir.join(&file.path);
    let failed = |error: io::Error| {
        let why = match error.kind() {
            ErrorKind::AlreadyExists => "it is there already".to_owned(),
            _ => error.to_string(),
        };
        CliError::Usage(format!("failed to write {}: {why}", path.display()))
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let new = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut new = new.map_err(failed)?;
    new.write_all(file.text.as_bytes()).map_err(failed)
}

fn parsed<T, E: std::error::Error>(
    written: Option<&String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, CliError> {
    written
        .map(|text| parse(text).map_err(CliError::usage))
        .transpose()
}
