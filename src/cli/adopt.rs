//! `promoter adopt`: a group whose apps run already is promoted for the first time
//! beside them. It is shown first, and done once somebody says so.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::args::{Adopt, At, Deployed, Format, Target};
use super::driving::{self, Progress, options, place, stop_on_signal};
use super::exit::Exit;
use super::progress::Plain;
use super::{CliError, deploy, undo, view};
use crate::config;
use crate::engine::EngineError;
use crate::engine::adopt::GivenBack;
use crate::engine::deploy::DeployOptions;
use crate::group::Group;

pub(super) async fn run(dir: &Path, command: Adopt) -> Result<Exit, CliError> {
    if command.undo {
        return give_back(dir, command).await;
    }
    let group = super::group(dir, &command.target)?;
    if !command.yes && !is_wanted(&group, &command).await? {
        let name = &group.name;
        let said = format!("nothing was changed; `promoter adopt {name} --yes` does it");
        anstream::eprint!("{}", view::aside(&said));
        return Ok(Exit::Usage);
    }
    let progress = Progress::new(&command.how.shown);
    let format = command.how.shown.output;
    let place = (&group.environment).into();
    let engine = config::engine(&place, &group.name, progress.recorder()).await?;
    let images = config::images(&group).await?;
    let options = DeployOptions {
        retry: command.retry,
        despite_budget: command.despite_budget,
        ..options(command.how)
    };
    let stop = stop_on_signal(progress.tree.clone());
    let adopted = Box::pin(engine.adopt(images.sources(), &group, options, stop)).await;
    progress.finish();
    deploy::show(&group.name, &adopted?, format)
}

/// Shows what would be done, and asks whoever sits at a terminal.
async fn is_wanted(group: &Group, command: &Adopt) -> Result<bool, CliError> {
    let place = (&group.environment).into();
    let waits = Arc::new(Plain::new(false));
    let engine = config::observer(&place, &group.name, waits).await?;
    let images = config::images(group).await?;
    let proposal = Box::pin(engine.propose_adoption(images.sources(), group)).await;
    let proposal = proposal.map_err(EngineError::Propose)?;
    let mut out = anstream::stdout();
    if command.how.shown.output == Format::Json {
        writeln!(out, "{:#}", view::proposal_json(&proposal))?;
        return Ok(false);
    }
    let now = engine.clock.now();
    write!(
        out,
        "{}",
        view::adoption(&proposal, now, view::Room::of_results())
    )?;
    Ok(driving::is_wanted(&format!("adopt {}?", group.name))?)
}

async fn give_back(dir: &Path, command: Adopt) -> Result<Exit, CliError> {
    let Target { named, .. } = command.target;
    let at = At::default();
    let of = Deployed { named, at };
    let (group, place) = place(dir, &of)?;
    let progress = Progress::new(&command.how.shown);
    let format = command.how.shown.output;
    let engine = config::engine(&place, &group, progress.recorder()).await?;
    let stop = stop_on_signal(progress.tree.clone());
    let actor = config::actor().name;
    let given_back = engine.give_up_adopted(&actor, command.how.reason, stop);
    let given_back = Box::pin(given_back).await;
    progress.finish();
    match given_back? {
        GivenBack::Undone(action, undone) => undo::show(action, &group, undone, format),
        GivenBack::Done => {
            if format == Format::Text {
                writeln!(
                    anstream::stdout(),
                    "{group}: what was adopted is as it was found"
                )?;
            }
            Ok(Exit::Success)
        }
        GivenBack::Nothing(_) => {
            let said = format!("{group}: nothing is adopted that could be given back");
            anstream::eprint!("{}", view::aside(&said));
            Ok(Exit::Refused)
        }
    }
}
