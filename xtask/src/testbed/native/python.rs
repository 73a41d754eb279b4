//! The Python environment with the AWS double (moto) and the AWS CLI.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache::Cache;
use crate::progress::Progress;
use crate::run;

/// The Python program of the environment.
pub(crate) fn environment(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("testbed/requirements.txt");
    let wanted =
        std::fs::read(&list).with_context(|| format!("failed to read {}", list.display()))?;
    let python = run::find("python3").context("python3 is missing: install it")?;
    let version = run::output(Command::new(&python).arg("--version"))?;
    let made_from = [
        wanted.as_slice(),
        version.as_bytes(),
        python.as_os_str().as_encoded_bytes(),
    ];
    // The environment's own scripts name the folder that it was made in, which
    // is another by now: everything in it is run as `python3 -m MODULE`.
    let entry = cache.entry("python", &made_from, |into| {
        progress.step("installing moto and the AWS CLI (about 30 s the first time, cached afterwards)", || {
            run::output(Command::new(&python).args(["-m", "venv", "--copies"]).arg(into)).context(
                "failed to make a Python environment: install the venv module (Debian: python3-venv)",
            )?;
            let mut pip = Command::new(into.join("bin/python3"));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list);
            run::output(&mut pip).context("failed to install moto and the AWS CLI")
        })?;
        Ok(())
    })?;
    Ok(entry.join("bin/python3"))
}
