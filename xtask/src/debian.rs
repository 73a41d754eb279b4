//! Packages of the distribution, installed where that is Debian or a relative of it.
//!
//! Never lets a package start its service, and leaves running ones alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::progress::Progress;
use crate::run;

/// Debian asks this program whether an installed service may be started.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs what is missing, and sees to it that it is there then.
pub(crate) fn complete(
    missing: impl Fn() -> Vec<&'static str>,
    progress: &mut Progress,
) -> Result<()> {
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    install(&packages, progress)?;
    let left = missing();
    ensure!(
        left.is_empty(),
        "not found though it was installed: {}",
        left.join(" ")
    );
    Ok(())
}

fn install(packages: &[&str], progress: &mut Progress) -> Result<()> {
    let names = packages.join(" ");
    if run::find("apt-get").is_none() {
        bail!("these programs are missing and this is no Debian: install {names}");
    }
    progress.step(&format!("installing {names} (about a minute)"), || {
        let _policy = NoServices::begin()?;
        run::output(apt().args(["-qq", "update"]))?;
        run::output(
            apt()
                .args(["-qq", "install", "--yes", "--no-install-recommends"])
                .args(packages),
        )
        .with_context(|| format!("failed to install {names}"))?;
        Ok(())
    })
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

/// While it lives, installing a package starts no service.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn begin() -> Result<Self> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n")
                .with_context(|| format!("failed to write {POLICY}"))?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}
