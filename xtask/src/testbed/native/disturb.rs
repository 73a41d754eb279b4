//! Stopping, starting and pausing single parts of a testbed that is up: the
//! weather that tests need, and developers who look into one.
//!
//! Touches no other part, writes no configuration, and leaves mending to `up`,
//! which starts and resumes whatever does not run.

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::component::{self, Component};
use super::layout::Layout;
use super::present;
use super::{Programs, components, ecr, lock, supported};
use crate::cache::Cache;
use crate::progress::Progress;

/// What is done to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// Asks its process to end, and kills it if that takes seconds.
    Stop,
    /// Starts it and waits until it is healthy.
    Start,
    /// Both.
    Restart,
    /// Halts its process where it stands: connections stay open and nothing answers.
    Pause,
    /// Lets a halted process go on.
    Resume,
}

impl Disturbance {
    /// The one a command line names.
    pub(crate) fn named(verb: &str) -> Option<Self> {
        Some(match verb {
            "stop" => Self::Stop,
            "start" => Self::Start,
            "restart" => Self::Restart,
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            _ => return None,
        })
    }
}

/// Does it to the part of that name.
pub(crate) fn disturb(what: Disturbance, name: &str, progress: &mut Progress) -> Result<()> {
    let (layout, part) = find(name, progress)?;
    let _lock = lock()?;
    let name = part.daemon.name;
    match what {
        Disturbance::Stop => progress.step(&format!("stopping {name}"), || stop(&part)),
        Disturbance::Start => start(&layout, part, progress),
        Disturbance::Restart => {
            progress.step(&format!("stopping {name}"), || stop(&part))?;
            start(&layout, part, progress)
        }
        Disturbance::Pause => part.daemon.signal(Signal::STOP),
        Disturbance::Resume => part.daemon.signal(Signal::CONT),
    }
}

/// The process id of the part of that name, which must run.
pub(crate) fn pid(name: &str, progress: &mut Progress) -> Result<i32> {
    let (_, part) = find(name, progress)?;
    let pid = part.daemon.pid();
    let pid = pid.with_context(|| format!("{name} does not run"))?;
    Ok(pid.as_raw_nonzero().get())
}

/// Restarts the controller manager with the request rate that Kubernetes ships,
/// until the next `up`.
pub(crate) fn controllers_as_shipped(progress: &mut Progress) -> Result<()> {
    let (layout, mut part) = find(components::CONTROLLER_MANAGER, progress)?;
    let _lock = lock()?;
    let arguments = &mut part.daemon.arguments;
    arguments.retain(|word| !components::RAISED_RATE.contains(&word.as_str()));
    start(&layout, part, progress)
}

fn find(name: &str, progress: &mut Progress) -> Result<(Layout, Component)> {
    supported()?;
    let layout = present()?;
    let programs = Programs::get(&Cache::open()?, progress)?;
    let mut all = components::all(&layout, &programs)?;
    let place = all.iter().position(|part| part.daemon.name == name);
    let Some(place) = place else {
        let names: Vec<_> = all.iter().map(|part| part.daemon.name).collect();
        bail!("there is no part {name}; there are {}", names.join(", "));
    };
    Ok((layout, all.swap_remove(place)))
}

fn stop(part: &Component) -> Result<()> {
    // One that is paused would take the wish to end only when it goes on.
    part.daemon.signal(Signal::CONT)?;
    part.daemon.end()
}

fn start(layout: &Layout, part: Component, progress: &mut Progress) -> Result<()> {
    let holds_images = part.daemon.name == "aws";
    component::start(layout, &[part], &[], progress)?;
    // The AWS double keeps all it knows in memory.
    if holds_images {
        ecr::restore(progress)?;
    }
    Ok(())
}
