//! The command line: arguments to engine calls, results to text.
//!
//! Data goes to standard output, everything else to standard error. Nothing
//! here decides about a promotion.

pub mod args;
mod called;
pub mod complete;
pub mod exit;
pub mod progress;
pub mod view;

mod adopt;
mod ban;
mod deploy;
mod diff;
mod doctor;
mod driving;
mod export;
mod history;
mod hold;
mod import;
mod init;
mod install;
mod kubeconfig;
mod logs;
mod man;
mod past;
mod plan;
mod remove;
mod resume;
mod schedule;
mod schema;
mod serve;
mod settings;
mod show;
mod status;
mod store;
mod token;
mod undo;
mod validate;

use std::path::{Path, PathBuf};

use anstream::{eprintln, stderr};
use jiff::Timestamp;

use crate::adapter::clock::SystemClock;
use crate::adapter::files::Catalog;
use crate::adapter::store::{BackupError, RestoreError};
use crate::config::{self, ConfigError};
use crate::engine::EngineError;
use crate::engine::init::InitError;
use crate::engine::propose::ProposeError;
use crate::group::Group;
use crate::group::problem::Problems;
use crate::group::validate::Overrides;
use crate::port::registry::Said;
use crate::port::{Clock, ClusterError, LockError, LoginError, RecordsError};
use crate::promotion::restraint::Statement;
use args::{Args, Command, Target};
use exit::Exit;

/// What a person says now, with a reason.
fn said(reason: String) -> Statement {
    Statement {
        actor: config::actor().name,
        reason,
        at: now(),
    }
}

fn now() -> Timestamp {
    SystemClock::default().now()
}

/// What a command could not do, as the user is told it.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error("the group files have problems")]
    Problems(Problems),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error("{0}")]
    Usage(String),
    #[error("failed to write the output")]
    Output(#[from] std::io::Error),
}

impl CliError {
    /// What was asked for cannot be meant.
    fn usage(error: impl std::error::Error) -> Self {
        Self::Usage(Said::of(&error).0)
    }
}

/// Runs one command and says how the process ends.
pub async fn run(args: Args) -> Exit {
    let color = args.color.into();
    if matches!(args.command, Command::Serve(_)) {
        config::init_daemon();
    } else {
        config::init(color);
    }
    let given = args.dir;
    let dir = given.clone().unwrap_or_else(|| PathBuf::from("."));
    let done = match args.command {
        Command::Validate(command) => validate::run(&dir, &command),
        Command::Plan(command) => Box::pin(plan::run(&dir, &command)).await,
        Command::Deploy(command) => deploy::run(&dir, command, false).await,
        Command::Retry(command) => deploy::run(&dir, command, true).await,
        Command::Adopt(command) => adopt::run(&dir, command).await,
        Command::Resume(command) => resume::run(&dir, command).await,
        Command::Rollback(command) => undo::rollback(&dir, command).await,
        Command::Abort(command) => undo::abort(&dir, command).await,
        Command::Hold(command) => hold::hold(&dir, command).await,
        Command::Unhold(command) => hold::unhold(&dir, command).await,
        Command::Ban(command) => ban::ban(&dir, command).await,
        Command::Unban(command) => ban::unban(&dir, command).await,
        Command::Bans(command) => ban::list(&dir, &command).await,
        Command::Serve(command) => Box::pin(serve::run(&dir, command)).await,
        Command::Schedule(command) => schedule::run(&dir, &command),
        Command::Status(command) => status::run(&dir, command).await,
        Command::History(command) => history::run(&dir, &command).await,
        Command::Show(command) => show::run(&dir, &command).await,
        Command::Logs(command) => logs::run(&dir, &command).await,
        Command::Diff(command) => diff::run(&dir, &command).await,
        Command::Export(command) => export::run(&dir, &command).await,
        Command::Store(command) => store::run(&command).await,
        Command::Remove(command) => remove::run(&dir, command).await,
        Command::Init(command) => init::run(&dir, &command).await,
        Command::Doctor(command) => doctor::run(&dir, &command).await,
        Command::Install(command) => install::run(&dir, &command).await,
        Command::Kubeconfig(command) => kubeconfig::run(&dir, &command).await,
        Command::Token(command) => token::run(&dir, command).await,
        Command::Schema(command) => schema::run(&command),
        Command::Config(command) => settings::run(given.as_deref(), color, command),
        Command::Completions(command) => complete::run(&command),
        Command::Man(command) => man::run(&command),
    };
    done.unwrap_or_else(|error| report(&error))
}

