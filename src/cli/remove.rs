//! `promoter remove`: show what of a group is in the cluster, ask, and take it out.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::args::{Format, Remove, Shown};
use super::driving::{Progress, is_agreed, place, stop_on_signal};
use super::exit::Exit;
use super::{CliError, view};
use crate::config::{self, Place};
use crate::engine::remove::Removed;
use crate::group::name::GroupName;

pub(super) async fn run(dir: &Path, command: Remove) -> Result<Exit, CliError> {
    let (group, place) = place(dir, &command.of)?;
    let progress = Progress::new(&Shown {
        logs: None,
        verbose: false,
        output: Format::Text,
    });
    let engine = config::engine(&place, &group, progress.recorder()).await?;
    let removal = engine.removal().await?;
    let mut out = anstream::stdout();
    write!(out, "{}", view::removal(&group, &place.namespace, &removal))?;
    if removal.in_flight.is_some() || removal.is_adopted {
        return Ok(Exit::Refused);
    }
    if removal.goes.is_empty() && !removal.is_recorded {
        return Ok(Exit::Success);
    }
    if !command.yes && !is_confirmed(&group, &place)? {
        return Ok(Exit::Interrupted);
    }
    let stop = stop_on_signal(progress.tree.clone());
    let removed = engine.remove(&config::actor().name, stop).await;
    progress.finish();
    let removed = removed?;
    write!(out, "{}", view::removed(&group, &removed))?;
    Ok(match removed {
        Removed::Gone(_) | Removed::Nothing => Exit::Success,
        Removed::InFlight(_) | Removed::Adopted => Exit::Refused,
        Removed::Stopped => Exit::Interrupted,
    })
}

fn is_confirmed(group: &GroupName, place: &Place) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::Usage(
            "nothing was removed: nobody can be asked here; --yes does without".to_owned(),
        ));
    }
    let namespace = &place.namespace;
    Ok(is_agreed(&format!(
        "remove group {group} from namespace {namespace}? Its users are cut off."
    ))?)
}
