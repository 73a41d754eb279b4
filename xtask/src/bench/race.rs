//! The race: all contenders promote the same release in turns, each in a
//! namespace of its own, and one at a time.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use super::argo::Argo;
use super::figure::Controllers;
use super::floor::Floor;
use super::kwok::Kwok;
use super::promoter::Promoter;
use super::report::{self, Course, Goals, Laps};
use super::workload::{Release, Workload};
use super::{Bench, images, say};
use crate::audit::Request;
use crate::progress::Progress;

/// Rounds that do not count: after them both releases were pulled, and
/// whatever a first promotion makes is there.
const WARM_UP: usize = 2;
/// The same where nothing is pulled.
const WARM_UP_AT_SCALE: usize = 1;

/// One who promotes.
pub(super) trait Contender {
    fn name(&self) -> &'static str;
    /// Promotes a release over the one before, and waits until old pods are gone.
    fn lap(&mut self, release: &Release) -> Result<Lap>;
}

/// What one promotion took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lap {
    /// From the command to the last active Service switched; of the floor, to
    /// the end of the last check.
    pub(super) took: Duration,
    /// From the first to the last active Service switched.
    pub(super) skew: Option<Duration>,
    /// Requests to the API server until old pods were gone.
    pub(super) requests: Option<u32>,
    /// Peak memory of the process so far, in kB.
    pub(super) memory: Option<u32>,
}

/// When the API server answered the patches of active Services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Switch {
    first: SystemTime,
    pub(super) last: SystemTime,
}

impl Switch {
    /// Takes the last patch of each Service. An error if one has none.
    pub(super) fn of<'a>(
        services: &[String],
        patches: impl Iterator<Item = &'a Request>,
    ) -> Result<Self> {
        let mut answered = BTreeMap::new();
        for patch in patches {
            let last = answered
                .entry(patch.name.as_str())
                .or_insert(patch.answered);
            *last = patch.answered.max(*last);
        }
        let times = services.iter().map(|service| {
            let time = answered.get(service.as_str()).copied();
            time.with_context(|| format!("Service {service} was not switched"))
        });
        let times = times.collect::<Result<Vec<_>>>()?;
        let (first, last) = (times.iter().min(), times.iter().max());
        Ok(Self {
            first: *first.context("there are no Services")?,
            last: *last.context("there are no Services")?,
        })
    }

    pub(super) fn skew(&self) -> Duration {
        self.last.duration_since(self.first).unwrap_or_default()
    }
}

/// A race of one group size.
pub(super) struct Race<'a> {
    bench: &'a Bench,
    workload: Workload,
    kwok: Option<&'a Kwok<'a>>,
    controllers: Controllers,
    goals: Goals,
}

impl<'a> Race<'a> {
    /// Pods run on this machine.
    pub(super) fn with_pods(bench: &'a Bench, size: usize) -> Self {
        Self {
            bench,
            workload: Workload::new(size),
            kwok: None,
            controllers: Controllers::Raised,
            goals: Goals::SMALL,
        }
    }

    /// Pods run on the nodes that kwok plays.
    pub(super) fn with_kwok(
        bench: &'a Bench,
        size: usize,
        kwok: &'a Kwok<'a>,
        controllers: Controllers,
    ) -> Self {
        Self {
            bench,
            workload: Workload::new(size),
            kwok: Some(kwok),
            controllers,
            goals: match controllers {
                Controllers::Shipped => Goals::LARGE,
                Controllers::Raised => Goals::default(),
            },
        }
    }

    /// Runs the rounds and prints the figures.
    pub(super) fn run(&self, rounds: usize, progress: &mut Progress) -> Result<()> {
        let size = self.workload.size();
        let releases = images::push(&self.bench.testbed, &self.workload, progress)?;
        let doing = format!("racing with groups of {size} ({rounds} rounds)");
        let laps = progress.step(&doing, || {
            let raced = self.race(rounds, &releases);
            // While kwok still ends its pods.
            let removed = self.bench.cluster.remove_namespaces();
            removed.and(raced)
        })?;
        let course = Course {
            apps: u32::try_from(size)?,
            controllers: self.controllers,
            goals: self.goals,
        };
        report::print(&laps, course);
        Ok(())
    }

