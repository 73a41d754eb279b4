//! What can be typed to look back.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{At, Format, OneOrAll};
use crate::cli::complete;

/// What tells promotions of one identity apart.
#[derive(Debug, ClapArgs)]
pub struct Among {
    /// Its group, where several have one of that identity
    #[arg(short, long, value_name = "GROUP", add = ArgValueCompleter::new(complete::groups))]
    pub group: Option<String>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub at: At,
}

/// `promoter history`
#[derive(Debug, ClapArgs)]
pub struct History {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: OneOrAll,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub at: At,

    /// How many, at most
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 20)]
    pub last: u32,

    /// Ask no cluster; show only what was recorded on this machine
    #[arg(long)]
    pub local: bool,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// A promotion that is looked back on.
#[derive(Debug, ClapArgs)]
pub struct Past {
    /// Its identity, as `promoter history` lists it
    pub promotion: String,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: Among,
}

/// `promoter show`
#[derive(Debug, ClapArgs)]
pub struct Show {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub past: Past,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// `promoter logs`
#[derive(Debug, ClapArgs)]
pub struct Logs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub past: Past,

    /// Only what this check wrote
    #[arg(short, long, value_name = "CHECK")]
    pub check: Option<String>,
}

/// `promoter diff`
#[derive(Debug, ClapArgs)]
pub struct Diff {
    /// The promotion; with a second one, what came before
    #[arg(value_name = "PROMOTION")]
    pub first: String,

    /// What came after; without it, the first is compared with the last one that passed before it
    #[arg(value_name = "PROMOTION")]
    pub second: Option<String>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: Among,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// `promoter export`
#[derive(Debug, ClapArgs)]
pub struct Export {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub past: Past,

    /// What to write
    #[arg(short, long, value_enum, default_value_t = Exported::Json)]
    pub format: Exported,

    /// Where to; standard output if not given
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// What a promotion is written down as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Exported {
    /// All that is on record of it
    Json,
    /// Its checks and their test cases, as CI systems read them
    Junit,
}
