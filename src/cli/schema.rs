//! `promoter schema`: what editors check group and environment files against.

use std::io::Write;

use super::CliError;
use super::args::{Schema, SchemaOf};
use super::exit::Exit;
use crate::group::spec::{EnvironmentSpec, GroupSpec};

pub(super) fn run(command: &Schema) -> Result<Exit, CliError> {
    let schema = match command.of {
        SchemaOf::Group => GroupSpec::schema(),
        SchemaOf::Environment => EnvironmentSpec::schema(),
    };
    writeln!(anstream::stdout(), "{schema:#}")?;
    Ok(Exit::Success)
}
