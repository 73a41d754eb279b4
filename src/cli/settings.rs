//! `promoter config`: `show`, what holds and who says so. What Terraform knows is taken
//! over by [`import`].

use std::io::Write;
use std::path::Path;

use anstream::ColorChoice;

use super::args::{Config, ConfigCommand, ConfigShow, Format};
use super::exit::Exit;
use super::{CliError, has_color, import, overrides, view};
use crate::adapter::files::Catalog;
use crate::config;
use crate::group::settings::{self, Setting};

pub(super) fn run(
    dir: Option<&Path>,
    color: ColorChoice,
    command: Config,
) -> Result<Exit, CliError> {
    let folder = dir.unwrap_or(Path::new("."));
    let command = match command.command {
        ConfigCommand::Show(command) => command,
        ConfigCommand::ImportTerraform(command) => return import::run(folder, &command),
    };
    let mut settings = of_files(folder, &command)?;
    settings.extend(config::process(dir, color));
    let mut out = anstream::stdout();
    match command.output {
        Format::Text => write!(out, "{}", view::settings(&settings))?,
        Format::Json => writeln!(out, "{:#}", view::settings_json(&settings))?,
    }
    Ok(Exit::Success)
}

/// The settings of the group with its environment, or of every environment.
fn of_files(dir: &Path, command: &ConfigShow) -> Result<Vec<Setting>, CliError> {
    let catalog = Catalog::load(dir);
    let Some(name) = command.of.name() else {
        let names = catalog.environment_names();
        return Ok(names
            .flat_map(|name| of_environment(&catalog, name))
            .collect());
    };
    let overrides = overrides(&command.branch)?;
    let made = catalog
        .group(name, &overrides)
        .map_err(CliError::Problems)?;
    let warnings = catalog.warnings(name);
    if !warnings.is_empty() {
        anstream::eprintln!(
            "{}",
            warnings
                .render(has_color(), view::terminal::messages())
                .trim_end()
        );
    }
    let environment = made.environment.name.as_str();
    let specs = catalog
        .group_spec(name)
        .zip(catalog.environment_spec(environment));
    let mut found: Vec<_> = specs
        .into_iter()
        .flat_map(|(group, environment)| settings::group(group, environment, &overrides, &made))
        .collect();
    found.extend(of_environment(&catalog, environment));
    Ok(found)
}

fn of_environment(catalog: &Catalog, name: &str) -> Vec<Setting> {
    let specs = catalog
        .environment_spec(name)
        .zip(catalog.environment(name));
    let of = |(spec, valid): (_, &crate::group::validate::ValidEnvironment)| {
        let mut found = settings::environment(spec, &valid.environment);
        found.push(config::github_token(&valid.environment.github.api));
        found
    };
    specs.map(of).unwrap_or_default()
}
