//! `cargo xtask bench`: promoter beside Argo Rollouts and beside the least that
//! the cluster itself takes.
//!
//! Prints one line of JSON per figure and judges none of them. What it makes in
//! the cluster is removed when it ends, and what a killed run left behind when
//! the next one begins.

mod argo;
mod cluster;
mod daemon;
mod figure;
mod floor;
mod images;
mod kwok;
mod memory;
mod programs;
mod promoter;
mod race;
mod report;
mod site;
mod start;
mod workload;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use lexopt::Arg::{Long, Value};
use lexopt::ValueExt;

use self::cluster::Cluster;
use self::daemon::Measure;
use self::figure::Controllers;
use self::kwok::Kwok;
use self::programs::Programs;
use self::race::Race;
use crate::audit::Audit;
use crate::progress::{self, Progress};
use crate::scratch::Scratch;
use crate::testbed::{self, Peers, Testbed};

pub(crate) const USAGE: &str = "\
bench [speed|scale|raised|start|daemon|idle|crowd|begun|flat]...
      [--rounds N] [--apps N] [--requests DIR]
                  measure promoter beside Argo Rollouts and the least the cluster takes, on
                  the testbed: one JSON line per figure. speed: 1 and 8 apps (about 20 min);
                  scale: 100 apps on nodes that kwok plays, while the cluster's controllers
                  send 20 requests a second, as Kubernetes ships them (about 40 min);
                  raised: the same with 100 a second; start: size and cold start;
                  daemon: promoter serve, of which idle: memory, processor time and requests
                  with one group (9 min); crowd: the same with 100 groups of 10 apps and
                  10,000 promotions on record (about 15 min); begun: time from a push to its
                  promotion (about 10 min); flat: memory over 2,000 promotions with fakes.
                  All of them by default, 10 rounds each. --apps takes another group size;
                  --requests writes promoter's API requests of the last round, with their
                  times, into DIR
";

/// Group sizes with real pods.
const SIZES: [usize; 2] = [1, 8];
/// Group size with pods that kwok plays.
const SCALE: usize = 100;

const ROUNDS: usize = 10;

/// What was asked for on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// The parts to run; all of them if none is named.
    parts: Vec<Part>,
    rounds: Option<usize>,
    /// The size of the groups that are raced.
    apps: Option<usize>,
    requests: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Speed,
    /// With the controllers that Kubernetes ships.
    Scale,
    /// The same with the testbed's own, which are quicker.
    Raised,
    Start,
    /// All of the daemon's.
    Daemon,
    /// One of these alone.
    Of(Measure),
}

/// What every part works with.
struct Bench {
    testbed: Testbed,
    cluster: Cluster,
    audit: Audit,
    programs: Programs,
    peers: Peers,
    scratch: Scratch,
    requests: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<()> {
    let options = Options::parse(arguments)?;
    let mut progress = Progress::new();
    let testbed = testbed::up(&mut progress)?;
    let log = testbed.audit_log.clone();
    let log =
        log.context("the bench reads the API server's audit log: use the testbed of this machine")?;
    let bench = Bench {
        cluster: Cluster::new(&testbed),
        audit: Audit::new(log),
        peers: testbed::peers(&mut progress)?,
        programs: Programs::build(options.races(), &mut progress)?,
        scratch: Scratch::new("bench")?,
        requests: options.requests.clone(),
        testbed,
    };
    progress.step("removing what an earlier run left", || {
        bench.remove_leftovers()
    })?;
    let ran = bench.run(&options, &mut progress);
    let removed = bench.remove_leftovers();
    ran.and(removed)
}

impl Bench {
    fn run(&self, options: &Options, progress: &mut Progress) -> Result<()> {
        let wanted = |part| options.parts.is_empty() || options.parts.contains(&part);
        let rounds = options.rounds.unwrap_or(ROUNDS);
        if wanted(Part::Start) {
            start::run(self, rounds, progress)?;
        }
        self.measure_daemon(options, rounds, progress)?;
        if wanted(Part::Speed) {
            let sizes = options.apps.map_or(SIZES.to_vec(), |size| vec![size]);
            for size in sizes {
                Race::with_pods(self, size).run(rounds, progress)?;
            }
        }
        let size = options.apps.unwrap_or(SCALE);
        if wanted(Part::Raised) {
            self.race_at_scale(size, Controllers::Raised, rounds, progress)?;
        }
        if wanted(Part::Scale) {
            testbed::controllers_as_shipped(progress)?;
            let raced = self.race_at_scale(size, Controllers::Shipped, rounds, progress);
            // With its own controllers again.
            let mended = testbed::up(progress);
            raced.and(mended.map(drop))?;
        }
        Ok(())
    }

