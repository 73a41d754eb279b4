//! A part of the cluster: a daemon, what it listens on, and how one sees that it
//! is healthy. Starts parts in order; what they are, `components` says.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::daemon::Daemon;
use super::layout::Layout;
use super::wait;
use crate::progress::Progress;
use crate::{http, run};

/// Longer than any of them has been seen to take on a slow machine.
const HEALTHY_WITHIN: Duration = Duration::from_mins(1);

/// A part of the cluster.
pub(crate) struct Component {
    pub(crate) daemon: Daemon,
    /// What it listens on.
    pub(crate) listens: Vec<(&'static str, u16)>,
    pub(crate) health: Health,
    /// Those of a stage start together, after those of the stage before.
    pub(crate) stage: u8,
}

/// Where a component tells that it is healthy.
pub(crate) enum Health {
    Http(String),
    Https(String),
    /// It has no such place, but accepts connections.
    Socket(PathBuf),
}

impl Component {
    /// Whether it works, by its own account.
    pub(crate) fn healthy(&self, layout: &Layout) -> bool {
        match &self.health {
            Health::Http(url) => http::answers(url),
            Health::Https(url) => {
                let mut curl = Command::new("curl");
                curl.args([
                    "--silent",
                    "--fail",
                    "--noproxy",
                    "*",
                    "--max-time",
                    "5",
                    "--cacert",
                ])
                .arg(layout.path("pki/ca.crt"))
                .arg(url);
                run::answer(&mut curl).is_some()
            }
            Health::Socket(path) => std::os::unix::net::UnixStream::connect(path).is_ok(),
        }
    }
}

/// Starts those that do not run, or run with other arguments or with files that
/// have `changed` since, and waits until all are healthy.
pub(crate) fn start(
    layout: &Layout,
    components: &[Component],
    changed: &[PathBuf],
    progress: &mut Progress,
) -> Result<()> {
    for stage in 0..=2 {
        let members: Vec<_> = components
            .iter()
            .filter(|part| part.stage == stage)
            .collect();
        let mut dead = Vec::new();
        for part in &members {
            part.daemon.stop_outdated(changed)?;
            part.daemon.resume_if_paused()?;
            if part.daemon.pid().is_none() {
                part.daemon.start(layout)?;
                dead.push(part.daemon.name);
            }
        }
        if dead.is_empty() {
            all_healthy(layout, &members)?;
        } else {
            progress.step(&format!("starting {}", dead.join(", ")), || {
                all_healthy(layout, &members)
            })?;
        }
    }
    Ok(())
}

/// Refuses to start where a port is taken, rather than let a part fail oddly.
pub(crate) fn ports_free(components: &[Component]) -> Result<()> {
    for part in components {
        for (address, port) in &part.listens {
            if TcpListener::bind((*address, *port)).is_err_and(|error| {
                // The node's own address does not exist yet.
                error.kind() == std::io::ErrorKind::AddrInUse
            }) {
                bail!(
                    "port {port} on {address} is taken, and {} needs it: `ss -ltnp` shows by whom",
                    part.daemon.name
                );
            }
        }
    }
    Ok(())
}

fn all_healthy(layout: &Layout, members: &[&Component]) -> Result<()> {
    for part in members {
        let name = part.daemon.name;
        let log = layout.log(name);
        wait::until(
            &format!("{name} to be healthy"),
            HEALTHY_WITHIN,
            || {
                if part.healthy(layout) {
                    return Ok(true);
                }
                if part.daemon.has_ended() {
                    bail!(
                        "{name} ended; the end of {}:\n{}",
                        log.display(),
                        run::tail(&log)
                    );
                }
                Ok(false)
            },
            || format!("the end of {}:\n{}", log.display(), run::tail(&log)),
        )?;
    }
    Ok(())
}