    fn race(&self, rounds: usize, releases: &[Release; 2]) -> Result<Laps> {
        let mut places = Vec::new();
        let mut contenders = self.contenders(&mut places)?;
        let warm_up = if self.kwok.is_some() {
            WARM_UP_AT_SCALE
        } else {
            WARM_UP
        };
        let mut laps = Laps::new();
        let mut laps_begun = 0;
        for (round, release) in releases.iter().cycle().enumerate().take(warm_up + rounds) {
            for contender in &mut contenders {
                let name = contender.name();
                // Argo's controller works on for seconds after its old pods are gone.
                self.bench.audit.quiet(&places)?;
                std::thread::sleep(pause(laps_begun));
                laps_begun += 1;
                let lap = contender
                    .lap(release)
                    .with_context(|| format!("in the lap of {name}"))?;
                let counts = round >= warm_up;
                let number = if counts { round + 1 - warm_up } else { 0 };
                say(&format!(
                    "round {number}: {name} {:.3} s",
                    lap.took.as_secs_f64()
                ));
                if counts {
                    laps.entry(name).or_default().push(lap);
                }
            }
            // Whoever came first comes last in the next round.
            contenders.rotate_left(1);
        }
        Ok(laps)
    }

    /// All who race, in their first order, and where each of them does.
    fn contenders(&self, places: &mut Vec<String>) -> Result<Vec<Box<dyn Contender + '_>>> {
        let mut place = |contender| {
            let name = self.place(contender)?;
            places.push(name.clone());
            anyhow::Ok(name)
        };
        let (bench, workload) = (self.bench, &self.workload);
        let promoter = place("promoter")?;
        let mut contenders: Vec<Box<dyn Contender + '_>> = vec![
            Box::new(Floor::new(bench, workload, place("floor")?)),
            Box::new(Promoter::new(bench, workload, promoter.clone())?),
        ];
        if self.kwok.is_none() {
            // Behind promoter, whose Deployments it takes.
            let floor = Floor::new(bench, workload, place("pinned-floor")?);
            contenders.push(Box::new(floor.pinned(promoter)));
        }
        contenders.push(Box::new(Argo::start(bench, workload, place("argo")?)?));
        Ok(contenders)
    }

    /// A namespace for one contender.
    fn place(&self, contender: &str) -> Result<String> {
        let name = format!("bench-{contender}-{}", self.workload.size());
        self.bench.cluster.create_namespace(&name)?;
        if let Some(kwok) = self.kwok {
            kwok.attract(&name)?;
        }
        Ok(name)
    }
}

/// A pause of less than a second, another one before every lap. The kubelet looks
/// at its pods once a second, and it is its last look that a lap begins after: in
/// step with it, all would measure where in that second they begin.
pub(super) fn pause(laps_begun: u32) -> Duration {
    const GOLDEN_RATIO: f64 = 0.618_034;
    Duration::from_secs_f64((f64::from(laps_begun) * GOLDEN_RATIO).fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(name: &str, millis: u64) -> Request {
        let answered = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        Request {
            user: String::new(),
            group: String::new(),
            verb: "patch".to_owned(),
            resource: "services".to_owned(),
            namespace: String::new(),
            name: name.to_owned(),
            uri: String::new(),
            code: 200,
            received: answered,
            answered,
        }
    }

    #[test]
    fn a_switch_is_from_the_first_to_the_last_service() {
        let services = ["a", "b"].map(str::to_owned);
        let patches = [
            patch("a", 1),
            patch("a", 50),
            patch("preview", 70),
            patch("b", 60),
        ];
        let switch = Switch::of(&services, patches.iter()).expect("both were switched");
        assert_eq!(switch.skew(), Duration::from_millis(10));
        assert!(Switch::of(&services, patches[..2].iter()).is_err());
    }
}
