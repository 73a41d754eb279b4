//! `promoter logs`: what the checks of a promotion wrote.

use std::io::Write;
use std::path::Path;

use super::args::Logs;
use super::exit::Exit;
use super::past::{find, records};
use super::{CliError, view};
use crate::group::name::CheckName;
use crate::port::Records;

pub(super) async fn run(dir: &Path, command: &Logs) -> Result<Exit, CliError> {
    let check = command.check.as_deref().map(CheckName::parse).transpose();
    let check = check.map_err(CliError::usage)?;
    let records = records()?;
    let entry = find(dir, &records, &command.past.promotion, &command.past.of).await?;
    let runs = records.logged(&entry, check.as_ref()).await?;
    let mut out = anstream::stdout();
    // Of a large group they are more than there may be memory for.
    for run in &runs {
        let Some(text) = records.log(&entry, run).await? else {
            continue;
        };
        if runs.len() > 1 {
            writeln!(out, "--- {}, run {} ---", run.check, run.attempt)?;
        }
        out.write_all(text.as_bytes())?;
    }
    if runs.is_empty() {
        let promotion = &entry.promotion;
        let of = check.map_or_else(|| "a check".to_owned(), |check| format!("check {check}"));
        let said = format!(
            "nothing that {of} of promotion {promotion} wrote is in these records; logs are kept on the machine that ran it, and for 90 days at most"
        );
        anstream::eprint!("{}", view::aside(&said));
    }
    Ok(Exit::Success)
}
