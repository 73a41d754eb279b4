//! `promoter logs`: what the checks of a promotion wrote.

use std::io::Write;

use super::args::Logs;
use super::exit::Exit;
use super::past::{find, records};
use super::{CliError, view};
use crate::group::name::CheckName;
use crate::port::Records;

pub(super) async fn run(command: &Logs) -> Result<Exit, CliError> {
    let check = command.check.as_deref().map(CheckName::parse).transpose();
    let check = check.map_err(|error| CliError::Usage(error.to_string()))?;
    let records = records()?;
    let entry = find(&records, &command.past).await?;
    let logs = records.logs(&entry, check.as_ref()).await?;
    let mut out = anstream::stdout();
    for log in &logs {
        if logs.len() > 1 {
            writeln!(out, "--- {}, run {} ---", log.check, log.attempt)?;
        }
        out.write_all(log.text.as_bytes())?;
    }
    if logs.is_empty() {
        let promotion = &entry.promotion;
        let of = check.map_or_else(|| "a check".to_owned(), |check| format!("check {check}"));
        let said = format!(
            "nothing that {of} of promotion {promotion} wrote is in these records; logs are kept on the machine that ran it"
        );
        anstream::eprint!("{}", view::aside(&said));
    }
    Ok(Exit::Success)
}
