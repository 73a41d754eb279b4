//! What every command has that drives a promotion: progress, a safe stop, and
//! where the group runs.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::args::{At, Deployed, Format, Promoting, Shown};
use super::exit::Exit;
use super::progress::{Json, Logs, Plain, Tree};
use super::{CliError, view};
use crate::adapter::files::Catalog;
use crate::config::{self, Place};
use crate::engine::deploy::DeployOptions;
use crate::group::ClusterRef;
use crate::group::name::{GroupName, Namespace};
use crate::group::validate::Overrides;
use crate::port::Recorder;
use crate::port::recorder::Fan;

/// The group that is meant, and where it runs: by the arguments, by the
/// group's file if it lies here, or by the only environment.
pub(super) fn place(dir: &Path, of: &Deployed) -> Result<(GroupName, Place), CliError> {
    let name = GroupName::parse(of.named.name()).map_err(CliError::usage)?;
    if !of.at.is_given()
        && let Ok(group) = Catalog::load(dir).group(of.named.name(), &Overrides::default())
    {
        return Ok((name, (&group.environment).into()));
    }
    Ok((name, at(dir, &of.at)?))
}

/// Whether somebody at the terminal says yes.
pub(super) fn is_agreed(question: &str) -> io::Result<bool> {
    anstream::eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// How a promotion is wanted that somebody typed, unless more was said.
pub(super) fn options(how: Promoting) -> DeployOptions {
    DeployOptions {
        actor: config::actor(),
        chance: rand::random(),
        force: false,
        detach: false,
        retry: false,
        overriding: how.overriding,
        despite_budget: false,
        why: how.reason,
        meets: None,
    }
}

/// Whether whoever sits at a terminal agrees; where nobody does, nobody does.
pub(super) fn is_wanted(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    is_agreed(question)
}

/// The place that is meant: by the arguments, or the only environment.
pub(super) fn at(dir: &Path, at: &At) -> Result<Place, CliError> {
    if let (Some(context), Some(namespace)) = (&at.context, &at.namespace) {
        let namespace = Namespace::parse(namespace);
        return Ok(Place {
            cluster: ClusterRef::Context(context.clone()),
            namespace: namespace.map_err(CliError::usage)?,
            metrics: None,
        });
    }
    let environment = config::environment(&Catalog::load(dir), at.environment.as_deref())?;
    Ok((&environment).into())
}

/// Interrupting once stops the promotion safely; twice ends the process, and
/// the next deploy or resume goes on from the checkpoint.
pub(super) fn stop_on_signal(tree: Option<Arc<Tree>>) -> CancellationToken {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        if interrupted().await.is_ok() {
            let message =
                "stopping safely; interrupt again to leave at once (`promoter resume` goes on)";
            match tree {
                Some(tree) => tree.say(message),
                None => anstream::eprint!("{}", view::aside(message)),
            }
            stopping.cancel();
        }
        if interrupted().await.is_ok() {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
    stop
}

pub(super) async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// The consumers of a promotion's events.
pub(super) struct Progress {
    pub(super) tree: Option<Arc<Tree>>,
    all: Arc<Fan>,
}

impl Progress {
    pub(super) fn new(command: &Shown) -> Self {
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

    pub(super) fn recorder(&self) -> Arc<dyn Recorder> {
        self.all.clone()
    }

    pub(super) fn finish(&self) {
        if let Some(tree) = &self.tree {
            tree.finish();
        }
    }
}
