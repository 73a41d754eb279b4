//! The testbed's programs that are built from Go modules.
//!
//! For another version of Kubernetes, set it in `go.mod`, name in `replace`
//! lines the modules that Kubernetes' own `go.mod` takes from `./staging`, run
//! `go mod tidy`, and set it below.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::golang::Module;
use crate::progress::Progress;
use crate::run;

pub(crate) const KUBERNETES_VERSION: &str = "v1.34.4";

/// The program's name, by which its requests are known.
pub(crate) const ARGO_ROLLOUTS: &str = "rollouts-controller";

/// The folder of kube-apiserver, kubelet, kubectl and so on.
pub(crate) fn kubernetes(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    // Without these, programs say that they are v0.0.0-master.
    let variables = [
        "k8s.io/component-base/version",
        "k8s.io/client-go/pkg/version",
    ]
    .map(|package| {
        format!(
            "-X {package}.gitVersion={KUBERNETES_VERSION} -X {package}.gitMajor=1 \
                 -X {package}.gitMinor=34"
        )
    })
    .join(" ");
    module("kubernetes", "", "about 5 min").build(cache, progress, &variables)
}

/// The etcd program.
pub(crate) fn etcd(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    module("etcd", "etcd", "about 15 s").program(cache, progress)
}

/// The `CoreDNS` program.
pub(crate) fn coredns(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    module("coredns", "coredns", "about 2 min").program(cache, progress)
}

/// The program that lets network policies hold.
pub(crate) fn policies(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    module("policies", "policies", "about 2 min").program(cache, progress)
}

/// The program that holds a pod's namespaces.
pub(crate) fn pause(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    module("pause", "pause", "about a second").program(cache, progress)
}

/// The controller of Argo Rollouts, which the bench runs beside promoter.
pub(crate) fn argo_rollouts(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    module("argo-rollouts", ARGO_ROLLOUTS, "about 3 min").program(cache, progress)
}

/// The folder of the resource definitions of Argo Rollouts.
pub(crate) fn argo_rollouts_crds(cache: &Cache) -> Result<PathBuf> {
    let files = [
        "analysis-run-crd.yaml",
        "analysis-template-crd.yaml",
        "cluster-analysis-template-crd.yaml",
        "experiment-crd.yaml",
        "rollout-crd.yaml",
    ]
    .map(|file| format!("manifests/crds/{file}"));
    let path = "github.com/argoproj/argo-rollouts";
    module_files(cache, "argo-rollouts", path, &files)
}

/// The program that plays nodes, which the bench runs many pods on.
pub(crate) fn kwok(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    module("kwok", "kwok", "about 2 min").program(cache, progress)
}

/// The folder of what kwok's pods and nodes go through: ready, completed and
/// gone as quickly as can be.
pub(crate) fn kwok_stages(cache: &Cache) -> Result<PathBuf> {
    let files = [
        "node/fast/node-initialize.yaml",
        "pod/fast/pod-complete.yaml",
        "pod/fast/pod-delete.yaml",
        "pod/fast/pod-ready.yaml",
    ]
    .map(|file| format!("kustomize/stage/{file}"));
    module_files(cache, "kwok", "sigs.k8s.io/kwok", &files)
}

/// A folder with files of a module that one of ours requires.
fn module_files(
    cache: &Cache,
    name: &'static str,
    required: &str,
    files: &[String],
) -> Result<PathBuf> {
    let folder = module(name, "", "").path();
    let made_from = std::fs::read(folder.join("go.mod"))?;
    cache.entry(&format!("{name}-files"), &[&made_from], |into| {
        let mut go = Command::new("go");
        go.current_dir(&folder)
            .args(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", required])
            .env("GOWORK", "off");
        let sources = PathBuf::from(run::output(&mut go)?.trim());
        for file in files {
            let from = sources.join(file);
            let to = into.join(from.file_name().unwrap_or_default());
            std::fs::copy(&from, to)
                .with_context(|| format!("failed to copy {}", from.display()))?;
        }
        Ok(())
    })
}

fn module(name: &'static str, program: &'static str, takes: &'static str) -> Module {
    Module {
        name,
        tree: "testbed/go",
        program,
        takes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_say_the_version_that_they_are_built_from() {
        let module = include_str!("../../../testbed/go/kubernetes/go.mod");
        let required = format!("\tk8s.io/kubernetes {KUBERNETES_VERSION} ");
        assert!(module.contains(&required), "{required}");
    }
}
