//! The programs that are built from Go modules.
//!
//! Each tool has a `go.mod` of its own under `xtask/testbed/go`, whose `tool`
//! lines say what is built: their versions and `replace` lines do not mix. For
//! another version of Kubernetes, set it in `go.mod`, name in `replace` lines
//! the modules that Kubernetes' own `go.mod` takes from `./staging`, run
//! `go mod tidy`, and set it below.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache::Cache;
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
    build(cache, progress, "kubernetes", "", &variables, "about 5 min")
}

/// The etcd program.
pub(crate) fn etcd(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    Ok(build(cache, progress, "etcd", "etcd", "", "about 15 s")?.join("etcd"))
}

/// The `CoreDNS` program.
pub(crate) fn coredns(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    Ok(build(cache, progress, "coredns", "coredns", "", "about 2 min")?.join("coredns"))
}

/// The program that lets network policies hold.
pub(crate) fn policies(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    Ok(build(cache, progress, "policies", "policies", "", "about 2 min")?.join("policies"))
}

/// The program that holds a pod's namespaces.
pub(crate) fn pause(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    Ok(build(cache, progress, "pause", "pause", "", "about a second")?.join("pause"))
}

/// The controller of Argo Rollouts, which the bench runs beside promoter.
pub(crate) fn argo_rollouts(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    let folder = build(
        cache,
        progress,
        "argo-rollouts",
        ARGO_ROLLOUTS,
        "",
        "about 3 min",
    )?;
    Ok(folder.join(ARGO_ROLLOUTS))
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
    Ok(build(cache, progress, "kwok", "kwok", "", "about 2 min")?.join("kwok"))
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
fn module_files(cache: &Cache, name: &str, required: &str, files: &[String]) -> Result<PathBuf> {
    let folder = module(name);
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

/// The folder of a module's `go.mod`.
fn module(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testbed/go")
        .join(name)
}

/// Builds the tools of one module. `program` names the one that it has, and is
/// empty where it has several, which are then named by their packages.
fn build(
    cache: &Cache,
    progress: &mut Progress,
    name: &str,
    program: &str,
    variables: &str,
    takes: &str,
) -> Result<PathBuf> {
    let folder = module(name);
    let mut sources = Vec::new();
    for file in ["go.mod", "go.sum", "main.go"] {
        let path = folder.join(file);
        if path.exists() {
            sources.push(
                std::fs::read(&path)
                    .with_context(|| format!("failed to read {}", path.display()))?,
            );
        }
    }
    sources.push(variables.as_bytes().to_vec());
    let sources: Vec<_> = sources.iter().map(Vec::as_slice).collect();
    let packages = if folder.join("main.go").exists() {
        "."
    } else {
        "tool"
    };
    cache.entry(name, &sources, |into| {
        let doing =
            format!("building {name} from source ({takes} the first time, cached afterwards)");
        progress.step(&doing, || {
            let mut go = Command::new("go");
            go.current_dir(&folder)
                .args(["build", "-trimpath", "-buildvcs=false", "-mod=readonly"])
                .arg(format!("-ldflags=-s -w {variables}"))
                .arg("-o")
                // A path that ends in a slash takes several programs.
                .arg(into.join(program))
                .arg(packages)
                .env("CGO_ENABLED", "0")
                .env("GOWORK", "off");
            run::output(&mut go).with_context(|| format!("failed to build {name}"))
        })?;
        Ok(())
    })
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
