//! The figures of a race, and what the project aims at.

use std::collections::BTreeMap;

use super::figure::{Controllers, Figure};
use super::memory;
use super::race::Lap;

/// The laps that count, by contender and in the order of the rounds.
pub(super) type Laps = BTreeMap<&'static str, Vec<Lap>>;

/// Makes the Deployments that the users' manifests say.
pub(super) const FLOOR: &str = "floor";
/// Makes the same Deployments as promoter.
pub(super) const PINNED_FLOOR: &str = "pinned floor";
/// Those that others are measured by.
const FLOORS: [&str; 2] = [FLOOR, PINNED_FLOOR];
pub(super) const PROMOTER: &str = "promoter";
pub(super) const ARGO: &str = "argo-rollouts";

/// What all contenders were given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    /// The size of the group.
    pub(super) apps: u32,
    pub(super) controllers: Controllers,
    /// What promoter is to reach there.
    pub(super) goals: Goals,
}

/// What promoter is to reach, as at most so much.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Goals {
    /// Of the floor's time.
    ratio: Option<f64>,
    /// In seconds.
    skew: Option<f64>,
    /// For each app.
    requests: Option<f64>,
    /// In MB.
    memory: Option<f64>,
}

impl Goals {
    /// Of groups whose pods run on this machine.
    pub(super) const SMALL: Self = Self {
        ratio: Some(1.1),
        skew: Some(0.1),
        requests: None,
        memory: None,
    };
    /// Of groups whose pods kwok plays.
    pub(super) const LARGE: Self = Self {
        ratio: Some(1.1),
        skew: Some(0.2),
        requests: Some(10.0),
        memory: Some(40.0),
    };
}

/// Prints the figures of all contenders.
pub(super) fn print(laps: &Laps, course: Course) {
    let others = Course {
        goals: Goals::default(),
        ..course
    };
    for (name, course) in [
        (FLOOR, others),
        (PINNED_FLOOR, others),
        (PROMOTER, course),
        (ARGO, others),
    ] {
        print_one(name, laps, course);
    }
}

fn print_one(name: &str, all: &Laps, course: Course) {
    let Course {
        apps,
        controllers,
        goals,
    } = course;
    let print = |figure, of: &str, unit, goal, values: Vec<f64>| {
        let figure = Figure {
            name: figure,
            of,
            unit,
            apps,
            controllers,
            goal,
        };
        figure.print(&values);
    };
    let of = |name| all.get(name).map_or(&[][..], Vec::as_slice);
    let laps = of(name);
    let seconds = |lap: &Lap| lap.took.as_secs_f64();
    let times = laps.iter().map(seconds).collect();
    print("time to switch", name, "s", None, times);
    if FLOORS.contains(&name) {
        return;
    }
    for floor in FLOORS {
        let both = laps.iter().zip(of(floor));
        let ratios = both.map(|(own, floor)| seconds(own) / seconds(floor));
        let (of, ratios) = (format!("{name}/{floor}"), ratios.collect());
        print("time to switch", &of, "ratio", goals.ratio, ratios);
    }
    if apps > 1 {
        let skews = laps.iter().filter_map(|lap| Some(lap.skew?.as_secs_f64()));
        print("switch skew", name, "s", goals.skew, skews.collect());
    }
    let requests = laps
        .iter()
        .filter_map(|lap| Some(f64::from(lap.requests?) / f64::from(apps)));
    print(
        "API requests",
        name,
        "1/app",
        goals.requests,
        requests.collect(),
    );
    let memory = laps
        .iter()
        .filter_map(|lap| Some(memory::megabytes(lap.memory?)));
    print("peak memory", name, "MB", goals.memory, memory.collect());
}
