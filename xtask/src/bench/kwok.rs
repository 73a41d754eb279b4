//! Nodes that kwok plays, for groups larger than this machine can run.
//!
//! Nobody can give the pods of all contenders a node selector or a toleration.
//! So the nodes offer a resource that no real node has, and a namespace makes
//! its pods ask for it; other pods avoid these nodes where there is another.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result};
use serde_json::json;

use super::Bench;
use super::cluster::LABEL;
use crate::progress::Progress;
use crate::run;
use crate::testbed::layout::{self, Layout};

const RESOURCE: &str = "promoter.dev/bench";
const NODES: usize = 4;
/// As many as have an address on a node.
const PODS: &str = "250";
/// Where kwok answers for its nodes.
const PORT: u16 = 21251;

/// A kwok that runs. Dropped, it is stopped and its nodes are removed.
pub(super) struct Kwok<'a> {
    bench: &'a Bench,
    process: Child,
}

impl<'a> Kwok<'a> {
    /// Starts it and waits until its nodes are ready.
    pub(super) fn start(bench: &'a Bench, progress: &mut Progress) -> Result<Self> {
        progress.step("starting kwok", || {
            let log = bench.scratch.path().join("kwok.log");
            let kwok = Self {
                bench,
                process: spawn(bench, &log)?,
            };
            bench.cluster.apply(&nodes())?;
            let selector = format!("--selector={LABEL}");
            let wait = [
                "wait",
                "nodes",
                &selector,
                "--for=condition=Ready",
                "--timeout=1m",
            ];
            run::output(&mut bench.cluster.kubectl(wait))
                .with_context(|| format!("kwok said:\n{}", run::tail(&log)))?;
            Ok(kwok)
        })
    }

    /// Makes all pods of a namespace run on the nodes.
    pub(super) fn attract(&self, namespace: &str) -> Result<()> {
        self.bench.cluster.apply(&[json!({
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": { "name": "bench", "namespace": namespace },
            "spec": { "limits": [{
                "type": "Container",
                "default": { RESOURCE: "1" },
                "defaultRequest": { RESOURCE: "1" },
            }] },
        })])
    }
}

fn spawn(bench: &Bench, log: &Path) -> Result<Child> {
    let kubeconfig = bench.testbed.kubeconfig.as_ref();
    let kubeconfig = kubeconfig.context("kwok needs the testbed's kubeconfig")?;
    let layout = Layout::new();
    let file = File::create(log)?;
    let mut kwok = bench.command(&bench.peers.kwok);
    for stage in std::fs::read_dir(&bench.peers.kwok_stages)? {
        kwok.arg("--config").arg(stage?.path());
    }
    kwok.arg("--kubeconfig")
        .arg(kubeconfig)
        .args([
            format!("--manage-nodes-with-label-selector={LABEL}"),
            format!("--server-address={}:{PORT}", layout::NODE_ADDRESS),
            // The API server asks it for logs as it asks a kubelet. It has none and
            // says so at once: those that it can be given never end for a follower.
            format!("--tls-cert-file={}", layout.text("pki/server.crt")),
            format!("--tls-private-key-file={}", layout.text("pki/server.key")),
            "--node-lease-duration-seconds=40".to_owned(),
        ])
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .context("failed to start kwok")
}

impl Drop for Kwok<'_> {
    fn drop(&mut self) {
        // What cannot be removed now, the bench's last step or its next run does.
        let _ = remove_nodes(self.bench);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Removes the nodes, also those of a run that was killed.
pub(super) fn remove_nodes(bench: &Bench) -> Result<()> {
    let selector = format!("--selector={LABEL}");
    let delete = ["delete", "nodes", &selector, "--timeout=1m"];
    run::output(&mut bench.cluster.kubectl(delete))?;
    Ok(())
}

fn nodes() -> Vec<serde_json::Value> {
    let room = json!({ "cpu": "1000", "memory": "1Ti", "pods": PODS, RESOURCE: PODS });
    let node = |number| {
        let name = format!("kwok-{number}");
        json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {
                    LABEL: "",
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
                },
            },
            "spec": { "taints": [{ "key": LABEL, "effect": "PreferNoSchedule" }] },
            "status": {
                "capacity": room,
                "allocatable": room,
                // kwok's stage takes all addresses away where one of the two is missing.
                "addresses": [
                    { "type": "InternalIP", "address": layout::NODE_ADDRESS },
                    { "type": "Hostname", "address": name },
                ],
                "daemonEndpoints": { "kubeletEndpoint": { "Port": PORT } },
            },
        })
    };
    (1..=NODES).map(node).collect()
}
