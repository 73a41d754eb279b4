//! What Prometheus is told: promotions, schedules, configuration and requests.
//!
//! Input: the events of promotions, the requests that other adapters make, and
//! what the daemon says of itself. Output: text for `/metrics`, as Prometheus
//! reads it. Labels are groups, environments and words of which promoter has
//! few; never an identity of a promotion, an image, a branch or a reason.
//! `docs/metrics.md` lists all of it.

mod counting;
mod groups;
mod process;
mod series;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;

use crate::group::name::{EnvironmentName, GroupName};
use crate::port::Calls;
use crate::port::calls::Call;
use groups::Groups;
use process::Process;

pub use counting::Counting;
pub use prometheus_text::CONTENT_TYPE;

/// What every name begins with.
const PREFIX: &str = "promoter";

type Known = BTreeMap<(EnvironmentName, GroupName), Arc<Counting>>;

/// All metrics of a process.
pub struct Prometheus {
    registry: Registry,
    groups: Arc<Groups>,
    process: Process,
    known: Mutex<Known>,
}

impl Prometheus {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let groups = Arc::new(Groups::new(&mut registry));
        let process = Process::new(&mut registry);
        Self {
            registry,
            groups,
            process,
            known: Mutex::default(),
        }
    }

    /// All that is known now, of [`CONTENT_TYPE`].
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }

    /// A group is configured: from now on it has series, which begin at 0.
    pub fn configured(&self, environment: &EnvironmentName, group: &GroupName) {
        let of = (environment.clone(), group.clone());
        let begin = || {
            let counting = Counting::new(Arc::clone(&self.groups), groups::of(environment, group));
            Arc::new(counting)
        };
        self.known().entry(of).or_insert_with(begin);
    }

    /// A group's part, which is one and the same for as long as it is configured. Of one
    /// that is not, nothing is counted: its series would stay for ever.
    pub fn group(&self, environment: &EnvironmentName, group: &GroupName) -> Arc<Counting> {
        let of = (environment.clone(), group.clone());
        let counting = self.known().get(&of).cloned();
        counting.unwrap_or_else(|| {
            let of = groups::of(environment, group);
            Arc::new(Counting::none(Arc::clone(&self.groups), of))
        })
    }

    /// A group is configured no more: its series go, and what a promotion of it that
    /// is still under way does makes none.
    pub fn forget(&self, environment: &EnvironmentName, group: &GroupName) {
        let of = (environment.clone(), group.clone());
        if let Some(counting) = self.known().remove(&of) {
            counting.forget();
        }
    }

    /// Whether the process is ready.
    pub fn ready(&self, ready: bool) {
        self.process.ready(ready);
    }

    /// Which environments' clusters answer; of others nothing is told.
    pub fn environments(&self, answer: &BTreeMap<EnvironmentName, bool>) {
        self.process.environments(answer);
    }

    /// The configuration was read; where files have errors, the last good ones hold.
    pub fn config_loaded(&self, at: Timestamp, files_with_errors: usize) {
        self.process.config_loaded(at, files_with_errors);
    }

    /// So many entries wait to be kept in the records.
    pub fn records_behind(&self, entries: usize) {
        self.process.records_behind(entries);
    }

    /// So many messages of the queue of pushes led to a look at the registry.
    pub fn hints_followed(&self, messages: usize) {
        self.process.hints("followed", messages);
    }

    /// So many messages of it were of no use.
    pub fn hints_dropped(&self, messages: usize) {
        self.process.hints("dropped", messages);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Prometheus {
    fn default() -> Self {
        Self::new()
    }
}

impl Calls for Prometheus {
    fn made(&self, call: &Call<'_>) {
        self.process.called(call);
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}
