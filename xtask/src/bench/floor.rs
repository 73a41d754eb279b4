//! The floor in the race: the least that the cluster itself takes.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::race::{Contender, Lap};
use super::report::{FLOOR, PINNED_FLOOR};
use super::workload::{Release, Workload};
use crate::run;

/// Runs the floor in a namespace.
pub(super) struct Floor<'a> {
    bench: &'a Bench,
    workload: Workload,
    namespace: String,
    /// Where promoter promotes, if the floor makes what promoter makes there.
    /// `None`: what the users' manifests say.
    pinned_as_in: Option<String>,
}

impl<'a> Floor<'a> {
    pub(super) fn new(bench: &'a Bench, workload: &Workload, namespace: String) -> Self {
        Self {
            bench,
            workload: workload.clone(),
            namespace,
            pinned_as_in: None,
        }
    }

    /// A floor whose Deployments are those that promoter made last, with all they
    /// say of the other members, in another namespace.
    pub(super) fn pinned(self, promoter: String) -> Self {
        Self {
            pinned_as_in: Some(promoter),
            ..self
        }
    }

    fn work(&self, release: &Release) -> Result<Value> {
        let Some(namespace) = &self.pinned_as_in else {
            return Ok(self.workload.floor(release));
        };
        let words = [
            "--namespace",
            namespace,
            "get",
            "deployments",
            "--output=json",
        ];
        let standing = run::output(&mut self.bench.cluster.kubectl(words))?;
        let standing: Value = serde_json::from_str(&standing)?;
        self.workload.pinned_floor(release, &standing)
    }
}

impl Contender for Floor<'_> {
    fn name(&self) -> &'static str {
        match self.pinned_as_in {
            None => FLOOR,
            Some(_) => PINNED_FLOOR,
        }
    }

    fn lap(&mut self, release: &Release) -> Result<Lap> {
        let cluster = &self.bench.cluster;
        let work = self.work(release)?.to_string();
        let file = self.bench.scratch.write("floor.json", &work)?;
        let mut floor = self.bench.command(self.bench.programs.floor()?);
        floor.args([cluster.context(), &self.namespace]).arg(&file);
        let said = run::output(&mut floor)?;
        // To the end of the last check, and not of the process.
        let said: Value = serde_json::from_str(&said)?;
        let ended = said["ended"].as_f64();
        let took = Duration::from_secs_f64(ended.context("the floor does not say when it ended")?);
        let all = [
            "--namespace",
            &self.namespace,
            "delete",
            "deployments,jobs",
            "--all",
        ];
        let mut kubectl = cluster.kubectl(all);
        run::output(kubectl.args(["--cascade=foreground", "--timeout=5m"]))?;
        cluster.settled(&self.namespace, 0)?;
        Ok(Lap {
            took,
            ..Lap::default()
        })
    }
}
