//! The programs that are measured, as they are released.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::progress::Progress;
use crate::run;

/// Where they lie.
pub(super) struct Programs {
    pub(super) promoter: PathBuf,
    floor: Option<PathBuf>,
}

impl Programs {
    /// Builds them with the release profile; the floor if there is a race.
    pub(super) fn build(races: bool, progress: &mut Progress) -> Result<Self> {
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--release", "--quiet", "--message-format=json"]);
        // The floor asks of its libraries no more than promoter does, so that
        // building both together gives the very promoter that is released.
        command.arg("--package=promoter");
        command.args(races.then_some("--package=floor"));
        command.arg("--bins");
        let doing = "building what is measured for release (about 10 min the first time)";
        let output = progress.step(doing, || run::output(&mut command))?;
        Ok(Self {
            promoter: executable(&output, "promoter")?,
            floor: races.then(|| executable(&output, "floor")).transpose()?,
        })
    }

    /// That of a race.
    pub(super) fn floor(&self) -> Result<&Path> {
        let floor = self.floor.as_deref();
        floor.context("the floor is built for races alone")
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
