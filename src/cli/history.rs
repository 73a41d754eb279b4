//! `promoter history`: the last promotions, whoever began them, and what was refused.
//!
//! The records of this machine are what it tells from. What clusters know of the
//! last promotions and the records do not (begun elsewhere, or while records
//! could not be written) is put there first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::args::{Format, History};
use super::exit::Exit;
use super::past::{place, records};
use super::view::HistoryRow;
use super::{CliError, now, view};
use crate::adapter::files::Catalog;
use crate::adapter::kubernetes::{GroupStatus, list_groups};
use crate::adapter::store::Store;
use crate::config::{self, ConfigError, Place};
use crate::group::Environment;
use crate::group::name::GroupName;
use crate::port::records::{Note, PlaceName, Which};
use crate::port::{ClusterError, Records, RecordsError};
use crate::promotion::event::{Event, Fact};

/// How long a cluster may take to say what it knows.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(dir: &Path, command: &History) -> Result<Exit, CliError> {
    let group = command.of.name().map(GroupName::parse).transpose();
    let group = group.map_err(CliError::usage)?;
    let place = place(dir, &command.at)?;
    let records = records()?;
    let environments = config::environments(&Catalog::load(dir)).unwrap_or_default();
    if !command.local {
        let all = environments.iter().map(Place::from);
        let all = all.map(|place| (place.name(), place));
        let places: BTreeMap<_, _> = match &place {
            Some(place) => [(place.name(), place.clone())].into(),
            None => all.collect(),
        };
        for place in places.values() {
            catch_up(&records, place).await;
        }
    }
    let of = Which {
        group,
        place: place.map(|place| place.name()),
    };
    let rows = rows(&records, &of, command.last).await?;
    let mut out = anstream::stdout();
    match command.output {
        Format::Text => {
            let names = names(&environments);
            write!(out, "{}", view::history(&rows, &names, now()))?;
        }
        Format::Json => writeln!(out, "{:#}", serde_json::json!(rows))?,
    }
    Ok(Exit::Success)
}

/// What was begun and what was refused, the last first.
async fn rows(
    records: &impl Records,
    of: &Which,
    most: u32,
) -> Result<Vec<HistoryRow>, RecordsError> {
    let promotions = records.last(of, most).await?.into_iter();
    let refusals = records.refused(of, most).await?.into_iter();
    let promotions = promotions.map(Box::new).map(HistoryRow::Promotion);
    let mut rows: Vec<_> = promotions
        .chain(refusals.map(HistoryRow::Refusal))
        .collect();
    rows.sort_by_key(|row| Reverse(row.at()));
    rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(rows)
}

/// What people call places: by the environment, where a file says so.
fn names(environments: &[Environment]) -> BTreeMap<PlaceName, String> {
    let mut names: BTreeMap<_, String> = BTreeMap::new();
    for environment in environments {
        let place = Place::from(environment).name();
        let name = names.entry(place).or_default();
        let gap = if name.is_empty() { "" } else { ", " };
        let _ = write!(name, "{gap}{}", environment.name);
    }
    names
}

/// Keeps what a cluster knows of the last promotions. Where that cannot be had or
/// kept it is said, as history may lack what was begun elsewhere.
async fn catch_up(records: &Store, place: &Place) {
    let known = async {
        let connection = config::connection(&place.cluster).await?;
        let groups = list_groups(&connection, &place.namespace).await;
        Ok::<_, ConfigError>(groups?)
    };
    let name = place.name();
    let without = |why: &str| {
        let said = format!("note: shown without what {name} knows: {why}");
        anstream::eprint!("{}", view::aside(&said));
    };
    match timeout(PATIENCE, known).await {
        Ok(Ok(groups)) => {
            if let Err(error) = records.keep(&name, &ended(&groups)).await {
                without(&error.to_string());
            }
        }
        // Nothing was promoted where promoter is not installed.
        Ok(Err(ConfigError::Cluster(ClusterError::NotInstalled))) => {}
        Ok(Err(error)) => without(&error.to_string()),
        Err(_) => without("its cluster does not answer"),
    }
}

/// How the promotions ended that a cluster knows of.
fn ended(groups: &[GroupStatus]) -> Vec<Note> {
    let mut notes = Vec::new();
    for group in groups {
        let Ok(name) = GroupName::parse(&group.name) else {
            continue;
        };
        let outcomes = group.record.outcomes.iter();
        notes.extend(outcomes.map(|outcome| {
            Note::Event(Event {
                at: outcome.ended_at,
                group: name.clone(),
                promotion: Some(outcome.promotion.clone()),
                fact: Fact::Finished {
                    outcome: Box::new(outcome.clone()),
                },
            })
        }));
    }
    notes
}
