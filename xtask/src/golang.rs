//! Programs that are built from Go modules.
//!
//! Each has a `go.mod` of its own below `xtask`, whose `tool` lines say what is
//! built, or which has a `main.go` beside it: versions and `replace` lines of
//! different programs do not mix.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::progress::Progress;
use crate::run;

/// What is built from one `go.mod`.
#[derive(Clone, Copy)]
pub(crate) struct Module {
    /// What it is called, in the cache too.
    pub(crate) name: &'static str,
    /// The folder below `xtask` that has its own, of the same name.
    pub(crate) tree: &'static str,
    /// The program that it has; empty where it has several, which are then
    /// named by their packages.
    pub(crate) program: &'static str,
    /// How long it takes to build.
    pub(crate) takes: &'static str,
}

impl Module {
    /// Where its `go.mod` lies.
    pub(crate) fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(self.tree)
            .join(self.name)
    }

    /// The one program that it has, from the cache or built.
    pub(crate) fn program(&self, cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
        Ok(self.build(cache, progress, "")?.join(self.program))
    }

    /// The folder with its programs, from the cache or built, with what the
    /// linker is told to set.
    pub(crate) fn build(
        &self,
        cache: &Cache,
        progress: &mut Progress,
        variables: &str,
    ) -> Result<PathBuf> {
        let folder = self.path();
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
        let Self { name, takes, .. } = self;
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
                    .arg(into.join(self.program))
                    .arg(packages)
                    .env("CGO_ENABLED", "0")
                    .env("GOWORK", "off");
                run::output(&mut go).with_context(|| format!("failed to build {name}"))
            })?;
            Ok(())
        })
    }
}
