//! `promoter hold` and `promoter unhold`: nothing of a group is promoted meanwhile,
//! whoever or whatever asks.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::args::Hold;
use super::driving::place;
use super::exit::Exit;
use super::{CliError, now, said, view};
use crate::adapter::files::Catalog;
use crate::adapter::kubernetes::list_groups;
use crate::config::{self, Place};
use crate::engine::Engine;
use crate::group::name::GroupName;
use crate::port::recorder::Fan;

pub(super) async fn hold(dir: &Path, command: Hold) -> Result<Exit, CliError> {
    let (group, place) = place(dir, &command.of)?;
    must_be_known(dir, &group, &place).await?;
    let engine = engine(&group, &place).await?;
    engine.hold(said(command.reason)).await?;
    write!(anstream::stdout(), "{}", view::held(&group))?;
    Ok(Exit::Success)
}

pub(super) async fn unhold(dir: &Path, command: Hold) -> Result<Exit, CliError> {
    let (group, place) = place(dir, &command.of)?;
    let engine = engine(&group, &place).await?;
    let lifted = engine.unhold(said(command.reason)).await?;
    let shown = view::unheld(&group, lifted.as_ref(), now());
    write!(anstream::stdout(), "{shown}")?;
    Ok(Exit::Success)
}

/// Nothing is driven, so that there is no progress to show.
async fn engine(group: &GroupName, place: &Place) -> Result<Engine, CliError> {
    let nobody = Arc::new(Fan::new(Vec::new()));
    Ok(config::engine(place, group, nobody).await?)
}

/// Whoever mistypes a name must not believe that the group they meant is held.
async fn must_be_known(dir: &Path, group: &GroupName, place: &Place) -> Result<(), CliError> {
    let catalog = Catalog::load(dir);
    let mut known: Vec<_> = catalog.group_names().map(str::to_owned).collect();
    if known.iter().any(|name| name == group.as_str()) {
        return Ok(());
    }
    let connection = config::connection(&place.cluster).await?;
    let there = list_groups(&connection, &place.namespace).await?;
    if there.iter().any(|there| there.name == group.as_str()) {
        return Ok(());
    }
    known.extend(there.into_iter().map(|there| there.name));
    known.sort();
    known.dedup();
    Err(CliError::Usage(format!(
        "there is no group {group}, neither a file of it nor in namespace {}; there are: {}",
        place.namespace,
        if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        }
    )))
}
