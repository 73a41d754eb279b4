//! Takes the testbed away, whatever state it is in.
//!
//! Works from what is found on the machine and not from records, since it also
//! cleans up after a run that was killed. Removes only what bears the testbed's
//! name or lies in its folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::Pid;

use super::layout::Layout;
use super::system::Before;
use super::{daemon, firewall, network, wait};
use crate::progress::Progress;

const VANISH_WITHIN: Duration = Duration::from_secs(20);

/// Removes all that there is. Says something only if there is anything.
pub(crate) fn remove(layout: &Layout, before: &Before, progress: &mut Progress) -> Result<()> {
    if find(layout, before)?.is_empty() {
        return Ok(());
    }
    progress.step(
        "removing the testbed's processes, mounts, network and files",
        || {
            kill_all(layout)?;
            unmount_all(layout)?;
            network::remove()?;
            firewall::clean(before)?;
            remove_cgroups()?;
            remove_strewn(layout)?;
            before.remove_new_folders();
            before.restore_settings()?;
            match fs::remove_dir_all(layout.state()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)
                    .with_context(|| format!("failed to remove {}", layout.state().display())),
                _ => Ok(()),
            }
        },
    )
}

/// What there is of the testbed on the machine.
pub(crate) fn find(layout: &Layout, before: &Before) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for process in daemon::marked(layout.state()) {
        let pid = process.pid.as_raw_nonzero();
        let command = process.command.join(" ");
        found.push(format!("process {pid} of {}: {command}", process.component));
    }
    let mut add = |kind: &str, names: Vec<String>| {
        found.extend(names.iter().map(|name| format!("{kind} {name}")));
    };
    let shown = |paths: Vec<PathBuf>| {
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    };
    let pids = pids_in_pods();
    add(
        "process of a pod",
        pids.iter()
            .map(|pid| pid.as_raw_nonzero().to_string())
            .collect(),
    );
    add("mount", shown(mounts(layout)?));
    add("on the network", network::left()?);
    add("packet filter chain", firewall::left());
    add("packet filter table", before.new_tables());
    let cgroups = network::cgroups();
    add(
        "cgroup",
        shown(cgroups.into_iter().filter(|path| path.exists()).collect()),
    );
    add("file", shown(strewn(layout)));
    add(
        "folder",
        before
            .new_folders()
            .into_iter()
            .map(str::to_owned)
            .collect(),
    );
    let settings = before.changed_settings();
    add(
        "kernel setting",
        settings
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect(),
    );
    if layout.state().exists() {
        add("folder", shown(vec![layout.state().to_owned()]));
    }
    Ok(found)
}

/// Daemons first, so that none starts a pod anew while its processes are killed.
fn kill_all(layout: &Layout) -> Result<()> {
    let state = layout.state();
    wait::until(
        "the testbed's processes to end",
        VANISH_WITHIN,
        || {
            let daemons: Vec<_> = daemon::marked(state)
                .iter()
                .map(|process| process.pid)
                .collect();
            let in_pods = pids_in_pods();
            daemon::kill(&daemons, |pid| {
                daemon::Process::marked(state, pid).is_some()
            })?;
            daemon::kill(&in_pods, |pid| pids_in_pods().contains(&pid))?;
            Ok(daemons.is_empty() && in_pods.is_empty())
        },
        || format!("{:?}", daemon::marked(state)),
    )
}

/// Processes in the pods' cgroups.
fn pids_in_pods() -> Vec<Pid> {
    let mut found: Vec<_> = network::cgroups()
        .iter()
        .flat_map(|folder| folders_below(folder))
        .filter_map(|folder| fs::read_to_string(folder.join("cgroup.procs")).ok())
        .flat_map(|text| {
            text.lines()
                .filter_map(|line| Pid::from_raw(line.parse().ok()?))
                .collect::<Vec<_>>()
        })
        .collect();
    found.sort_by_key(|pid| pid.as_raw_nonzero());
    found.dedup();
    found
}

/// A folder and all below it, the innermost first.
fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(folders_below(&entry.path()));
        }
    }
    if folder.exists() {
        found.push(folder.to_owned());
    }
    found
}

/// Mounts in the state folder, the latest first.
fn mounts(layout: &Layout) -> Result<Vec<PathBuf>> {
    let table = fs::read_to_string("/proc/self/mountinfo").context("failed to read the mounts")?;
    let mut found: Vec<_> = mount_points(&table)
        .filter(|point| point.starts_with(layout.state()))
        .collect();
    found.reverse();
    Ok(found)
}

fn mount_points(table: &str) -> impl Iterator<Item = PathBuf> {
    // A space in a path is written as an octal number.
    table
        .lines()
        .filter_map(|line| Some(line.split(' ').nth(4)?.replace("\\040", " ").into()))
}

fn unmount_all(layout: &Layout) -> Result<()> {
    for mount in mounts(layout)? {
        // Detached: a killed process may hold it for a moment longer.
        unmount(&mount, UnmountFlags::DETACH)
            .with_context(|| format!("failed to unmount {}", mount.display()))?;
    }
    // What is still mounted would be emptied with the folder.
    let left = mounts(layout)?;
    ensure!(left.is_empty(), "still mounted: {left:?}");
    Ok(())
}

fn remove_cgroups() -> Result<()> {
    for folder in network::cgroups()
        .iter()
        .flat_map(|folder| folders_below(folder))
    {
        // The kernel counts a process out a moment after it ended.
        wait::until(
            &format!("cgroup {} to be empty", folder.display()),
            VANISH_WITHIN,
            || match fs::remove_dir(&folder) {
                Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => Ok(false),
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(true),
            },
            || fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default(),
        )?;
    }
    Ok(())
}

/// Files that programs put into folders which they share with others.
fn strewn(layout: &Layout) -> Vec<PathBuf> {
    // Links to pods' logs.
    let logs = entries("/var/log/containers")
        .filter(|path| fs::read_link(path).is_ok_and(|target| target.starts_with(layout.state())));
    // What the network plugins were told when they set up a pod.
    let state = layout.state().display().to_string();
    let results = entries("/var/lib/cni/results")
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(&state)));
    logs.chain(results).chain(shim_sockets(layout)).collect()
}

fn remove_strewn(layout: &Layout) -> Result<()> {
    for file in strewn(layout) {
        fs::remove_file(&file).with_context(|| format!("failed to remove {}", file.display()))?;
    }
    Ok(())
}

/// Sockets of containerd's shims. They lie in a folder shared by all users of
/// containerd under names that tell nothing; each container has that of its
/// shim written down, which it shares with the others of its pod.
fn shim_sockets(layout: &Layout) -> BTreeSet<PathBuf> {
    let containers = layout.path("run/io.containerd.runtime.v2.task/k8s.io");
    entries(&containers)
        .filter_map(|folder| fs::read_to_string(folder.join("address")).ok())
        .filter_map(|address| Some(PathBuf::from(address.trim().strip_prefix("unix://")?)))
        .filter(|socket| socket.starts_with("/run/containerd/s") && socket.exists())
        .collect()
}

/// The paths in a folder; none if there is no such folder.
fn entries(folder: impl AsRef<Path>) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_as_paths() {
        let table =
            "22 1 0:20 / /sys rw - sysfs sysfs rw\n23 1 0:21 / /a\\040b rw - tmpfs tmpfs rw\n";
        let points: Vec<_> = mount_points(table).collect();
        assert_eq!(points, [PathBuf::from("/sys"), PathBuf::from("/a b")]);
    }
}
