//! What can be typed to stop or undo something, or to keep it from happening.

use clap::Args as ClapArgs;

use super::{At, Deployed, Format, Promoting, Shown};
use crate::promotion::restraint::BannedImage;

/// Most characters of a reason, as the cluster keeps them.
const LONGEST_REASON: usize = 500;

/// `promoter rollback`
#[derive(Debug, ClapArgs)]
pub struct Rollback {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: Deployed,

    /// The release, or a promotion of it; without it, what served before
    #[arg(long, value_name = "RELEASE")]
    pub to: Option<String>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub how: Promoting,
}

/// `promoter abort`
#[derive(Debug, ClapArgs)]
pub struct Abort {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: Deployed,

    /// Why, for everybody who looks at it later
    #[arg(short, long, value_name = "TEXT", value_parser = reason)]
    pub reason: Option<String>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub shown: Shown,
}

/// `promoter hold`, `promoter unhold`
#[derive(Debug, ClapArgs)]
pub struct Hold {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: Deployed,

    /// Why, for everybody who looks at it later
    #[arg(short, long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,
}

/// `promoter ban`, `promoter unban`
#[derive(Debug, ClapArgs)]
pub struct Ban {
    /// Its digest, or the first 12 digits of it or more, as `plan` and `diff` show them
    #[arg(value_name = "DIGEST", value_parser = BannedImage::parse)]
    pub image: BannedImage,

    /// Why, for everybody who looks at it later
    #[arg(short, long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,

    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub at: At,
}

/// `promoter bans`
#[derive(Debug, ClapArgs)]
pub struct Bans {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub at: At,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// `promoter remove`
#[derive(Debug, ClapArgs)]
pub struct Remove {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: Deployed,

    /// Do not ask; needed where nobody can answer
    #[arg(short, long)]
    pub yes: bool,
}

/// A reason has to say something, and has to fit where everybody reads it.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("a reason has to say something".to_owned()),
        length if length > LONGEST_REASON => Err(format!(
            "it has {length} characters, and at most {LONGEST_REASON} are kept"
        )),
        _ => Ok(text.to_owned()),
    }
}
