//! `promoter abort` and `promoter rollback`: what is under way is given up before
//! its switch, or users go back inside `keep_old`.

use std::io::Write;
use std::path::Path;

use super::args::{Format, Undo};
use super::driving::{Progress, place, stop_on_signal};
use super::exit::Exit;
use super::{CliError, view};
use crate::config;
use crate::engine::undo::{Undone, Wish};
use crate::promotion::ReasonKind;
use crate::promotion::request::Action;

pub(super) async fn run(dir: &Path, command: Undo, action: Action) -> Result<Exit, CliError> {
    let (group, place) = place(dir, &command.of)?;
    let progress = Progress::new(&command.shown);
    let engine = config::engine(&place, &group, progress.recorder()).await?;
    let stop = stop_on_signal(progress.tree.clone());
    let wish = Wish {
        action,
        actor: config::actor().name,
        reason: command.reason,
    };
    let undone = engine.undo(wish, stop).await;
    progress.finish();
    let mut out = anstream::stdout();
    let is_text = command.shown.output == Format::Text;
    match undone? {
        Undone::Ended(outcome) => {
            if is_text {
                write!(out, "{}", view::undone(action, &outcome))?;
            }
            let wished = match action {
                Action::Abort => ReasonKind::Interrupted,
                Action::Rollback => ReasonKind::RolledBack,
            };
            let done = outcome.reasons.iter().any(|reason| reason.kind == wished);
            Ok(if done { Exit::Success } else { Exit::Refused })
        }
        Undone::Stopped => {
            if is_text {
                let left =
                    "stopped; it goes on with whoever holds the lock, or with `promoter resume`";
                writeln!(out, "{left}")?;
            }
            Ok(Exit::Interrupted)
        }
        Undone::Refused { promotion, why } => {
            anstream::eprint!("{}", view::not_undone(action, &promotion, &why));
            Ok(Exit::Refused)
        }
        Undone::Nothing(record) => {
            anstream::eprint!("{}", view::nothing_to_undo(action, &group, &record));
            Ok(Exit::Refused)
        }
    }
}