    fn measure_daemon(
        &self,
        options: &Options,
        rounds: usize,
        progress: &mut Progress,
    ) -> Result<()> {
        let parts = &options.parts;
        let all = parts.is_empty() || parts.contains(&Part::Daemon);
        let measures = Measure::ALL.into_iter();
        let measures: Vec<_> = measures
            .filter(|measure| all || parts.contains(&Part::Of(*measure)))
            .collect();
        daemon::run(self, &measures, rounds, progress)
    }

    fn race_at_scale(
        &self,
        size: usize,
        controllers: Controllers,
        rounds: usize,
        progress: &mut Progress,
    ) -> Result<()> {
        let kwok = Kwok::start(self, progress)?;
        Race::with_kwok(self, size, &kwok, controllers).run(rounds, progress)
    }

    fn remove_leftovers(&self) -> Result<()> {
        // First, as their pods would never end where no kwok ends them; those of
        // nodes that are gone, the cluster removes.
        kwok::remove_nodes(self)?;
        self.cluster.remove_namespaces()?;
        argo::remove_crds(self)?;
        images::forget(&self.testbed)
    }

    /// A program that uses the testbed.
    fn command(&self, program: &std::path::Path) -> std::process::Command {
        self.testbed.command(&program.display().to_string())
    }
}

impl Options {
    /// Whether promoter is measured beside others.
    fn races(&self) -> bool {
        let races = [Part::Speed, Part::Scale, Part::Raised];
        self.parts.is_empty() || self.parts.iter().any(|part| races.contains(part))
    }

    fn parse(mut arguments: lexopt::Parser) -> Result<Self> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("rounds") => options.rounds = Some(number(&mut arguments)?),
                Long("apps") => options.apps = Some(number(&mut arguments)?),
                Long("requests") => options.requests = Some(arguments.value()?.into()),
                Value(name) => options.parts.push(match name.to_str() {
                    Some("speed") => Part::Speed,
                    Some("scale") => Part::Scale,
                    Some("raised") => Part::Raised,
                    Some("start") => Part::Start,
                    Some("daemon") => Part::Daemon,
                    Some("idle") => Part::Of(Measure::Idle),
                    Some("crowd") => Part::Of(Measure::Crowd),
                    Some("begun") => Part::Of(Measure::Begun),
                    Some("flat") => Part::Of(Measure::Flat),
                    _ => bail!("there is no `bench {}`\n\n{USAGE}", name.display()),
                }),
                other => bail!("{}\n\n{USAGE}", other.unexpected()),
            }
        }
        Ok(options)
    }
}

/// The value of an option, which counts something.
fn number(arguments: &mut lexopt::Parser) -> Result<usize> {
    let number = arguments.value()?.parse()?;
    if number == 0 {
        bail!("there must be at least 1");
    }
    Ok(number)
}

/// Says a round's progress.
fn say(text: &str) {
    progress::say(&format!("    {text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        Options::parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn parts_and_rounds() {
        let options = parse(&["start", "speed", "--rounds", "12"]).expect("valid");
        assert_eq!(options.parts, [Part::Start, Part::Speed]);
        assert_eq!(options.rounds, Some(12));
        let all = parse(&[]).expect("valid");
        assert_eq!(all, Options::default());
        assert!(options.races() && all.races());
        let daemon = parse(&["idle", "flat"]).expect("valid");
        let measures = [Measure::Idle, Measure::Flat].map(Part::Of);
        assert_eq!(daemon.parts, measures);
        assert!(!daemon.races());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for words in [&["fast"][..], &["--rounds", "0"], &["--slow"]] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
