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

/// The program that holds a pod's namespaces.
pub(crate) fn pause(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    Ok(build(cache, progress, "pause", "pause", "", "about a second")?.join("pause"))
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testbed/go")
        .join(name);
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
