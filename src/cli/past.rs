//! What every command has that looks back: the records, and the promotion that is
//! meant.

use std::path::Path;

use serde_json::{Value, json};

use super::args::{Among, At};
use super::{CliError, driving};
use crate::adapter::store::Store;
use crate::config::{self, Place};
use crate::port::Records;
use crate::port::records::Entry;
use crate::promotion::id::PromotionId;

/// The records of this machine.
pub(super) fn records() -> Result<Store, CliError> {
    config::records()?.ok_or_else(|| {
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

/// Where it was, if the arguments say so.
pub(super) fn place(dir: &Path, at: &At) -> Result<Option<Place>, CliError> {
    at.is_given().then(|| driving::at(dir, at)).transpose()
}

/// The promotion that is meant.
pub(super) async fn find(
    dir: &Path,
    records: &impl Records,
    written: &str,
    of: &Among,
) -> Result<Entry, CliError> {
    let promotion = PromotionId::parse(written).ok_or_else(|| {
        CliError::Usage(format!(
            "{written:?} is no promotion's identity; `promoter history` lists them"
        ))
    })?;
    let place = place(dir, &of.at)?.map(|place| place.name());
    let mut found = records.of(&promotion).await?;
    found.retain(|entry| {
        let is_group = of
            .group
            .as_ref()
            .is_none_or(|group| entry.group.as_str() == group);
        is_group && place.as_ref().is_none_or(|place| entry.place == *place)
    });
    only(&promotion, found)
}

/// The one that there is; of several, what tells them apart is asked for.
fn only(promotion: &PromotionId, mut found: Vec<Entry>) -> Result<Entry, CliError> {
    let known = found.iter();
    let known = known.map(|entry| format!("{} in {}", entry.group, entry.place));
    let known: Vec<_> = known.collect();
    let only = found.pop().filter(|_| known.len() == 1);
    only.ok_or_else(|| {
        CliError::Usage(if known.is_empty() {
            format!("promotion {promotion} is not in the records; `promoter history` lists what is")
        } else {
            let known = known.join(", ");
            format!(
                "which one? give its --group, its --environment, or --context and --namespace: {known}"
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::sample::{actor, from};
    use crate::plan::color::Color;
    use crate::promotion::phase::Phase;

    fn entry(place: &str) -> Entry {
        Entry {
            place: from(place),
            group: from("master"),
            promotion: from("0tq00000"),
            release: from("bluerelease000000"),
            color: Color::Blue,
            actor: actor(),
            started_at: "2026-11-21T02:00:00Z".parse().unwrap(),
            phase: Phase::Promoted,
            outcome: None,
        }
    }

    #[test]
    fn of_several_it_is_asked_which() {
        let promotion = from("0tq00000");
        let one = entry("testbed/v2");
        assert_eq!(only(&promotion, vec![one.clone()]).unwrap(), one);
        let none = only(&promotion, Vec::new()).unwrap_err().to_string();
        assert!(none.contains("is not in the records"), "{none}");
        let two = vec![one, entry("testbed/production")];
        let asked = only(&promotion, two).unwrap_err().to_string();
        assert!(asked.starts_with("which one?"), "{asked}");
        assert!(
            asked.ends_with("master in testbed/v2, master in testbed/production"),
            "{asked}"
        );
    }
}
