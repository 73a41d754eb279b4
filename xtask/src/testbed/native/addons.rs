//! What runs in the cluster for the cluster: its DNS. And the last wait: the
//! node is ready and names resolve.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::layout::{self, Layout};
use super::wait;
use crate::progress::Progress;
use crate::run;

const MANIFEST: &str = include_str!("../../../testbed/coredns.yaml");
const READY_WITHIN: Duration = Duration::from_secs(90);

/// Applies what is missing and waits until pods can run and find each other.
pub(crate) fn apply(layout: &Layout, progress: &mut Progress) -> Result<()> {
    if ready(layout)?.is_empty() {
        return Ok(());
    }
    progress.step("waiting for the node and the cluster's DNS", || {
        // A namespace's default account comes a moment after the namespace.
        run::output_with_input(kubectl(layout).args(["apply", "--filename=-"]), MANIFEST)
            .context("failed to set up the cluster's DNS")?;
        let mut missing = String::new();
        wait::until(
            "the node and the cluster's DNS to be ready",
            READY_WITHIN,
            || {
                missing = ready(layout)?;
                Ok(missing.is_empty())
            },
            || {
                run::answer(kubectl(layout).args(["get", "nodes,pods,events", "--all-namespaces"]))
                    .unwrap_or_default()
            },
        )
        .with_context(|| format!("not ready: {missing}"))
    })
}

/// What is not ready yet; empty if all is.
fn ready(layout: &Layout) -> Result<String> {
    let resources = ["nodes,deployments", "--all-namespaces", "--output=json"];
    let text = run::output(kubectl(layout).arg("get").args(resources))?;
    let list: Value = serde_json::from_str(&text).context("kubectl gave no JSON")?;
    Ok(not_ready(&list).join(", "))
}

fn not_ready(list: &Value) -> Vec<&'static str> {
    let is = |kind: &str, name: &str, condition: &str| {
        let objects = list["items"].as_array().into_iter().flatten();
        let mut named =
            objects.filter(|object| object["kind"] == kind && object["metadata"]["name"] == name);
        named.any(|object| {
            let mut conditions = object["status"]["conditions"]
                .as_array()
                .into_iter()
                .flatten();
            conditions.any(|one| one["type"] == condition && one["status"] == "True")
        })
    };
    let mut missing = Vec::new();
    if !is("Node", layout::NAME, "Ready") {
        missing.push("the node");
    }
    if !is("Deployment", "coredns", "Available") {
        missing.push("DNS");
    }
    missing
}

fn kubectl(layout: &Layout) -> Command {
    let mut kubectl = Command::new(layout.kubectl());
    kubectl
        .arg("--kubeconfig")
        .arg(layout.kubeconfig())
        .arg("--request-timeout=20s");
    kubectl.env("NO_PROXY", layout::NO_PROXY.join(","));
    kubectl
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_is_named() {
        let object = |kind, name, condition, status| {
            json!({
                "kind": kind,
                "metadata": { "name": name },
                "status": { "conditions": [{ "type": condition, "status": status }] },
            })
        };
        let node = object("Node", layout::NAME, "Ready", "True");
        let dns = object("Deployment", "coredns", "Available", "False");
        assert_eq!(not_ready(&json!({ "items": [node, dns] })), ["DNS"]);
        assert_eq!(not_ready(&json!({ "items": [] })), ["the node", "DNS"]);
    }
}
