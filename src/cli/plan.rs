//! `promoter plan`: what a deploy would change. Writes nothing anywhere.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::args::{Format, Plan};
use super::exit::Exit;
use super::progress::Plain;
use super::{CliError, view};
use crate::config;
use crate::engine::EngineError;

pub(super) async fn run(dir: &Path, command: &Plan) -> Result<Exit, CliError> {
    let group = super::group(dir, &command.target)?;
    let place = (&group.environment).into();
    let waits = Arc::new(Plain::new(false));
    let engine = config::observer(&place, &group.name, waits).await?;
    let images = config::images(&group).await?;
    let proposal = engine.propose(images.sources(), &group).await;
    let proposal = proposal.map_err(EngineError::Propose)?;
    let mut out = anstream::stdout();
    match command.output {
        Format::Json => writeln!(out, "{:#}", view::proposal_json(&proposal))?,
        Format::Text => {
            let now = engine.clock.now();
            write!(
                out,
                "{}",
                view::proposal(&proposal, now, view::Room::of_results(), command.full)
            )?;
        }
    }
    let changes = command.detailed_exitcode && !proposal.is_up_to_date();
    Ok(if changes {
        Exit::Changes
    } else {
        Exit::Success
    })
}
