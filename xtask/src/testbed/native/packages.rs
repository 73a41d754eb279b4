//! The programs that come from the distribution.
//!
//! Installs what is missing where that is Debian or a relative of it; never
//! lets a package start its service, and leaves running ones alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::progress::Progress;
use crate::run;

/// Programs, each with the package it comes from.
const PROGRAMS: &[(&str, &str)] = &[
    ("containerd", "containerd"),
    ("containerd-shim-runc-v2", "containerd"),
    ("runc", "runc"),
    ("buildah", "buildah"),
    ("docker-registry", "docker-registry"),
    ("conntrack", "conntrack"),
    ("iptables", "iptables"),
    ("ip6tables", "iptables"),
    ("nft", "nftables"),
    ("ip", "iproute2"),
    ("socat", "socat"),
    ("ethtool", "ethtool"),
    ("busybox", "busybox-static"),
    ("openssl", "openssl"),
    ("curl", "curl"),
    ("faketime", "faketime"),
];

/// Programs that one chooses the version of oneself.
const OWN: &[(&str, &str)] = &[
    (
        "go",
        "install Go 1.25 or newer: the cluster's programs are built with it",
    ),
    (
        "python3",
        "install Python 3 with its venv module: the AWS double runs on it",
    ),
    (
        "node",
        "install Node.js: the node base image is made from it",
    ),
    ("npm", "install npm: the node base image contains it"),
];

/// Where distributions put the CNI plugins.
const CNI_FOLDERS: [&str; 3] = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

/// Debian asks this program whether an installed service may be started.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// The folder of the CNI plugins.
pub(crate) fn cni_plugins() -> Result<PathBuf> {
    CNI_FOLDERS
        .iter()
        .map(PathBuf::from)
        .find(|folder| folder.join("bridge").is_file())
        .context("there are no CNI plugins: install containernetworking-plugins")
}

/// Installs what is missing.
pub(crate) fn install(progress: &mut Progress) -> Result<()> {
    if let Some((program, advice)) = OWN.iter().find(|(program, _)| run::find(program).is_none()) {
        bail!("{program} is missing: {advice}");
    }
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if run::find("apt-get").is_none() {
        bail!("these programs are missing and this is no Debian: install {names}");
    }
    progress.step(&format!("installing {names} (about a minute)"), || {
        let _policy = NoServices::begin()?;
        run::output(apt().args(["-qq", "update"]))?;
        run::output(
            apt()
                .args(["-qq", "install", "--yes", "--no-install-recommends"])
                .args(&missing),
        )
        .with_context(|| format!("failed to install {names}"))
    })?;
    let missing = self::missing();
    ensure!(
        missing.is_empty(),
        "not found though it was installed: {}",
        missing.join(" ")
    );
    Ok(())
}

fn missing() -> Vec<&'static str> {
    let mut packages: Vec<_> = PROGRAMS
        .iter()
        .filter(|(program, _)| run::find(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if cni_plugins().is_err() {
        packages.push("containernetworking-plugins");
    }
    packages.dedup();
    packages
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
