//! `promoter abort` and `promoter rollback`: what is under way is given up before
//! its switch, or users go back to what served before.

use std::io::Write;
use std::path::Path;

use super::args::{Abort, Format, Rollback};
use super::deploy;
use super::driving::{Progress, options, place, stop_on_signal};
use super::exit::Exit;
use super::{CliError, view};
use crate::config;
use crate::engine::deploy::DeployOptions;
use crate::engine::rollback::RolledBack;
use crate::engine::undo::{Undone, Wish};
use crate::group::name::GroupName;
use crate::promotion::ReasonKind;
use crate::promotion::phase::Phase;
use crate::promotion::request::Action;

pub(super) async fn abort(dir: &Path, command: Abort) -> Result<Exit, CliError> {
    let (group, place) = place(dir, &command.of)?;
    let progress = Progress::new(&command.shown);
    let engine = config::engine(&place, &group, progress.recorder()).await?;
    let stop = stop_on_signal(progress.tree.clone());
    let wish = Wish {
        action: Action::Abort,
        actor: config::actor().name,
        reason: command.reason,
    };
    let undone = engine.undo(wish, stop).await;
    progress.finish();
    show(Action::Abort, &group, undone?, command.shown.output)
}

pub(super) async fn rollback(dir: &Path, command: Rollback) -> Result<Exit, CliError> {
    let (group, place) = place(dir, &command.of)?;
    let progress = Progress::new(&command.how.shown);
    let engine = config::engine(&place, &group, progress.recorder()).await?;
    let stop = stop_on_signal(progress.tree.clone());
    let format = command.how.shown.output;
    let options = DeployOptions {
        retry: true,
        ..options(command.how)
    };
    let rolled_back = engine.rollback(command.to.as_deref(), options, stop);
    let rolled_back = Box::pin(rolled_back).await;
    progress.finish();
    match rolled_back? {
        RolledBack::Undone(undone) => show(Action::Rollback, &group, undone, format),
        RolledBack::Deployed(deployed) => deploy::show(&group, &deployed, format),
    }
}

pub(super) fn show(
    action: Action,
    group: &GroupName,
    undone: Undone,
    format: Format,
) -> Result<Exit, CliError> {
    let mut out = anstream::stdout();
    let is_text = format == Format::Text;
    match undone {
        Undone::Ended(outcome) => {
            if is_text {
                write!(out, "{}", view::undone(action, &outcome))?;
            }
            let wished = match action {
                Action::Abort => ReasonKind::Interrupted,
                Action::Rollback => ReasonKind::RolledBack,
            };
            let done = outcome.reasons.iter().any(|reason| reason.kind == wished);
            Ok(match (done, outcome.phase) {
                (true, Phase::Failed) => Exit::DeployFailed,
                (true, _) => Exit::Success,
                (false, _) => Exit::Refused,
            })
        }
        Undone::Stopped => {
            if is_text {
                let left =
                    "stopped; it goes on with whoever holds the lock, or with `promoter resume`";
                write!(out, "{}", view::note(left))?;
            }
            Ok(Exit::Interrupted)
        }
        Undone::Refused { promotion, why } => {
            anstream::eprint!("{}", view::not_undone(action, &promotion, &why));
            Ok(Exit::Refused)
        }
        Undone::Nothing(record) => {
            anstream::eprint!("{}", view::nothing_to_undo(action, group, &record));
            Ok(Exit::Refused)
        }
    }
}
