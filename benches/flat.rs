//! Whether the daemon grows: 2,000 promotions in one process, one after the other, by its
//! scheduler and the engine over the world in memory of the scenario tests.
//!
//! The records are kept in a file of `SQLite` and counted for Prometheus, as they are
//! in production. What the fakes remember is forgotten after every promotion. Prints a
//! line of JSON with the memory after every 200; `cargo xtask bench flat` makes figures
//! of them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark ends where it cannot go on, and prints what it measured"
)]

use std::alloc::System;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cap::Cap;
use promoter::adapter::clock::SystemClock;
use promoter::adapter::prometheus::Prometheus;
use promoter::adapter::store::{Location, Recording, Store};
use promoter::group::Group;
use promoter::group::name::{CheckName, GroupName};
use promoter::group::triggers::Triggers;
use promoter::plan::Plan;
use promoter::port::Records as _;
use promoter::port::recorder::{Fan, Recorder};
use promoter::port::records::{PlaceName, Which};
use promoter::promotion::event::Event;
use promoter::promotion::id::PromotionId;
use promoter::promotion::phase::Phase;
use serde_json::json;
use support::clock::FakeClock;
use support::given;
use support::yard::{Serving, Town};
use tokio::runtime::{Builder, Handle};
use tokio::task::LocalSet;

/// The scenario tests' support, as far as a daemon needs it.
#[path = "../tests/it/support"]
#[expect(dead_code, reason = "the scenario tests need more of it")]
mod support {
    pub(crate) mod clock;
    mod crons;
    pub(crate) mod forge;
    pub(crate) mod given;
    pub(crate) mod journal;
    mod observe;
    pub(crate) mod process;
    pub(crate) mod promises;
    pub(crate) mod recording;
    pub(crate) mod registry;
    pub(crate) mod scenario;
    pub(crate) mod simulate;
    pub(crate) mod spending;
    pub(crate) mod standing;
    pub(crate) mod world;
    mod write;
    pub(crate) mod yard;
}

/// Counts what is in use.
#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const PROMOTIONS: u32 = 2_000;
const SAMPLE: u32 = 200;
/// In virtual time; a push is found within a minute.
const MINUTE: Duration = Duration::from_mins(1);

fn main() {
    let folder = tempfile::tempdir().unwrap();
    // In a thread of its own, as virtual time would pass while a file is written.
    let real = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let place = folder.path().join("records.db");
    let location = Location::parse(place.to_str().unwrap().as_ref()).unwrap();
    let store = Arc::new(Store::new(location));
    let virtual_time = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let records = store.clone();
    let handle = real.handle().clone();
    let local = LocalSet::new();
    virtual_time.block_on(local.run_until(promote(records, handle)));
    let kept = real.block_on(store.last(&Which::default(), PROMOTIONS + 1));
    assert_eq!(kept.unwrap().len(), usize::try_from(PROMOTIONS).unwrap());
}

async fn promote(store: Arc<Store>, real: Handle) {
    let triggers = Triggers {
        on_push: true,
        quiet_period: Duration::ZERO,
        ..Triggers::default()
    };
    let group = Group {
        triggers,
        ..given::hello()
    };
    let environment = group.environment.name.clone();
    let prometheus = Prometheus::new();
    let town = Town::of([group]);
    town.tell(Box::new(move |group| {
        let kept = Kept::new(group, store.clone(), real.clone());
        let counted = prometheus.group(&environment, group);
        Arc::new(Fan::new(vec![Arc::new(kept), counted]))
    }));
    let scenario = town.of_group("master");
    let daemon = Serving::start(&town, "daemon", Arc::new(FakeClock::new()));
    let mut before = None;
    for number in 1..=PROMOTIONS {
        before = Some(ended(&town, before).await);
        town.forget();
        if number % SAMPLE == 0 {
            // What is told last is kept by then.
            tokio::time::sleep(MINUTE).await;
            town.forget();
            print(number);
        }
        if number < PROMOTIONS {
            scenario.push_all();
        }
    }
    daemon.stop().await;
}

/// Waits until another promotion has ended than `before`, and gives its identity.
async fn ended(town: &Town, before: Option<PromotionId>) -> PromotionId {
    for _ in 0..60 {
        tokio::time::sleep(MINUTE).await;
        let outcomes = town.outcomes("master");
        let Some(last) = outcomes.first() else {
            continue;
        };
        if before.as_ref() != Some(&last.promotion) {
            assert_eq!(last.phase, Phase::Promoted, "{:?}", last.reasons);
            return last.promotion.clone();
        }
    }
    panic!("nothing is promoted any more");
}

fn print(promotions: u32) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.unwrap().trim().strip_suffix(" kB").unwrap();
    let sample = json!({
        "promotions": promotions,
        "resident_kb": resident.parse::<u64>().unwrap(),
        "live_kb": HEAP.allocated() / 1024,
    });
    println!("{sample}");
}

/// Keeps what happens in records that are written in real time.
struct Kept {
    recording: Arc<Recording>,
    real: Handle,
}

impl Kept {
    fn new(group: &GroupName, store: Arc<Store>, real: Handle) -> Self {
        let place = PlaceName::new("test", &"shop".parse().unwrap());
        let clock = Arc::new(SystemClock::default());
        let said_by = Arc::new(Fan::new(Vec::new()));
        let entered = real.enter();
        let recording = Recording::new(place, group.clone(), store, clock, said_by);
        drop(entered);
        Self {
            recording: Arc::new(recording),
            real,
        }
    }
}

#[async_trait]
impl Recorder for Kept {
    fn record(&self, event: Event) {
        self.recording.record(event);
    }

    fn note_plan(&self, promotion: &PromotionId, plan: &Plan) {
        self.recording.note_plan(promotion, plan);
    }

    fn note_log(&self, promotion: &PromotionId, check: &CheckName, attempt: u32, log: &str) {
        self.recording.note_log(promotion, check, attempt, log);
    }

    async fn flush(&self) {
        let (recording, real) = (self.recording.clone(), self.real.clone());
        // Virtual time stands still meanwhile.
        let flushed = tokio::task::spawn_blocking(move || real.block_on(recording.flush()));
        flushed.await.unwrap();
    }
}
