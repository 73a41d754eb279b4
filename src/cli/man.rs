//! `promoter man`: the manual, made from what can be typed.

use std::fs;
use std::io::Write;

use clap_mangen::Man as Page;

use super::CliError;
use super::args::{self, Man};
use super::exit::Exit;

pub(super) fn run(command: &Man) -> Result<Exit, CliError> {
    let commands = args::command().disable_help_subcommand(true);
    let Some(dir) = &command.dir else {
        let mut page = Vec::new();
        Page::new(commands).render(&mut page)?;
        anstream::stdout().write_all(&page)?;
        return Ok(Exit::Success);
    };
    let written = fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(commands, dir));
    written.map_err(|error| {
        let message = format!("failed to write the pages into {}: {error}", dir.display());
        CliError::Usage(message)
    })?;
    anstream::eprintln!("try: man -l {}", dir.join("promoter.1").display());
    Ok(Exit::Success)
}
