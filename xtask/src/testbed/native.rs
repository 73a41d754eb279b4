//! The testbed on this machine: a single-node cluster from packages.
//!
//! `up` takes what is there to what should be there, step by step, and every
//! step does nothing where nothing is to be done; `down` is its reverse. All
//! state lies in one folder, see `layout`.

mod addons;
mod certificates;
mod component;
mod components;
mod configuration;
mod daemon;
mod disturb;
mod ecr;
mod firewall;
mod golang;
mod image;
mod images;
mod kubeconfig;
pub(crate) mod layout;
mod leftovers;
mod network;
mod packages;
mod python;
mod status;
mod system;
mod wait;

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use self::layout::Layout;
use self::system::Before;
use super::Testbed;
use crate::cache::Cache;
use crate::progress::Progress;

pub(crate) use self::disturb::{Disturbance, controllers_as_shipped, disturb, pid};
pub(crate) use self::golang::ARGO_ROLLOUTS;
pub(crate) use self::status::status;

/// Programs that were built or installed for the testbed.
struct Programs {
    /// The folder of the Kubernetes programs.
    kubernetes: PathBuf,
    etcd: PathBuf,
    policies: PathBuf,
    /// The Python that has moto and the AWS CLI.
    python: PathBuf,
}

impl Programs {
    /// Takes them from the cache, or makes them.
    fn get(cache: &Cache, progress: &mut Progress) -> Result<Self> {
        Ok(Self {
            kubernetes: golang::kubernetes(cache, progress)?,
            etcd: golang::etcd(cache, progress)?,
            policies: golang::policies(cache, progress)?,
            python: python::environment(cache, progress)?,
        })
    }
}

/// Starts what is not running and returns once all of it is healthy.
pub(crate) fn up(progress: &mut Progress) -> Result<Testbed> {
    supported()?;
    let layout = Layout::new();
    let _lock = lock()?;
    let cache = Cache::open()?;

    packages::install(progress)?;
    let programs = Programs::get(&cache, progress)?;
    let images = images::all(&cache, progress)?;

    let components = components::all(&layout, &programs)?;
    if !components
        .iter()
        .any(|component| component.daemon.pid().is_some())
    {
        leftovers::remove(&layout, &Before::read(&layout), progress)?;
        component::ports_free(&components)?;
    }
    system::remember(&layout)?;
    network::prepare()?;
    firewall::guard()?;
    certificates::make(&layout)?;
    let changed = configuration::write(&layout)?;
    layout.offer_programs(&programs.kubernetes, &programs.python)?;

    component::start(&layout, &components, &changed, progress)?;
    images::publish(&images, progress)?;
    ecr::restore(progress)?;
    addons::apply(&layout, progress)?;
    Ok(layout.testbed())
}

/// What the bench runs beside the testbed.
pub(crate) struct Peers {
    /// The controller of Argo Rollouts.
    pub(crate) argo_rollouts: PathBuf,
    /// The folder of its resource definitions.
    pub(crate) argo_rollouts_crds: PathBuf,
    /// The program that plays nodes.
    pub(crate) kwok: PathBuf,
    /// The folder of what it lets nodes and pods go through.
    pub(crate) kwok_stages: PathBuf,
}

/// Takes those programs from the cache, or builds them.
pub(crate) fn peers(progress: &mut Progress) -> Result<Peers> {
    let _lock = lock()?;
    let cache = Cache::open()?;
    Ok(Peers {
        argo_rollouts: golang::argo_rollouts(&cache, progress)?,
        argo_rollouts_crds: golang::argo_rollouts_crds(&cache)?,
        kwok: golang::kwok(&cache, progress)?,
        kwok_stages: golang::kwok_stages(&cache)?,
    })
}

/// Stops all of it and puts the machine back as it was.
pub(crate) fn down(progress: &mut Progress) -> Result<()> {
    supported()?;
    let layout = Layout::new();
    let _lock = lock()?;
    let before = Before::read(&layout);
    leftovers::remove(&layout, &before, progress)?;
    std::fs::remove_file(layout::LOCK)
        .with_context(|| format!("failed to remove {}", layout::LOCK))?;
    let left = leftovers::find(&layout, &before)?;
    ensure!(
        left.is_empty(),
        "the testbed is down, but this is left of it:\n  {}",
        left.join("\n  ")
    );
    progress.note("The testbed is down; nothing of it is left but the build cache.");
    Ok(())
}

/// The testbed that is up, or an error if it is not.
pub(crate) fn current() -> Result<Testbed> {
    Ok(present()?.testbed())
}

/// Where the testbed lies that is up.
fn present() -> Result<Layout> {
    let layout = Layout::new();
    ensure!(
        layout.kubeconfig().exists(),
        "the testbed is not up: run `cargo xtask testbed up`"
    );
    Ok(layout)
}

/// Refuses machines on which this cannot work, and says what can.
fn supported() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!(
            "the testbed makes its own cluster on Linux only: set PROMOTER_E2E_CONTEXT to the \
             kubeconfig context of a cluster to use instead"
        );
    }
    if !rustix::process::geteuid().is_root() {
        bail!(
            "making a cluster on this machine needs root: run it with sudo -E, or set \
             PROMOTER_E2E_CONTEXT to the kubeconfig context of a cluster to use instead"
        );
    }
    Ok(())
}

/// Keeps two runs from working on the same state.
fn lock() -> Result<File> {
    let path = layout::LOCK;
    loop {
        let file = File::create(path).with_context(|| format!("failed to create {path}"))?;
        file.lock()
            .with_context(|| format!("failed to lock {path}"))?;
        // While this run waited, `down` may have removed the file.
        let ours = file.metadata()?.ino();
        if std::fs::metadata(path).is_ok_and(|present| present.ino() == ours) {
            return Ok(file);
        }
    }
}
