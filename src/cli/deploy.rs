//! `promoter deploy` and `promoter retry`: promote a group's newest images, if they
//! pass.

use std::io::Write;
use std::path::Path;

use super::args::{Deploy, Format};
use super::driving::{Progress, options, stop_on_signal};
use super::exit::Exit;
use super::{CliError, now, view};
use crate::config;
use crate::engine::Deployed;
use crate::engine::deploy::DeployOptions;
use crate::group::name::GroupName;

pub(super) async fn run(dir: &Path, command: Deploy, retry: bool) -> Result<Exit, CliError> {
    let group = super::group(dir, &command.target)?;
    let progress = Progress::new(&command.how.shown);
    let format = command.how.shown.output;
    let place = (&group.environment).into();
    let engine = config::engine(&place, &group.name, progress.recorder()).await?;
    let images = config::images(&group).await?;
    let options = DeployOptions {
        force: command.force,
        detach: command.detach,
        despite_budget: command.despite_budget,
        retry,
        ..options(command.how)
    };
    let stop = stop_on_signal(progress.tree.clone());
    let deployed = Box::pin(engine.deploy(images.sources(), &group, options, stop)).await;
    progress.finish();
    show(&group.name, &deployed?, format)
}

pub(super) fn show(
    group: &GroupName,
    deployed: &Deployed,
    format: Format,
) -> Result<Exit, CliError> {
    let mut out = anstream::stdout();
    match (deployed, format) {
        (Deployed::Ended { outcome, .. }, Format::Json) => return Ok(Exit::of(outcome)),
        (Deployed::Refused(restraints), _) => {
            anstream::eprint!("{}", view::restrained(group, restraints, now()));
            return Ok(Exit::Refused);
        }
        (_, Format::Json) => {}
        (Deployed::UpToDate(proposal), Format::Text) => {
            write!(out, "{}", view::up_to_date(proposal))?;
        }
        (Deployed::Detached(promotion), Format::Text) => {
            let said = format!(
                "promotion {promotion}: traffic is moved, the old pods still stand; `promoter resume` or the next deploy takes them down"
            );
            write!(out, "{}", view::note(&said))?;
        }
        (Deployed::Unfinished(promotion), Format::Text) => {
            let said = format!(
                "stopped; traffic is moved to promotion {promotion}, and what is left of the old pods goes with `promoter resume` or the next deploy"
            );
            write!(out, "{}", view::note(&said))?;
        }
        (Deployed::Ended { outcome, results }, Format::Text) => {
            write!(out, "{}", view::outcome(outcome, results))?;
            return Ok(Exit::of(outcome));
        }
        (Deployed::Met, Format::Text) => {
            writeln!(out, "that moment of the schedule is met already")?;
        }
        (Deployed::Stopped, Format::Text) => {
            writeln!(out, "stopped; nothing new was begun")?;
        }
    }
    Ok(match deployed {
        Deployed::Unfinished(_) | Deployed::Stopped => Exit::Interrupted,
        _ => Exit::Success,
    })
}