/// Says what went wrong and what to do, and picks the exit code.
fn report(error: &CliError) -> Exit {
    match error {
        CliError::Problems(problems) => {
            eprintln!(
                "{}",
                problems
                    .render(has_color(), view::terminal::messages())
                    .trim_end()
            );
            Exit::Usage
        }
        CliError::Engine(EngineError::Propose(ProposeError::Refused(refusals))) => {
            eprintln!("{}", view::refusals(refusals).trim_end());
            Exit::Usage
        }
        CliError::Engine(EngineError::Propose(ProposeError::Resolve(errors))) => {
            eprintln!("{}", view::resolve_errors(errors).trim_end());
            if errors
                .iter()
                .any(crate::engine::resolve::ResolveError::is_outside)
            {
                Exit::Outside
            } else {
                Exit::Usage
            }
        }
        // Whoever reads the output has seen enough (`| head`).
        CliError::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Success,
        error => {
            eprintln!("{}", view::error(error).trim_end());
            error.exit()
        }
    }
}

impl CliError {
    fn exit(&self) -> Exit {
        match self {
            Self::Problems(_)
            | Self::Usage(_)
            | Self::Config(
                ConfigError::Usage(_)
                | ConfigError::Login(LoginError::NotFound { .. } | LoginError::NoRegion),
            )
            | Self::Engine(
                EngineError::Unknown
                | EngineError::CandidateLeft { .. }
                | EngineError::NothingKept { .. }
                | EngineError::NotKept { .. }
                | EngineError::Removing { .. },
            ) => Exit::Usage,
            Self::Engine(
                EngineError::Lock(LockError::Held { .. })
                | EngineError::LockLost { .. }
                | EngineError::Cluster(ClusterError::Fenced),
            ) => Exit::Locked,
            Self::Engine(EngineError::Lock(LockError::Cluster(error)))
            | Self::Cluster(error)
            | Self::Config(ConfigError::Cluster(error))
                if is_not_set_up(error) =>
            {
                Exit::Usage
            }
            Self::Engine(_)
            | Self::Cluster(_)
            | Self::Config(_)
            | Self::Init(_)
            | Self::Records(_)
            | Self::Backup(BackupError::Records(_))
            | Self::Restore(RestoreError::Records(_)) => Exit::Outside,
            Self::Restore(_) => Exit::Usage,
            Self::Output(_) | Self::Backup(BackupError::Write(_)) => Exit::Unexpected,
        }
    }
}

/// Whether the cluster works, but was not prepared for the group, or is not the
/// one that was meant.
fn is_not_set_up(error: &ClusterError) -> bool {
    matches!(
        error,
        ClusterError::NoContext { .. }
            | ClusterError::NoCurrentContext { .. }
            | ClusterError::NoNamespace { .. }
            | ClusterError::NotInstalled
    )
}

/// The group a command is about; its warnings are shown.
fn group(dir: &Path, target: &Target) -> Result<Group, CliError> {
    let name = target.named.name();
    let overrides = overrides(&target.branch)?;
    let catalog = Catalog::load(dir);
    let group = catalog
        .group(name, &overrides)
        .map_err(CliError::Problems)?;
    let warnings = catalog.warnings(name);
    if !warnings.is_empty() {
        eprintln!(
            "{}",
            warnings
                .render(has_color(), view::terminal::messages())
                .trim_end()
        );
    }
    Ok(group)
}

/// What `--branch` says, each time it was given.
fn overrides(branches: &[String]) -> Result<Overrides, CliError> {
    let mut overrides = Overrides::default();
    for written in branches {
        match written.split_once('=') {
            Some((app, branch)) => {
                overrides
                    .app_branches
                    .insert(app.to_owned(), branch.to_owned());
            }
            None if overrides.branch.is_none() => overrides.branch = Some(written.clone()),
            None => {
                let message = "--branch is given twice; use --branch APP=BRANCH for single apps";
                return Err(CliError::Usage(message.to_owned()));
            }
        }
    }
    Ok(overrides)
}

/// Whether standard error shows colour.
fn has_color() -> bool {
    use anstream::ColorChoice;
    !matches!(stderr().current_choice(), ColorChoice::Never)
}
