//! Deploys killed at any moment, and resumed from an empty folder: each ends as if nothing had
//! happened, leaves nothing behind, and nobody notices.
//!
//! Three groups are promoted side by side, since most of the time is spent on waiting for the lock of
//! the dead. `SOAK_SEED` repeats the moments of another run.

use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::site::{GROUP, Site, seed};
use crate::support::{Promoter, Run, Testbed};
use crate::table;

/// Groups that are promoted at the same time.
const PLACES: u64 = 3;
/// Kills of each kind of deploy in each place: 30 in all.
const KILLS: u32 = 5;
/// A deploy that was killed, and what came of it.
struct Killed {
    passing: bool,
    after: Duration,
    /// The last phase it said to have entered.
    phase: String,
    /// Where resuming found it; `None`: there was nothing to resume.
    resumed: Option<String>,
    took: Duration,
    /// How the promotion ended, if there was one.
    ended: String,
    /// What serves now.
    color: String,
}

#[test]
fn a_deploy_killed_at_any_moment_is_resumed_without_its_files() {
    let seed = seed();
    let done: Vec<_> = thread::scope(|scope| {
        let places: Vec<_> = (0..PLACES)
            .map(|place| scope.spawn(move || one_place(place, seed)))
            .collect();
        let done = places.into_iter().map(thread::ScopedJoinHandle::join);
        done.flat_map(Result::unwrap).collect()
    });
    println!("{}", of(&done));
}

/// Kills and resumes in a namespace of its own.
fn one_place(place: u64, seed: u64) -> Vec<Killed> {
    let mut random = StdRng::seed_from_u64(seed.wrapping_add(place));
    let test = format!("crashes{place}");
    let mut site = Site::open_small(&test, |_| ());
    let mut lasts = [true, false].map(|passing| undisturbed(&mut site, passing));
    let mut all = Vec::new();
    for share in 0..KILLS {
        for (passing, lasts) in [true, false].into_iter().zip(&mut lasts) {
            let killed = loop {
                // Spread over the whole of it: one in each share, anywhere in that.
                let share = (f64::from(share) + random.random::<f64>()) / f64::from(KILLS);
                let after = lasts.mul_f64(share);
                match kill(&mut site, passing, after) {
                    Some(killed) => break killed,
                    // The first one was slower, as nothing was warm.
                    None => *lasts = after,
                }
            };
            println!(
                "place {place}, {}: {}",
                all.len() + 1,
                killed.words().join(", ")
            );
            all.push(killed);
        }
    }
    site.load.end();
    println!("place {place}: {}", site.load.so_far());
    site.assert_undisturbed();
    all
}

/// How long a deploy takes that nobody kills.
fn undisturbed(site: &mut Site, passing: bool) -> Duration {
    let clock = Instant::now();
    let run = start(site, passing).run();
    assert_eq!(run.code, if passing { 0 } else { 3 }, "{run}");
    let took = clock.elapsed();
    if passing {
        site.promoted();
    }
    site.assert_settled();
    took
}

fn start(site: &Site, passing: bool) -> Promoter {
    if passing {
        site.deploy_next()
    } else {
        site.deploy_broken()
    }
}

/// Kills a deploy and resumes it; `None` if it was over before.
fn kill(site: &mut Site, passing: bool, after: Duration) -> Option<Killed> {
    let deploy = start(site, passing).start();
    // The moment is what the test is about: nothing is waited for.
    thread::sleep(after);
    deploy.kill();
    let deploy = deploy.wait();
    if deploy.code != -1 {
        if passing {
            site.promoted();
        }
        site.assert_settled();
        return None;
    }
    let status = site.folder.status(GROUP);
    let in_flight = status["record"]["inFlight"]["id"].clone();
    let clock = Instant::now();
    let resume = resume(site);
    let took = clock.elapsed();

    let resumed = resume.events_named("resumed").pop();
    let about = resumed
        .as_ref()
        .map_or(&Value::Null, |event| &event["promotion"]);
    assert_eq!(
        *about, in_flight,
        "what was on record is resumed: {deploy}{resume}"
    );
    let due = if passing { "Promoted" } else { "Aborted" };
    let status = site.folder.status(GROUP);
    let last = &status["record"]["outcomes"][0];
    let began = deploy.events_named("started").pop();
    let was_begun = began.is_some_and(|event| event["promotion"] == last["promotion"])
        || last["promotion"] == in_flight;
    if was_begun {
        assert_eq!(last["phase"], due, "{deploy}{resume}");
        if passing {
            site.promoted();
        }
    } else {
        assert!(resumed.is_none(), "{deploy}{resume}");
    }
    let code = if resumed.is_some() && !passing { 3 } else { 0 };
    assert_eq!(resume.code, code, "{deploy}{resume}");
    site.assert_settled();
    let of_phase = |event: &Value| event["phase"].as_str().unwrap_or_default().to_owned();
    let entered = deploy.events_named("entered").pop();
    Some(Killed {
        passing,
        after,
        phase: entered
            .as_ref()
            .map_or_else(|| before_any(&deploy), of_phase),
        resumed: resumed.as_ref().map(of_phase),
        took,
        ended: if was_begun { due } else { "never began" }.to_owned(),
        color: site.record()["color"].as_str().unwrap().to_owned(),
    })
}

/// Where a deploy is that has entered no phase yet.
fn before_any(deploy: &Run) -> String {
    let started = deploy.events_named("started");
    if started.is_empty() {
        "starting"
    } else {
        "Planned"
    }
    .to_owned()
}

/// `promoter resume` with nothing but the names of group, context and namespace.
fn resume(site: &Site) -> Run {
    let empty = tempfile::tempdir().unwrap();
    let (context, namespace) = (&Testbed::get().context, &site.folder.namespace);
    let place = [
        "--context",
        context.as_str(),
        "--namespace",
        namespace.as_str(),
    ];
    let command = ["resume", "--group", GROUP, "--output", "json"];
    Promoter::new(empty.path(), [&command[..], &place].concat()).run()
}

impl Killed {
    fn words(&self) -> [String; 7] {
        let seconds = |duration: Duration| format!("{:.2}", duration.as_secs_f64());
        let found = self.resumed.as_deref().unwrap_or("nothing to resume");
        [
            if self.passing { "passing" } else { "failing" }.to_owned(),
            seconds(self.after),
            self.phase.clone(),
            found.to_owned(),
            seconds(self.took),
            self.ended.clone(),
            self.color.clone(),
        ]
    }
}

fn of(all: &[Killed]) -> String {
    let mut table = table::plain(&[
        "",
        "deploy",
        "killed after s",
        "while",
        "resumed while",
        "took s",
        "end",
        "serves",
    ]);
    for (number, killed) in all.iter().enumerate() {
        let number = (number + 1).to_string();
        table.add_row(std::iter::once(number).chain(killed.words()));
    }
    table.to_string()
}
