//! `promoter resume`: drive on what was left, on any machine, without its files.

use std::io::Write;
use std::path::Path;

use super::args::{Format, Resume};
use super::deploy::show;
use super::driving::{Progress, place, stop_on_signal};
use super::exit::Exit;
use super::{CliError, view};
use crate::config;
use crate::engine::resume::Resumed;

pub(super) async fn run(dir: &Path, command: Resume) -> Result<Exit, CliError> {
    let (group, place) = place(dir, &command.of)?;
    let progress = Progress::new(&command.shown);
    let engine = config::engine(&place, &group, progress.recorder()).await?;
    let stop = stop_on_signal(progress.tree.clone());
    let resumed = engine.resume(&config::actor().name, stop).await;
    progress.finish();
    match resumed? {
        Resumed::Driven(deployed) => show(&group, &deployed, command.shown.output),
        Resumed::Nothing(record) => {
            if command.shown.output == Format::Text {
                let mut out = anstream::stdout();
                write!(out, "{}", view::nothing_to_resume(&group, &record))?;
            }
            Ok(Exit::Success)
        }
    }
}
