//! What can be typed. Types only; nothing is looked up or decided here.

mod daemon;
mod forward;
mod past;
mod store;
mod tools;
mod wish;

use std::path::PathBuf;

use clap::{Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{called, complete};
use crate::config::env;
use crate::group::aws;
pub use tools::{
    Completions, Config, ConfigCommand, ConfigShow, ImportTerraform, Man, Schema, SchemaOf,
};

pub use daemon::{Schedule, Serve};
pub use forward::{Adopt, Deploy, Plan, Promoting, Target};
pub use past::{Among, Diff, Export, Exported, History, Logs, Past, Show};
pub use store::{Backup, Store, StoreCommand};
pub use wish::{Abort, Ban, Bans, Hold, Remove, Rollback};

/// Promote a group of apps together, or not at all.
#[derive(Debug, Parser)]
#[command(
    name = "promoter",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Args {
    /// Folder with `groups/` and `environments/`; the current one if not given
    #[arg(short = 'C', long = "directory", value_name = "DIR", env = env::DIR, global = true)]
    pub dir: Option<PathBuf>,

    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub color: Color,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// All that can be typed, under the name promoter was called by.
pub fn command() -> clap::Command {
    Args::command().bin_name(called::name())
}

impl Args {
    /// What was typed; says what is wrong with it and ends the process otherwise.
    pub fn typed() -> Self {
        let mut command = command();
        let matches = command.get_matches_mut();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check group and environment files and show every problem
    Validate(Validate),
    /// Show what a deploy would change; writes nothing
    Plan(Plan),
    /// Deploy a group's newest images beside what runs, test them, promote them if they pass
    Deploy(Deploy),
    /// Deploy again what was found bad before, as `deploy` does not do that by itself
    Retry(Deploy),
    /// Take over apps that run already, and promote a group beside them for the first time
    Adopt(Adopt),
    /// Drive on what was left unfinished, and put right what somebody changed; deploys nothing new
    Resume(Resume),
    /// Go back to what served before: at once inside `keep_old`, else by promoting it again
    Rollback(Rollback),
    /// Give the promotion under way up before its switch; what serves keeps serving
    Abort(Abort),
    /// Hold a group: nothing of it is promoted until it is let go
    Hold(Hold),
    /// Let a held group go
    Unhold(Hold),
    /// Ban an image: no group of the environment promotes it
    Ban(Ban),
    /// Lift the ban of an image
    Unban(Ban),
    /// List the banned images: who banned them and why
    Bans(Bans),
    /// Promote groups by schedule and on new images, until told to stop
    Serve(Serve),
    /// List when the daemon promotes which group
    Schedule(Schedule),
    /// Show what serves, what is under way and how the last promotions ended
    Status(Status),
    /// List the last promotions: who began them, how they ended and why
    History(History),
    /// Show one promotion: what it ran, what happened, what its checks said
    Show(Show),
    /// Print what the checks of a promotion wrote
    Logs(Logs),
    /// Show what changed since the last promotion that passed, or between two
    Diff(Diff),
    /// Write a promotion down for other programs: JSON, or its test cases as `JUnit` XML
    Export(Export),
    /// Look after the records: bring them up to date, back them up, restore them
    Store(Store),
    /// Take a whole group out of the cluster, after showing what goes
    Remove(Remove),
    /// Write a first group, from what runs in a namespace and the repositories in ECR
    Init(Init),
    /// Look at all that promotions hang on, from the files to the cluster; writes nothing
    Doctor(Doctor),
    /// Prepare a cluster: the DeploymentGroup resource, the namespace and a Role
    Install(Install),
    /// Print a kubeconfig for an environment's EKS cluster; kubectl then needs no AWS CLI
    Kubeconfig(Kubeconfig),
    /// Print a token for an EKS cluster, the way kubectl asks for one (exec plugin)
    Token(Token),
    /// Print the JSON schema of group or environment files, for editors
    Schema(Schema),
    /// Look at settings and where they come from, or take over those that Terraform knows
    Config(Config),
    /// Print what a shell needs to complete commands, groups and environments
    Completions(Completions),
    /// Print the manual page, or write one per command into a folder
    Man(Man),
}

/// `promoter validate`
#[derive(Debug, ClapArgs)]
pub struct Validate {
    /// Files to check; all groups and environments if none is given
    pub paths: Vec<PathBuf>,
}

/// The group a command is about, by name.
#[derive(Debug, ClapArgs)]
pub struct Named {
    /// The group
    #[arg(value_name = "GROUP", add = ArgValueCompleter::new(complete::groups), required_unless_present = "group")]
    pub positional: Option<String>,

    /// The group
    #[arg(short, long, value_name = "GROUP", add = ArgValueCompleter::new(complete::groups), conflicts_with = "positional")]
    pub group: Option<String>,
}

impl Named {
    /// The group's name, whichever way it was given; the parser sees to it that
    /// it was.
    pub fn name(&self) -> &str {
        let name = self.group.as_deref().or(self.positional.as_deref());
        name.unwrap_or_default()
    }
}

/// The group a command is about, or every group.
#[derive(Debug, ClapArgs)]
pub struct OneOrAll {
    /// Only this group
    #[arg(value_name = "GROUP", add = ArgValueCompleter::new(complete::groups))]
    pub positional: Option<String>,

    /// Only this group
    #[arg(short, long, value_name = "GROUP", add = ArgValueCompleter::new(complete::groups), conflicts_with = "positional")]
    pub group: Option<String>,
}

impl OneOrAll {
    /// The group's name, whichever way it was given.
    pub fn name(&self) -> Option<&str> {
        self.group.as_deref().or(self.positional.as_deref())
    }
}

/// How a promotion is shown while it is driven.
#[derive(Debug, ClapArgs)]
pub struct Shown {
    /// Keep what each check wrote as DIR/<check>.log
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,

    /// Show every line the checks write, not only the last one
    #[arg(short, long)]
    pub verbose: bool,

    /// How to show what happens; json prints one event per line
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// A group that was promoted before, and where. No group file is needed.
#[derive(Debug, ClapArgs)]
pub struct Deployed {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub named: Named,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub at: At,
}

/// Where something is. No file is needed if a context and a namespace are given.
#[derive(Debug, Default, ClapArgs)]
pub struct At {
    /// The environment that is meant, where that is not clear
    #[arg(short, long, value_name = "ENVIRONMENT", add = ArgValueCompleter::new(complete::environments))]
    pub environment: Option<String>,

    /// The cluster's context in the kubeconfig, in place of an environment's
    #[arg(long, requires = "namespace", conflicts_with = "environment")]
    pub context: Option<String>,

    /// The namespace there
    #[arg(long, requires = "context")]
    pub namespace: Option<String>,
}

impl At {
    /// Whether it says anything.
    pub fn is_given(&self) -> bool {
        self.context.is_some() || self.environment.is_some()
    }
}

/// `promoter resume`
#[derive(Debug, ClapArgs)]
pub struct Resume {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: Deployed,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub shown: Shown,
}

/// `promoter status`
#[derive(Debug, ClapArgs)]
pub struct Status {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: OneOrAll,

    /// The environment to look at; needed where there are several
    #[arg(short, long, value_name = "ENVIRONMENT", add = ArgValueCompleter::new(complete::environments))]
    pub environment: Option<String>,

    /// Go on showing changes of one group
    #[arg(short, long)]
    pub watch: bool,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// `promoter init`
#[derive(Debug, ClapArgs)]
pub struct Init {
    /// The kubeconfig context to look at; the current one if not given
    #[arg(long, value_name = "CONTEXT")]
    pub context: Option<String>,

    /// The namespace to look at; that of the context if not given
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,

    /// What to call the group; its branch if not given
    #[arg(short, long, value_name = "GROUP")]
    pub group: Option<String>,

    /// What to call the environment; the namespace if not given
    #[arg(short, long, value_name = "ENVIRONMENT")]
    pub environment: Option<String>,

    /// Write the files without asking
    #[arg(long)]
    pub yes: bool,
}

/// `promoter install`
#[derive(Debug, ClapArgs)]
pub struct Install {
    /// The environment to prepare; needed where there are several
    #[arg(short, long, value_name = "ENVIRONMENT", add = ArgValueCompleter::new(complete::environments))]
    pub environment: Option<String>,

    /// Only print the roles that whoever promotes needs
    #[arg(long, value_enum, value_name = "WHO", num_args = 0..=1, require_equals = true, default_missing_value = "person")]
    pub print_role: Option<Promoter>,

    /// Only print the definition of the DeploymentGroup resource
    #[arg(long, conflicts_with_all = ["print_role", "environment"])]
    pub print_definition: bool,
}

/// Who promotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Promoter {
    /// Somebody who types commands
    Person,
    /// The daemon, which takes no group out of the cluster
    Daemon,
}

/// `promoter doctor`
#[derive(Debug, ClapArgs)]
pub struct Doctor {
    /// Only these groups, and what they hang on
    #[arg(short, long, value_name = "GROUP", num_args = 1.., add = ArgValueCompleter::new(complete::groups), conflicts_with = "environment")]
    pub group: Vec<String>,

    /// Only this environment and its groups; all there are if not given
    #[arg(short, long, value_name = "ENVIRONMENT", add = ArgValueCompleter::new(complete::environments))]
    pub environment: Option<String>,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// `promoter kubeconfig`
#[derive(Debug, ClapArgs)]
pub struct Kubeconfig {
    /// The environment whose cluster is meant; needed where there are several
    #[arg(short, long, value_name = "ENVIRONMENT", add = ArgValueCompleter::new(complete::environments))]
    pub environment: Option<String>,

    /// Where to; standard output if not given. A file that is there is never overwritten
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `promoter token`
#[derive(Debug, ClapArgs)]
pub struct Token {
    /// The cluster's name in EKS; no environment file is needed then
    #[arg(long, value_name = "NAME", value_parser = aws::cluster, conflicts_with = "environment")]
    pub cluster: Option<String>,

    /// Its AWS region; `AWS_REGION` or the profile's if not given
    #[arg(long, requires = "cluster", value_parser = aws::region)]
    pub region: Option<String>,

    /// ARN of an IAM role to assume first
    #[arg(long, value_name = "ARN", requires = "cluster", value_parser = aws::role)]
    pub role: Option<String>,

    /// The environment whose cluster is meant; needed where there are several
    #[arg(short, long, value_name = "ENVIRONMENT", add = ArgValueCompleter::new(complete::environments))]
    pub environment: Option<String>,
}

/// How to print a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn arguments_are_consistent() {
        super::command().debug_assert();
    }
}
