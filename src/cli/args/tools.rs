//! Commands that make the others easier to type and to look through.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use clap_complete::env::Shells;

use super::{Format, OneOrAll};

/// `promoter schema`
#[derive(Debug, ClapArgs)]
pub struct Schema {
    /// Of which files
    #[arg(value_enum, value_name = "FILES")]
    pub of: SchemaOf,
}

/// `promoter config`
#[derive(Debug, ClapArgs)]
pub struct Config {
    /// What to do
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting, its value and where it came from; secrets are not shown
    Show(ConfigShow),
    /// Write an environment's file from what Terraform made, or bring it up to date
    ImportTerraform(ImportTerraform),
}

/// `promoter config show`
#[derive(Debug, ClapArgs)]
pub struct ConfigShow {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: OneOrAll,

    /// As `deploy` takes it: this branch instead of the one in the file
    #[arg(short, long, value_name = "[APP=]BRANCH")]
    pub branch: Vec<String>,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// `promoter config import-terraform`
#[derive(Debug, ClapArgs)]
pub struct ImportTerraform {
    /// What `terraform output -json` printed; standard input if it is - or not given
    pub file: Option<PathBuf>,

    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `promoter completions`
#[derive(Debug, ClapArgs)]
pub struct Completions {
    /// The shell
    #[arg(value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    pub shell: String,
}

/// `promoter man`
#[derive(Debug, ClapArgs)]
pub struct Man {
    /// Where the pages go; without it, `promoter(1)` is printed
    pub dir: Option<PathBuf>,
}

/// The files there is a schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Those in `groups/`
    Group,
    /// Those in `environments/`
    Environment,
}
