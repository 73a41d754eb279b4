//! `promoter ban`, `promoter unban` and `promoter bans`: images that no group of an
//! environment promotes.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::args::{Ban as Command, Bans, Format};
use super::driving::at;
use super::exit::Exit;
use super::{CliError, now, said, view};
use crate::config;
use crate::promotion::restraint::Ban;

pub(super) async fn ban(dir: &Path, command: Command) -> Result<Exit, CliError> {
    let place = at(dir, &command.at)?;
    let connection = config::connection(&place.cluster).await?;
    let ban = Ban {
        image: command.image,
        by: said(command.reason),
        lifted: None,
    };
    connection.put_ban(&place.namespace, &ban).await?;
    write!(
        anstream::stdout(),
        "{}",
        view::banned(&ban, &place.namespace)
    )?;
    Ok(Exit::Success)
}

pub(super) async fn unban(dir: &Path, command: Command) -> Result<Exit, CliError> {
    let place = at(dir, &command.at)?;
    let connection = config::connection(&place.cluster).await?;
    let bans = connection.bans(&place.namespace).await?;
    let image = &command.image;
    // A ban is lifted as it was made: one of fewer digits may be about more images.
    let Some(found) = bans.iter().find(|ban| ban.image == *image) else {
        let known = bans.iter().filter(|ban| ban.lifted.is_none());
        let known: Vec<_> = known.map(|ban| ban.image.as_str()).collect();
        return Err(CliError::Usage(format!(
            "{image} is not banned in namespace {}; `promoter bans` lists what is{}",
            place.namespace,
            if known.is_empty() {
                ": nothing".to_owned()
            } else {
                format!(": {}", known.join(", "))
            }
        )));
    };
    let lifted = Ban {
        lifted: Some(said(command.reason)),
        ..found.clone()
    };
    connection.put_ban(&place.namespace, &lifted).await?;
    write!(
        anstream::stdout(),
        "{}",
        view::unbanned(&lifted, &place.namespace)
    )?;
    Ok(Exit::Success)
}

pub(super) async fn list(dir: &Path, command: &Bans) -> Result<Exit, CliError> {
    let place = at(dir, &command.at)?;
    let connection = config::connection(&place.cluster).await?;
    let bans = connection.bans(&place.namespace).await?;
    let mut out = anstream::stdout();
    match command.output {
        Format::Text => write!(out, "{}", view::bans(&bans, now()))?,
        Format::Json => {
            let bans = bans.iter().map(
                |ban| json!({ "image": ban.image.as_str(), "by": ban.by, "lifted": ban.lifted }),
            );
            writeln!(out, "{:#}", bans.collect::<serde_json::Value>())?;
        }
    }
    Ok(Exit::Success)
}
