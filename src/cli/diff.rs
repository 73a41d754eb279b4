//! `promoter diff`: what changed from one promotion to another.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::args::{Diff, Format};
use super::exit::Exit;
use super::past::{find, records};
use super::{CliError, view};
use crate::plan::summary::{Difference, Summary};
use crate::port::Records;
use crate::port::records::Entry;

pub(super) async fn run(dir: &Path, command: &Diff) -> Result<Exit, CliError> {
    let records = records()?;
    let first = find(dir, &records, &command.first, &command.of).await?;
    let (before, after) = match &command.second {
        Some(second) => (first, find(dir, &records, second, &command.of).await?),
        None => (passed_before(&records, &first).await?, first),
    };
    let found = Difference::between(
        &plan(&records, &before).await?,
        &plan(&records, &after).await?,
    );
    let mut out = anstream::stdout();
    match command.output {
        Format::Text => write!(out, "{}", view::difference(&before, &after, &found))?,
        Format::Json => {
            let (before, after) = (&before.promotion, &after.promotion);
            let found = json!({"before": before, "after": after, "difference": found});
            writeln!(out, "{found:#}")?;
        }
    }
    Ok(Exit::Success)
}

async fn passed_before(records: &impl Records, entry: &Entry) -> Result<Entry, CliError> {
    let passed = records.passed_before(entry).await?;
    passed.ok_or_else(|| {
        CliError::Usage(format!(
            "no promotion of group {} that passed before {} is in the records; name two promotions",
            entry.group, entry.promotion
        ))
    })
}

async fn plan(records: &impl Records, entry: &Entry) -> Result<Summary, CliError> {
    let plan = records.plan(entry).await?;
    plan.ok_or_else(|| {
        CliError::Usage(format!(
            "what promotion {} was made from is not in these records; it is on the machine that ran it",
            entry.promotion
        ))
    })
}
