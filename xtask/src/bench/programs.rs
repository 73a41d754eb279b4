//! The programs that are measured, as they are released.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::progress::Progress;
use crate::run;

/// Where they lie.
pub(super) struct Programs {
    pub(super) promoter: PathBuf,
    pub(super) floor: PathBuf,
}

impl Programs {
    /// Builds them with the release profile.
    pub(super) fn build(progress: &mut Progress) -> Result<Self> {
        let doing = "building promoter and the floor for release (about 10 min the first time)";
        let output = progress.step(doing, || {
            // The floor asks of its libraries no more than promoter does, so that
            // building both together gives the very promoter that is released.
            run::output(Command::new(env!("CARGO")).args([
                "build",
                "--release",
                "--quiet",
                "--message-format=json",
                "--package=promoter",
                "--package=floor",
                "--bins",
            ]))
        })?;
        Ok(Self {
            promoter: executable(&output, "promoter")?,
            floor: executable(&output, "floor")?,
        })
    }
}

/// The path of a program in cargo's messages.
fn executable(messages: &str, name: &str) -> Result<PathBuf> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut of_target = messages.filter(|message| message["target"]["name"] == name);
    let path = of_target.find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)));
    path.with_context(|| format!("cargo built no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_among_libraries() {
        let messages = "\
{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"floor\"},\"executable\":\"/t/floor\"}
{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"promoter\"},\"executable\":null}
{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"promoter\"},\"executable\":\"/t/promoter\"}";
        assert_eq!(
            executable(messages, "promoter").expect("found"),
            PathBuf::from("/t/promoter")
        );
        assert!(executable(messages, "other").is_err());
    }
}
