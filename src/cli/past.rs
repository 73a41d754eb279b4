//! What every command has that looks back: the records, and the promotion that is
//! meant.

use serde_json::{Value, json};

use super::CliError;
use super::args::Past;
use crate::adapter::store::Store;
use crate::config;
use crate::port::Records;
use crate::port::records::Entry;
use crate::promotion::id::PromotionId;

/// The records of this machine.
pub(super) fn records() -> Result<Store, CliError> {
    config::records().ok_or_else(|| {
        CliError::Usage(format!(
            "there are no records: {} is `off`, or neither HOME nor XDG_STATE_HOME says where they are",
            config::env::RECORDS
        ))
    })
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
pub(super) async fn find(records: &impl Records, past: &Past) -> Result<Entry, CliError> {
    let written = &past.promotion;
    let promotion = PromotionId::parse(written).ok_or_else(|| {
        CliError::Usage(format!(
            "{written:?} is no promotion's identity; `promoter history` lists them"
        ))
    })?;
    let mut found = records.of(&promotion).await?;
    if let Some(group) = &past.group {
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
