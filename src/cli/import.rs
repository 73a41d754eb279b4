//! `promoter config import-terraform`: an environment's file, from what Terraform made.
//! It shows what changes and writes it without asking, as scripts do it after each
//! `terraform apply`; a second time there is nothing to change.

mod replace;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use super::args::ImportTerraform;
use super::exit::Exit;
use super::{CliError, view};
use crate::adapter::files::Catalog;
use crate::group::terraform::{ImportError, Imported, Made, import};
use crate::group::validate::Overrides;
use view::Stranger;

/// More than any output is; what goes on for longer is something else.
const LARGEST: u64 = 16 << 20;

/// What tells how it is used.
const USAGE: &str = "which output? pipe it in, as in `terraform -chdir=terraform output -json promoter | promoter config import-terraform -`, or name a file that holds it";

pub(super) fn run(dir: &Path, command: &ImportTerraform) -> Result<Exit, CliError> {
    let made = Made::read(&text(command.file.as_deref())?).map_err(CliError::usage)?;
    let name = made.environment.as_str();
    let path = format!("environments/{name}.toml");
    let catalog = Catalog::load(dir);
    let there = match catalog.environment_spec(name) {
        Some(spec) => Some(spec.source.text()),
        None if catalog.environment_names().any(|known| known == name) => {
            return Err(CliError::Problems(catalog.environment_problems(name)));
        }
        None => None,
    };
    let schemas = dir.join("schema/environment.json").is_file();
    let file = dir.join(&path);
    let shown = file.strip_prefix(".").unwrap_or(&file).to_string_lossy();
    let imported = import(&made, &shown, there, schemas).map_err(|error| match error {
        ImportError::Problems(problems) => CliError::Problems(problems),
        ImportError::OtherName { .. } => CliError::usage(error),
    })?;
    let strangers = beside(dir, &path, &made, &imported)?;
    let mut out = anstream::stdout();
    let room = view::Room::of_results();
    write!(
        out,
        "{}",
        view::imported(&shown, &imported, &strangers, room)
    )?;
    if imported.changes() && !command.dry_run {
        replace::replace(&file, &imported.text)
            .map_err(|error| CliError::Usage(format!("failed to write {shown}: {error}")))?;
    }
    let next = view::next_after_import(&made.environment, imported.changes(), command.dry_run);
    write!(out, "{next}")?;
    Ok(Exit::Success)
}

/// What Terraform said.
fn text(file: Option<&Path>) -> Result<String, CliError> {
    let file = file.filter(|file| *file != Path::new("-"));
    let name = file.map_or("standard input".into(), Path::to_string_lossy);
    let failed = |why: &dyn std::fmt::Display| {
        CliError::Usage(format!(
            "failed to read Terraform's output from {name}: {why}"
        ))
    };
    let reader: Box<dyn Read> = match file {
        Some(file) => Box::new(File::open(file).map_err(|error| failed(&error))?),
        None if io::stdin().is_terminal() => return Err(CliError::Usage(USAGE.to_owned())),
        None => Box::new(io::stdin()),
    };
    let mut text = String::new();
    let read = reader.take(LARGEST + 1).read_to_string(&mut text);
    read.map_err(|error| failed(&error))?;
    if text.len() as u64 > LARGEST {
        return Err(failed(&"it is larger than 16 MiB"));
    }
    Ok(text)
}

/// Looks at the file beside the others, as if it were written: which groups use what
/// Terraform did not make.
fn beside(
    dir: &Path,
    path: &str,
    made: &Made,
    imported: &Imported,
) -> Result<Vec<Stranger>, CliError> {
    let new = BTreeMap::from([(path.to_owned(), imported.text.clone())]);
    let catalog = Catalog::with(dir, &new);
    let problems = catalog.environment_problems(made.environment.as_str());
    if problems.has_errors() {
        return Err(CliError::Problems(problems));
    }
    let Some(known) = &made.repositories else {
        return Ok(Vec::new());
    };
    let groups = catalog.group_names();
    let groups = groups.filter_map(|name| catalog.group(name, &Overrides::default()).ok());
    let ours = groups.filter(|group| group.environment.name == made.environment);
    let stranger = |group: crate::group::Group| {
        let images = group.branch_images();
        let others =
            images.filter(|image| !known.iter().any(|known| known == image.repository.as_str()));
        let repositories: BTreeSet<_> = others.map(|image| image.repository.clone()).collect();
        let group = group.name;
        (!repositories.is_empty()).then_some(Stranger {
            group,
            repositories,
        })
    };
    Ok(ours.filter_map(stranger).collect())
}
