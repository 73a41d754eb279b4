//! The floor in the race: the least that the cluster itself takes.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::race::{Contender, Lap};
use super::report::FLOOR;
use super::workload::{Release, Workload};
use crate::run;

/// Runs the floor in a namespace.
pub(super) struct Floor<'a> {
    bench: &'a Bench,
    workload: Workload,
    namespace: String,
}

impl<'a> Floor<'a> {
    pub(super) fn new(bench: &'a Bench, workload: &Workload, namespace: String) -> Self {
        Self {
            bench,
            workload: workload.clone(),
            namespace,
        }
    }
}

impl Contender for Floor<'_> {
    fn name(&self) -> &'static str {
        FLOOR
    }

    fn lap(&mut self, release: &Release) -> Result<Lap> {
        let cluster = &self.bench.cluster;
        let work = self.workload.floor(release).to_string();
        let file = self.bench.scratch.write("floor.json", &work)?;
        let mut floor = self.bench.command(&self.bench.programs.floor);
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
