//! What can be typed to promote something, or to see what that would do.

use clap::Args as ClapArgs;

use super::wish::reason;
use super::{Format, Named, Shown};

/// The group a command is about, and what of it.
#[derive(Debug, ClapArgs)]
pub struct Target {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub named: Named,

    /// Take this branch instead of the one in the file; APP=BRANCH for a single app
    #[arg(short, long, value_name = "[APP=]BRANCH")]
    pub branch: Vec<String>,
}

/// `promoter plan`
#[derive(Debug, ClapArgs)]
pub struct Plan {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub target: Target,

    /// Show whole objects where something is new
    #[arg(long)]
    pub full: bool,

    /// Exit with 10 if the plan changes something
    #[arg(long)]
    pub detailed_exitcode: bool,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// `promoter deploy`
#[derive(Debug, ClapArgs)]
pub struct Deploy {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub target: Target,

    /// Promote although the same images and settings serve already
    #[arg(long)]
    pub force: bool,

    /// Return once traffic is moved; `status` shows the rest, the next deploy finishes it
    #[arg(long)]
    pub detach: bool,

    /// Promote although the environment's budget guard keeps promotions back; needs --reason
    #[arg(long, requires = "reason")]
    pub despite_budget: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub how: Promoting,
}

/// `promoter adopt`
#[derive(Debug, ClapArgs)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that is typed"
)]
pub struct Adopt {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub target: Target,

    /// Do it; without this it is shown, and asked for where somebody can answer
    #[arg(short, long)]
    pub yes: bool,

    /// Give what was adopted back as it was found, unless the first promotion has ended well
    #[arg(long, conflicts_with_all = ["yes", "retry", "overriding", "branch"])]
    pub undo: bool,

    /// Promote what was found bad when it was adopted before
    #[arg(long)]
    pub retry: bool,

    /// Promote although the environment's budget guard keeps promotions back; needs --reason
    #[arg(long, requires = "reason")]
    pub despite_budget: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub how: Promoting,
}

/// In spite of what a promotion is begun, why, and how it is shown.
#[derive(Debug, ClapArgs)]
pub struct Promoting {
    /// Promote in spite of holds, bans and the like; why stays on record
    #[arg(long = "override", value_name = "REASON", value_parser = reason)]
    pub overriding: Option<String>,

    /// Why, for everybody who looks at it later
    #[arg(short, long, value_name = "TEXT", value_parser = reason)]
    pub reason: Option<String>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub shown: Shown,
}
