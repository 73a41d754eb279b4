//! `promoter validate`: every problem of the files, or a line that all is well.

use std::io::Write;
use std::path::Path;

use super::args::Validate;
use super::exit::Exit;
use super::{CliError, has_color, view};
use crate::adapter::files::Catalog;

pub(super) fn run(dir: &Path, command: &Validate) -> Result<Exit, CliError> {
    let catalog = Catalog::load(dir);
    let validation = match command.paths.as_slice() {
        [] => catalog.validate_all(),
        paths => catalog.validate(paths),
    };
    if validation.problems.has_errors() {
        return Err(CliError::Problems(validation.problems));
    }
    if !validation.problems.is_empty() {
        anstream::eprintln!(
            "{}",
            validation
                .problems
                .render(has_color(), view::terminal::messages())
                .trim_end()
        );
    }
    let mut out = anstream::stdout();
    write!(
        out,
        "{}",
        view::valid(&validation.groups, view::Room::of_results())
    )?;
    Ok(Exit::Success)
}
