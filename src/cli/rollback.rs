//! `promoter rollback`: back to what served before, inside `keep_old`.

use std::io::Write;
use std::path::Path;

use super::args::{Format, Rollback};
use super::driving::{Progress, place, stop_on_signal};
use super::exit::Exit;
use super::{CliError, view};
use crate::config;
use crate::engine::rollback::RolledBack;
use crate::promotion::ReasonKind;

pub(super) async fn run(dir: &Path, command: Rollback) -> Result<Exit, CliError> {
    let (group, place) = place(dir, &command.of)?;
    let progress = Progress::new(&command.shown);
    let engine = config::engine(&place, &group, progress.recorder()).await?;
    let stop = stop_on_signal(progress.tree.clone());
    let rolled_back = engine.rollback(&config::actor().name, stop).await;
    progress.finish();
    let mut out = anstream::stdout();
    let is_text = command.shown.output == Format::Text;
    match rolled_back? {
        RolledBack::Ended(outcome) => {
            if is_text {
                write!(out, "{}", view::rolled_back(&outcome))?;
            }
            let by_request = |kind| kind == ReasonKind::RolledBack;
            let done = outcome.reasons.iter().any(|reason| by_request(reason.kind));
            Ok(if done { Exit::Success } else { Exit::Refused })
        }
        RolledBack::Stopped => {
            if is_text {
                let left = "stopped; the rollback goes on with whoever holds the lock, or with `promoter resume`";
                writeln!(out, "{left}")?;
            }
            Ok(Exit::Interrupted)
        }
        RolledBack::Refused { promotion, why } => {
            anstream::eprint!("{}", view::not_rolled_back(&promotion, &why));
            Ok(Exit::Refused)
        }
        RolledBack::NothingToReturnTo(record) => {
            anstream::eprint!("{}", view::nothing_to_return_to(&group, &record));
            Ok(Exit::Refused)
        }
    }
}
