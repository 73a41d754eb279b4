//! The programs that come from the distribution.
//!
//! Says which there are, and sees to it that none is missing.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::debian;
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
    debian::complete(missing, progress)
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
