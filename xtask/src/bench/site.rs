//! A folder of promoter's files, for one namespace of the testbed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::Bench;
use crate::run;
use crate::testbed::layout;

/// The environment that its groups name.
pub(super) const ENVIRONMENT: &str = "bench";

/// The folder and the namespace.
pub(super) struct Site<'a> {
    bench: &'a Bench,
    pub(super) namespace: String,
    folder: PathBuf,
}

impl<'a> Site<'a> {
    /// Writes the file of its environment.
    pub(super) fn new(bench: &'a Bench, namespace: String) -> Result<Self> {
        let site = Self {
            bench,
            folder: bench.scratch.path().join(&namespace),
            namespace,
        };
        let account = layout::ECR.split('.').next().unwrap_or_default();
        site.write(
            &format!("environments/{ENVIRONMENT}.toml"),
            &format!(
                "[environment]\nname = \"{ENVIRONMENT}\"\nnamespace = \"{}\"\n\
                 cluster = {{ context = \"{}\" }}\n\n[registry]\naccount = \"{account}\"\n\
                 region = \"{}\"\n",
                site.namespace,
                bench.cluster.context(),
                layout::REGION,
            ),
        )?;
        Ok(site)
    }

    /// Writes a file below the folder.
    pub(super) fn write(&self, file: &str, text: &str) -> Result<PathBuf> {
        let file = format!("{}/{file}", self.namespace);
        self.bench.scratch.write(&file, text)
    }

    /// The path of a file below the folder.
    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Makes what promoter needs in the namespace.
    pub(super) fn install(&self) -> Result<()> {
        run::output(&mut self.command(&["install"])).map(drop)
    }

    /// A command of promoter on the folder.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.bench.command(&self.bench.programs.promoter);
        command.arg("-C").arg(&self.folder).args(words);
        command.env("PROMOTER_ACTOR", "bench");
        command.env("PROMOTER_RECORDS", self.path("records.db"));
        command
    }
}
