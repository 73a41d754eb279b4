//! `promoter history`: the last promotions, whoever began them.
//!
//! The records of this machine are what it tells from. What clusters know of the
//! last promotions and the records do not (begun elsewhere, or while records
//! could not be written) is put there first.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::args::{Format, History};
use super::exit::Exit;
use super::past::records;
use super::{CliError, view};
use crate::adapter::clock::SystemClock;
use crate::adapter::files::Catalog;
use crate::adapter::kubernetes::{GroupStatus, list_groups};
use crate::adapter::store::Store;
use crate::config::{self, ConfigError};
use crate::group::Environment;
use crate::group::name::GroupName;
use crate::port::records::Note;
use crate::port::{Clock, ClusterError, Records};
use crate::promotion::event::{Event, Fact};

/// How long a cluster may take to say what it knows.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(dir: &Path, command: &History) -> Result<Exit, CliError> {
    let group = command.of.name().map(GroupName::parse).transpose();
    let group = group.map_err(|error| CliError::Usage(error.to_string()))?;
    let records = records()?;
    if !command.local {
        for environment in config::environments(&Catalog::load(dir)).unwrap_or_default() {
            catch_up(&records, &environment).await;
        }
    }
    let entries = records.last(group.as_ref(), command.last).await?;
    let mut out = anstream::stdout();
    match command.output {
        Format::Text => {
            let now = SystemClock::default().now();
            write!(out, "{}", view::history(&entries, now))?;
        }
        Format::Json => writeln!(out, "{:#}", serde_json::json!(entries))?,
    }
    Ok(Exit::Success)
}

/// Keeps what a cluster knows of the last promotions. Where that cannot be had or
/// kept it is said, as history may lack what was begun elsewhere.
async fn catch_up(records: &Store, environment: &Environment) {
    let known = async {
        let connection = config::connection(&environment.cluster).await?;
        let groups = list_groups(&connection, &environment.namespace).await;
        Ok::<_, ConfigError>(groups?)
    };
    let name = &environment.name;
    let without = |why: &str| {
        let said = format!("note: shown without what environment {name} knows: {why}");
        anstream::eprint!("{}", view::aside(&said));
    };
    match timeout(PATIENCE, known).await {
        Ok(Ok(groups)) => {
            if let Err(error) = records.keep(&ended(&groups)).await {
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
