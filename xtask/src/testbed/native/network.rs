//! What the node needs of the machine before its programs start: kernel
//! settings, an address, a cgroup.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::layout;
use super::system;
use crate::run;

const CGROUPS: &str = "/sys/fs/cgroup";

/// Prepares the machine; does nothing where that was done.
pub(crate) fn prepare() -> Result<()> {
    if !Path::new("/proc/sys/net/bridge").exists() {
        // A kernel without modules has them built in, or lacks them.
        for module in ["overlay", "br_netfilter", "nf_conntrack"] {
            run::answer(Command::new("modprobe").arg(module));
        }
        if !Path::new("/proc/sys/net/bridge").exists() {
            bail!("this kernel lacks br_netfilter, which Services between pods of a node need");
        }
    }
    system::set("net/ipv4/ip_forward", "1")?;
    system::set("net/bridge/bridge-nf-call-iptables", "1")?;
    if !has_address()? {
        run::output(ip().args(["address", "add", &address(), "dev", "lo"]))?;
    }
    for folder in cgroups() {
        fs::create_dir_all(&folder)
            .with_context(|| format!("failed to create {}", folder.display()))?;
    }
    Ok(())
}

/// The cgroup of all pods, once in each hierarchy.
pub(crate) fn cgroups() -> Vec<PathBuf> {
    if Path::new(CGROUPS).join("cgroup.controllers").exists() {
        return vec![Path::new(CGROUPS).join(layout::NAME)];
    }
    let hierarchies = fs::read_dir(CGROUPS).into_iter().flatten().flatten();
    hierarchies
        // Some are there twice: `cpu` may be a link to `cpu,cpuacct`.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .filter(|folder| folder.join("cgroup.procs").exists())
        .map(|folder| folder.join(layout::NAME))
        .collect()
}

/// Whether the node's address is there.
fn has_address() -> Result<bool> {
    let text = run::output(ip().args(["-oneline", "-4", "address", "show", "dev", "lo"]))?;
    Ok(text.contains(&address()))
}

/// What there is of the node's network.
pub(crate) fn left() -> Result<Vec<String>> {
    let mut found = Vec::new();
    if has_address()? {
        found.push(format!("address {}", layout::NODE_ADDRESS));
    }
    if has_bridge() {
        found.push(format!("bridge {}", layout::BRIDGE));
    }
    Ok(found)
}

/// Whether the pods' bridge is there.
fn has_bridge() -> bool {
    Path::new("/sys/class/net").join(layout::BRIDGE).exists()
}

/// Removes the address and the bridge, and what the kernel remembers of
/// connections: it would send a later one from the same port to a pod of old.
pub(crate) fn remove() -> Result<()> {
    for connections in [
        ["--orig-src", layout::PODS].as_slice(),
        &["--orig-dst", layout::PODS],
        &["--orig-dst", layout::SERVICES],
        // Those through a NodePort.
        &["--orig-src", "127.0.0.1", "--dst-nat"],
    ] {
        // It fails where there are none.
        run::answer(Command::new("conntrack").arg("--delete").args(connections));
    }
    if has_address()? {
        run::output(ip().args(["address", "delete", &address(), "dev", "lo"]))?;
    }
    if has_bridge() {
        // Pods' ends of their cables vanish with their namespaces, a moment
        // later; those that still hang on the bridge go first.
        for cable in fs::read_dir(
            Path::new("/sys/class/net")
                .join(layout::BRIDGE)
                .join("brif"),
        )
        .into_iter()
        .flatten()
        .flatten()
        {
            run::answer(ip().args(["link", "delete"]).arg(cable.file_name()));
        }
        run::output(ip().args(["link", "delete", layout::BRIDGE]))?;
    }
    Ok(())
}

fn address() -> String {
    format!("{}/32", layout::NODE_ADDRESS)
}

fn ip() -> Command {
    Command::new("ip")
}
