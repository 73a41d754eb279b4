//! What the cluster changes on the machine as a whole, remembered before it
//! does so and put back afterwards.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::layout::Layout;
use crate::run;

/// Kernel settings, as paths below `/proc/sys`. The first ones are ours, those
/// of `kernel` and `vm` kubelet's, and the rest kube-proxy's.
const SETTINGS: &[&str] = &[
    "net/ipv4/ip_forward",
    "net/bridge/bridge-nf-call-iptables",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "net/ipv4/conf/all/route_localnet",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
];

/// Folders that programs make outside the state folder, innermost first, each
/// with the files that they put there for good.
const FOLDERS: &[(&str, &[&str])] = &[
    ("/var/log/containers", &[]),
    (
        "/var/lib/kubelet/device-plugins",
        &["kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION"],
    ),
    ("/var/lib/kubelet", &[]),
    ("/var/lib/cni/results", &[]),
    ("/var/lib/cni", &[]),
    ("/run/containerd/s", &[]),
    ("/run/containerd", &[]),
    // buildah's, where building an image is the first use of it.
    ("/etc/cni/net.d", &["cni.lock"]),
    ("/etc/cni", &[]),
    ("/var/cache/containers", &["short-name-aliases.conf.lock"]),
    ("/var/lib/containers/cache", &["blob-info-cache-v1.boltdb"]),
    ("/var/lib/containers", &[]),
];

const FILE: &str = "before.json";

/// Writes down how the machine is now, unless that was done before.
pub(crate) fn remember(layout: &Layout) -> Result<()> {
    layout.folder("")?;
    let path = layout.path(FILE);
    if path.exists() {
        return Ok(());
    }
    let settings: Map<_, _> = SETTINGS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), json!(setting(name)?))))
        .collect();
    let folders: Vec<_> = folders().map(|(folder, _)| folder).collect();
    let before = json!({ "settings": settings, "folders": folders, "tables": tables() });
    fs::write(&path, format!("{before:#}\n"))
        .with_context(|| format!("failed to write {}", path.display()))
}

/// How the machine was before.
pub(crate) struct Before(Value);

impl Before {
    /// What was written down. Where nothing was, all counts as it is now.
    pub(crate) fn read(layout: &Layout) -> Self {
        let text = fs::read_to_string(layout.path(FILE)).unwrap_or_default();
        Self(serde_json::from_str(&text).unwrap_or_default())
    }

    /// The kernel settings that differ from what they were: path and old value.
    pub(crate) fn changed_settings(&self) -> Vec<(&str, &str)> {
        let old = self.0["settings"].as_object().into_iter().flatten();
        old.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .filter(|(name, value)| setting(name).is_some_and(|now| now != *value))
            .collect()
    }

    /// Puts the kernel settings back.
    pub(crate) fn restore_settings(&self) -> Result<()> {
        for (name, value) in self.changed_settings() {
            set(name, value)?;
        }
        Ok(())
    }

    /// Folders that are there and were not.
    pub(crate) fn new_folders(&self) -> Vec<&'static str> {
        added(&self.0["folders"], folders().map(|(folder, _)| folder))
    }

    /// Removes them, unless others use them by now.
    pub(crate) fn remove_new_folders(&self) {
        let new = self.new_folders();
        for (folder, files) in folders().filter(|(folder, _)| new.contains(folder)) {
            // A folder with more in it stays, and `new_folders` still names it.
            for file in files {
                let _ = fs::remove_file(Path::new(folder).join(file));
            }
            let _ = fs::remove_dir(folder);
        }
    }

    /// Packet filter tables that are there and were not.
    pub(crate) fn new_tables(&self) -> Vec<String> {
        added(&self.0["tables"], tables())
    }
}

/// Those that are there and were not. Where nothing was written down, that is
/// none: nothing is removed blindly.
fn added<T: AsRef<str>>(old: &Value, now: impl IntoIterator<Item = T>) -> Vec<T> {
    let Some(old) = old.as_array() else {
        return Vec::new();
    };
    now.into_iter()
        .filter(|name| !old.iter().any(|one| one == name.as_ref()))
        .collect()
}

/// Sets a kernel setting, unless it has the value.
pub(crate) fn set(name: &str, value: &str) -> Result<()> {
    if setting(name).is_some_and(|present| present == value) {
        return Ok(());
    }
    let path = Path::new("/proc/sys").join(name);
    fs::write(&path, value).with_context(|| format!("failed to set {name} to {value}"))
}

fn setting(name: &str) -> Option<String> {
    let text = fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?;
    Some(text.trim().to_owned())
}

fn folders() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    FOLDERS
        .iter()
        .copied()
        .filter(|(folder, _)| Path::new(folder).exists())
}

/// Packet filter tables, as `ip nat`.
fn tables() -> Vec<String> {
    let text = run::answer(Command::new("nft").args(["list", "tables"])).unwrap_or_default();
    text.lines()
        .filter_map(|line| Some(line.strip_prefix("table ")?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_there_before_is_new() {
        let now = ["ip nat", "ip filter"];
        assert_eq!(added(&json!(["ip nat"]), now), ["ip filter"]);
        assert!(added(&Value::Null, now).is_empty());
    }
}
