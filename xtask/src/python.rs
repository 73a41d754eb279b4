//! Python environments, each with the packages of a list.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::progress::Progress;
use crate::run;

/// An environment that is made once, and anew when its list changes.
pub(crate) struct Environment {
    /// What its folder in the cache is called.
    pub(crate) name: &'static str,
    /// The list of packages, as a path below `xtask`.
    pub(crate) list: &'static str,
    /// What is in it, as people say it.
    pub(crate) what: &'static str,
    /// How long it takes to make.
    pub(crate) takes: &'static str,
}

impl Environment {
    /// The Python program of the environment, which is taken from the cache or
    /// made. Its packages are run as `python3 -m MODULE`.
    pub(crate) fn python(&self, cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
        let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.list);
        let wanted =
            std::fs::read(&list).with_context(|| format!("failed to read {}", list.display()))?;
        let python = run::find("python3").context("python3 is missing: install it")?;
        let version = run::output(Command::new(&python).arg("--version"))?;
        let made_from = [
            wanted.as_slice(),
            version.as_bytes(),
            python.as_os_str().as_encoded_bytes(),
        ];
        let doing = format!(
            "installing {} ({} the first time, cached afterwards)",
            self.what, self.takes
        );
        // The environment's own scripts name the folder that it was made in,
        // which is another by now: so they are not run.
        let entry = cache.entry(self.name, &made_from, |into| {
            progress.step(&doing, || self.make(&python, &list, into))
        })?;
        Ok(entry.join("bin/python3"))
    }

    fn make(&self, python: &Path, list: &Path, into: &Path) -> Result<()> {
        let mut venv = Command::new(python);
        venv.args(["-m", "venv", "--copies"]).arg(into);
        run::output(&mut venv).context(
            "failed to make a Python environment: install the venv module (Debian: python3-venv)",
        )?;
        let mut pip = Command::new(into.join("bin/python3"));
        pip.args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "-r"])
            .arg(list);
        run::output(&mut pip).with_context(|| format!("failed to install {}", self.what))?;
        Ok(())
    }
}
