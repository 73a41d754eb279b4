//! The cluster, by kubectl: namespaces of the bench's own and what is in them.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::run;
use crate::testbed::Testbed;

/// Marks what the bench makes, so that a later run finds it.
pub(super) const LABEL: &str = "promoter-bench";

/// How long pods may take to come and to go.
const SETTLES_WITHIN: Duration = Duration::from_mins(5);
const INTERVAL: Duration = Duration::from_millis(250);

/// The cluster.
pub(super) struct Cluster {
    testbed: Testbed,
}

impl Cluster {
    pub(super) fn new(testbed: &Testbed) -> Self {
        Self {
            testbed: testbed.clone(),
        }
    }

    /// A kubectl command.
    pub(super) fn kubectl<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.testbed.command("kubectl");
        command
            .args(["--context", &self.testbed.context])
            .args(words);
        command
    }

    /// The kubeconfig context.
    pub(super) fn context(&self) -> &str {
        &self.testbed.context
    }

    /// Applies objects.
    pub(super) fn apply(&self, objects: &[Value]) -> Result<()> {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        let mut kubectl = self.kubectl(["apply", "--server-side", "--filename=-"]);
        run::output_with_input(&mut kubectl, &list.to_string())?;
        Ok(())
    }

    /// Makes a namespace.
    pub(super) fn create_namespace(&self, name: &str) -> Result<()> {
        self.apply(&[json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "name": name, "labels": { LABEL: "" } },
        })])
    }

    /// Deletes all namespaces of the bench and waits until they are gone.
    pub(super) fn remove_namespaces(&self) -> Result<()> {
        let selector = format!("--selector={LABEL}");
        run::output(&mut self.kubectl(["delete", "namespaces", &selector, "--timeout=5m"]))?;
        Ok(())
    }

    /// Waits until a namespace has so many pods, all ready, and no other that
    /// has not ended.
    pub(super) fn settled(&self, namespace: &str, pods: usize) -> Result<()> {
        let each = "{range .items[*]}{.metadata.deletionTimestamp}|{.status.phase}|\
                    {.status.conditions[?(@.type==\"Ready\")].status}{\"\\n\"}{end}";
        let output = format!("--output=jsonpath={each}");
        let begun = Instant::now();
        loop {
            let words = ["--namespace", namespace, "get", "pods", &output];
            let found = run::output(&mut self.kubectl(words))?;
            let ended =
                |line: &&str| line.starts_with("|Succeeded|") || line.starts_with("|Failed|");
            let left: Vec<_> = found.lines().filter(|line| !ended(line)).collect();
            if left.len() == pods && left.iter().all(|line| *line == "|Running|True") {
                return Ok(());
            }
            if begun.elapsed() > SETTLES_WITHIN {
                bail!("{namespace} does not settle to {pods} ready pods; its pods:\n{found}");
            }
            std::thread::sleep(INTERVAL);
        }
    }
}
