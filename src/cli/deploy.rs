//! `promoter deploy`: promote a group's newest images, if they pass.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::args::{Deploy, Format};
use super::exit::Exit;
use super::progress::{Fan, Json, Logs, Plain, Tree};
use super::{CliError, view};
use crate::config;
use crate::engine::{DeployOptions, Deployed};
use crate::port::Recorder;

pub(super) async fn run(dir: &Path, command: Deploy) -> Result<Exit, CliError> {
    let group = super::group(dir, &command.target)?;
    let progress = Progress::new(&command);
    let engine = config::engine(&group, progress.recorder()).await?;
    let options = DeployOptions {
        actor: config::actor(),
        chance: rand::random(),
        force: command.force,
        detach: command.detach,
    };
    let stop = stop_on_signal(progress.tree.clone());
    let deployed = engine.deploy(&group, options, stop).await;
    progress.finish();
    show(&deployed?, command.output)
}

/// Interrupting once stops the promotion safely; twice ends the process, and
/// the next deploy resumes from the checkpoint.
fn stop_on_signal(tree: Option<Arc<Tree>>) -> CancellationToken {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        if interrupted().await.is_ok() {
            let message =
                "stopping safely; interrupt again to leave at once (the next deploy resumes)";
            match tree {
                Some(tree) => tree.say(message),
                None => anstream::eprintln!("{message}"),
            }
            stopping.cancel();
        }
        if interrupted().await.is_ok() {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
    stop
}

async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// The consumers of a deploy's events.
struct Progress {
    tree: Option<Arc<Tree>>,
    all: Arc<Fan>,
}

impl Progress {
    fn new(command: &Deploy) -> Self {
        let mut tree = None;
        let shown: Arc<dyn Recorder> = match command.output {
            Format::Json => Arc::new(Json::new()),
            Format::Text if config::draws() => {
                let drawn = Arc::new(Tree::new(command.verbose));
                tree = Some(drawn.clone());
                drawn
            }
            Format::Text => Arc::new(Plain::new(command.verbose)),
        };
        let logs = command
            .logs
            .clone()
            .map(|folder| Logs::new(folder).warning_to(shown.clone()));
        let logs = logs.map(|logs| Arc::new(logs) as Arc<dyn Recorder>);
        let all = std::iter::once(shown).chain(logs).collect();
        Self {
            tree,
            all: Arc::new(Fan::new(all)),
        }
    }

    fn recorder(&self) -> Arc<dyn Recorder> {
        self.all.clone()
    }

    fn finish(&self) {
        if let Some(tree) = &self.tree {
            tree.finish();
        }
    }
}

fn show(deployed: &Deployed, format: Format) -> Result<Exit, CliError> {
    let mut out = anstream::stdout();
    match (deployed, format) {
        (Deployed::Ended { outcome, .. }, Format::Json) => return Ok(Exit::of(outcome)),
        (_, Format::Json) => {}
        (Deployed::UpToDate(proposal), Format::Text) => {
            write!(out, "{}", view::up_to_date(proposal))?;
        }
        (Deployed::Detached(promotion), Format::Text) => {
            writeln!(
                out,
                "promotion {promotion}: traffic is moved, the old pods still stand; the next `promoter deploy` takes them down"
            )?;
        }
        (Deployed::Ended { outcome, results }, Format::Text) => {
            write!(out, "{}", view::outcome(outcome, results))?;
            return Ok(Exit::of(outcome));
        }
        (Deployed::Stopped, Format::Text) => writeln!(out, "stopped before anything was done")?,
    }
    Ok(if *deployed == Deployed::Stopped {
        Exit::Interrupted
    } else {
        Exit::Success
    })
}
