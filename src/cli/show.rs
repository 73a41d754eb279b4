//! `promoter show`: one promotion, as it is remembered.

use std::io::Write;
use std::path::Path;

use super::args::{Format, Show};
use super::exit::Exit;
use super::past::{find, records, whole};
use super::progress::Plain;
use super::{CliError, now, view};
use crate::port::{Recorder, Records};
use crate::promotion::event::{Event, Fact};

pub(super) async fn run(dir: &Path, command: &Show) -> Result<Exit, CliError> {
    let records = records()?;
    let entry = find(dir, &records, &command.past.promotion, &command.past.of).await?;
    let mut out = anstream::stdout();
    if command.output == Format::Json {
        writeln!(out, "{:#}", whole(&records, &entry).await?)?;
        return Ok(Exit::Success);
    }
    let events = records.events(&entry).await?;
    let results = records.results(&entry).await?;
    writeln!(out, "{}", view::entry(&entry, now()))?;
    let happened = happened(events);
    write!(out, "{happened}")?;
    if let Some(outcome) = &entry.outcome {
        let gap = if happened.is_empty() { "" } else { "\n" };
        write!(out, "{gap}{}", view::outcome(outcome, &results))?;
    } else {
        let said = "how it ended is not in these records; `promoter history` asks the cluster, `promoter status` shows what is under way";
        write!(out, "{}", view::note(said))?;
    }
    Ok(Exit::Success)
}

/// Steps and surprises, a line each. What stands above and below them, and what
/// only mattered at the time, is left out.
fn happened(events: Vec<Event>) -> String {
    let lines = Plain::to(Vec::new(), false, view::terminal::prose());
    for event in events {
        match event.fact {
            Fact::Started { .. }
            | Fact::Waiting { .. }
            | Fact::App { .. }
            | Fact::Finished { .. } => {}
            _ => lines.record(event),
        }
    }
    lines.into_text()
}
