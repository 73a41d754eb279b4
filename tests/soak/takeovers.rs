//! Two daemons that share their records, and the acting one killed in the middle of a promotion,
//! over and over: the other finishes it each time, nobody notices, and the records tell what they
//! tell of a promotion that nobody disturbed.
//!
//! `SOAK_SEED` repeats the moments of another run.

use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::site::{GROUP, Site, seed};
use crate::support::{Running, Told, shared_records, until, until_within};
use crate::table;

/// Half of them while something is promoted that its check refuses.
const KILLS: u32 = 20;
/// The lock of the dead runs out, and the rest is done by the other.
const PATIENCE: Duration = Duration::from_mins(4);

/// A promotion whose promoter was killed, and what came of it.
struct Killed {
    passing: bool,
    after: Duration,
    /// Where it was found.
    phase: String,
    /// From the kill to the end.
    took: Duration,
    ended: String,
    events: usize,
}

/// One of the two replicas.
struct Replica {
    name: String,
    process: Running,
}

/// Both, and what they share.
struct Replicas {
    records: String,
    /// How many there were.
    started: usize,
    alive: Vec<Replica>,
}

#[test]
fn the_acting_replica_is_killed_and_the_other_finishes() {
    let mut random = StdRng::seed_from_u64(seed());
    let mut site = Site::open_small("takeovers", |group| {
        "on_push = true\nquiet_period = \"0s\"".clone_into(&mut group.more);
    });
    let mut replicas = Replicas {
        records: shared_records(),
        started: 0,
        alive: Vec::new(),
    };
    replicas.fill(&site);
    let mut undisturbed = [true, false].map(|passing| {
        let promotion = begun(&mut site, passing);
        let clock = Instant::now();
        let last = ended(&mut site, &promotion, passing);
        (clock.elapsed(), replicas.told(&site, &last))
    });
    let mut all: Vec<Killed> = Vec::new();
    for share in 0..KILLS / 2 {
        for (passing, (lasts, alone)) in [true, false].into_iter().zip(&mut undisturbed) {
            let killed = loop {
                // Spread over the whole of it: one in each share, anywhere in that.
                let share = (f64::from(share) + random.random::<f64>()) / f64::from(KILLS / 2);
                let after = lasts.mul_f64(share);
                match kill(&mut site, &mut replicas, alone, passing, after) {
                    Some(killed) => break killed,
                    None => *lasts = after,
                }
            };
            println!("{:>2} {}", all.len() + 1, killed.words().join(", "));
            all.push(killed);
        }
    }
    site.load.end();
    println!("{}{}", of(&all), site.load.so_far());
    site.assert_undisturbed();
}

/// Pushes what the daemons will promote, or what their check refuses, and gives the
/// promotion that they begin.
fn begun(site: &mut Site, passing: bool) -> String {
    let before = last(site);
    site.write_next(passing);
    until("a promotion to begin", || {
        let in_flight = site.folder.status(GROUP)["record"]["inFlight"]["id"].clone();
        let ended = last(site);
        let begun = if ended == before { in_flight } else { ended };
        begun.as_str().map(str::to_owned)
    })
}

/// The promotion that ended last.
fn last(site: &Site) -> Value {
    site.folder.status(GROUP)["record"]["outcomes"][0]["promotion"].clone()
}

/// Waits for the end of a promotion, and gives its outcome.
fn ended(site: &mut Site, promotion: &str, passing: bool) -> Value {
    let outcome = until_within(PATIENCE, &format!("{promotion} to end"), || {
        let last = site.folder.status(GROUP)["record"]["outcomes"][0].clone();
        (last["promotion"] == promotion).then_some(last)
    });
    let due = if passing { "Promoted" } else { "Aborted" };
    assert_eq!(outcome["phase"], due, "{outcome:#}");
    if passing {
        site.promoted();
    }
    site.assert_settled();
    outcome
}

/// Kills whoever promotes, so long after it began; `None`: it was over before that.
fn kill(
    site: &mut Site,
    replicas: &mut Replicas,
    alone: &Told,
    passing: bool,
    after: Duration,
) -> Option<Killed> {
    let promotion = begun(site, passing);
    // The moment is what the test is about: nothing is waited for.
    thread::sleep(after);
    let status = site.folder.status(GROUP);
    let in_flight = &status["record"]["inFlight"];
    let acting = in_flight["actor"]["name"].as_str().unwrap_or_default();
    replicas.kill(acting);
    let phase = site.folder.status(GROUP)["record"]["inFlight"]["phase"].clone();
    let clock = Instant::now();
    let outcome = ended(site, &promotion, passing);
    let took = clock.elapsed();
    let told = replicas.told(site, &outcome);
    replicas.fill(site);
    let phase = phase.as_str()?.to_owned();

    assert_eq!(told.resumed(), 1, "{told:#?}");
    assert_eq!(told.facts(), alone.facts(), "{told:#?}");
    assert_eq!(told.phases(), alone.phases(), "{told:#?}");
    Some(Killed {
        passing,
        after,
        phase,
        took,
        ended: outcome["phase"].as_str().unwrap().to_owned(),
        events: told.events.len(),
    })
}

impl Replicas {
    /// Starts what is missing.
    fn fill(&mut self, site: &Site) {
        while self.alive.len() < 2 {
            self.started += 1;
            let name = format!("replica-{}", self.started);
            let serve = ["serve", "--listen", "127.0.0.1:0", "--poll", "2s"];
            let serve = site.folder.promoter(serve).actor(&name);
            let mut process = serve.env("PROMOTER_RECORDS", &self.records).start();
            process.logged("that it serves", |line| line["message"] == "serving");
            self.alive.push(Replica { name, process });
        }
    }

    /// Ends the one of that name as a crash would.
    fn kill(&mut self, name: &str) {
        let Some(acting) = self.alive.iter().position(|replica| replica.name == name) else {
            return;
        };
        let acting = self.alive.remove(acting).process;
        acting.kill();
        assert_eq!(acting.wait().code, -1);
    }

    /// What the records tell of a promotion.
    fn told(&self, site: &Site, outcome: &Value) -> Told {
        let promotion = outcome["promotion"].as_str().unwrap();
        Told::of(&site.folder, &self.records, promotion)
    }
}

impl Killed {
    fn words(&self) -> [String; 6] {
        let input = if self.passing { "passing" } else { "failing" };
        [
            input.to_owned(),
            format!("{:.1}", self.after.as_secs_f64()),
            self.phase.clone(),
            format!("{:.1}", self.took.as_secs_f64()),
            self.ended.clone(),
            self.events.to_string(),
        ]
    }
}

fn of(all: &[Killed]) -> String {
    let mut table = table::plain(&[
        "check is",
        "killed after s",
        "in",
        "ended after s",
        "as",
        "events",
    ]);
    for killed in all {
        table.add_row(killed.words());
    }
    format!("{table}\n")
}
