//! The daemon: what it takes while there is nothing to promote, how soon it begins,
//! and whether it grows.

mod begun;
mod crowd;
mod flat;
mod groups;
mod idle;
mod process;
mod queue;
mod rate;
mod records;
mod told;

use anyhow::Result;

use self::groups::{BRANCH, Groups};
use self::process::Daemon;
use self::told::Subject;
use super::images::{Shelves, Source};
use super::site::Site;
use super::{Bench, say};
use crate::progress::Progress;
use crate::run;

/// Nothing of it is begun by what was pushed.
const NEVER: &str = "24h";
/// How many groups, apps in each, and promotions on record of each a large team has.
const MANY: usize = 100;
const APPS: usize = 10;
const PROMOTIONS: usize = 100;
/// What the project aims at, in MB.
const SMALL_MEMORY: f64 = 32.0;
const LARGE_MEMORY: f64 = 96.0;

/// What is measured of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// What it takes with one group.
    Idle,
    /// What it takes with many.
    Crowd,
    /// How soon it begins.
    Begun,
    /// Whether it grows.
    Flat,
}

impl Measure {
    pub(super) const ALL: [Self; 4] = [Self::Idle, Self::Crowd, Self::Begun, Self::Flat];
}

/// Measures and prints all of it.
pub(super) fn run(
    bench: &Bench,
    parts: &[Measure],
    rounds: usize,
    progress: &mut Progress,
) -> Result<()> {
    for part in parts {
        match part {
            Measure::Idle => idle(bench, progress)?,
            Measure::Crowd => crowd(bench, progress)?,
            Measure::Begun => begun::run(bench, rounds, progress)?,
            Measure::Flat => flat::run(progress)?,
        }
        bench.cluster.remove_namespaces()?;
    }
    Ok(())
}

fn idle(bench: &Bench, progress: &mut Progress) -> Result<()> {
    let groups = Groups {
        number: 1,
        apps: 1,
        quiet_period: NEVER,
    };
    let site = promoted(bench, "bench-daemon-idle", &groups, progress)?;
    let subject = Subject {
        of: "promoter serve of 1 group".to_owned(),
        apps: 1,
        memory: Some(SMALL_MEMORY),
    };
    progress.step("looking at an idle daemon (8 min)", || {
        let daemon = Daemon::start(site.command(&["serve"]), site.path("serve.log"))?;
        idle::measure(&daemon, &subject, &bench.audit, &site.namespace)
    })
}

fn crowd(bench: &Bench, progress: &mut Progress) -> Result<()> {
    let groups = Groups {
        number: MANY,
        apps: APPS,
        quiet_period: NEVER,
    };
    let site = promoted(bench, "bench-daemon-crowd", &groups, progress)?;
    let doing = format!("making {} more groups that look the same", MANY - 1);
    progress.step(&doing, || crowd::pretend(bench, &site, MANY))?;
    let records = site.path("many.db");
    let doing = format!("putting {} promotions on record", MANY * PROMOTIONS);
    let rows = progress.step(&doing, || records::fill(&site, MANY, PROMOTIONS, &records))?;
    let megabytes = std::fs::metadata(&records)?.len() / 1_000_000;
    say(&format!("{rows} rows, {megabytes} MB"));
    let subject = Subject {
        of: format!("promoter serve of {MANY} groups"),
        apps: u32::try_from(APPS)?,
        memory: Some(LARGE_MEMORY),
    };
    progress.step("looking at an idle daemon (8 min)", || {
        let mut serve = site.command(&["serve"]);
        serve.env("PROMOTER_RECORDS", &records);
        let daemon = Daemon::start(serve, site.path("serve.log"))?;
        idle::measure(&daemon, &subject, &bench.audit, &site.namespace)
    })
}

/// A namespace where the first of these groups was promoted.
fn promoted<'a>(
    bench: &'a Bench,
    namespace: &str,
    groups: &Groups,
    progress: &mut Progress,
) -> Result<Site<'a>> {
    let site = Site::new(bench, namespace.to_owned())?;
    bench.cluster.create_namespace(&site.namespace)?;
    site.install()?;
    groups.write(&site)?;
    let source = Source::build(&bench.testbed, BRANCH, progress)?;
    let shelves = Shelves::of(&bench.testbed)?;
    let doing = format!(
        "putting it into {} repositories",
        groups.number * groups.apps
    );
    progress.step(&doing, || groups.push(&shelves, &source))?;
    progress.step("promoting a group", || {
        run::output(&mut site.command(&["deploy", &Groups::name(0)]))
    })?;
    Ok(site)
}
