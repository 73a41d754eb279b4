//! `promoter show`: one promotion, as it is remembered.

use std::io::Write;

use serde_json::{Value, json};

use super::args::{Format, Show};
use super::exit::Exit;
use super::history::records;
use super::progress::Plain;
use super::{CliError, view};
use crate::adapter::clock::SystemClock;
use crate::port::records::Entry;
use crate::port::{Clock, Recorder, Records};
use crate::promotion::event::{Event, Fact};
use crate::promotion::id::PromotionId;

pub(super) async fn run(command: &Show) -> Result<Exit, CliError> {
    let records = records()?;
    let past = &command.past;
    let entry = find(&records, &past.promotion, past.group.as_deref()).await?;
    let mut out = anstream::stdout();
    if command.output == Format::Json {
        writeln!(out, "{:#}", whole(&records, &entry).await?)?;
        return Ok(Exit::Success);
    }
    let events = records.events(&entry).await?;
    let results = records.results(&entry).await?;
    let now = SystemClock::default().now();
    writeln!(out, "{}", view::entry(&entry, now))?;
    let happened = happened(events);
    write!(out, "{happened}")?;
    match &entry.outcome {
        Some(outcome) => {
            let gap = if happened.is_empty() { "" } else { "\n" };
            write!(out, "{gap}{}", view::outcome(outcome, &results))?;
        }
        None => writeln!(
            out,
            "how it ended is not in these records; `promoter history` asks the cluster, `promoter status` shows what is under way"
        )?,
    }
    Ok(Exit::Success)
}

/// All that is on record of a promotion, for programs.
pub(super) async fn whole(records: &impl Records, entry: &Entry) -> Result<Value, CliError> {
    Ok(json!({
        "promotion": entry,
        "plan": records.plan(entry).await?,
        "results": records.results(entry).await?,
        "events": records.events(entry).await?,
    }))
}

/// The promotion that is meant.
pub(super) async fn find(
    records: &impl Records,
    written: &str,
    group: Option<&str>,
) -> Result<Entry, CliError> {
    let promotion = PromotionId::parse(written).ok_or_else(|| {
        CliError::Usage(format!(
            "{written:?} is no promotion's identity; `promoter history` lists them"
        ))
    })?;
    let mut found = records.of(&promotion).await?;
    if let Some(group) = group {
        found.retain(|entry| entry.group.as_str() == group);
    }
    let groups: Vec<_> = found.iter().map(|entry| entry.group.to_string()).collect();
    let only = found.pop().filter(|_| groups.len() == 1);
    only.ok_or_else(|| {
        CliError::Usage(if groups.is_empty() {
            format!("promotion {promotion} is not in the records; `promoter history` lists what is")
        } else {
            let groups = groups.join(", ");
            format!("which one? give its --group: {groups}")
        })
    })
}

/// Steps and surprises, a line each. What stands above and below them, and what
/// only mattered at the time, is left out.
fn happened(events: Vec<Event>) -> String {
    let lines = Plain::to(Vec::new(), false);
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
