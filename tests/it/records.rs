//! What people look back on: what is kept of promotions, and what becomes of it
//! where the records cannot be written.

mod kept;
mod lagging;
mod night;
mod places;
mod pruned;
mod refused;

use promoter::adapter::store::Store;
use promoter::port::records::{Entry, Note, PlaceName, Run as LoggedRun, Which};
use promoter::port::{Packed, Records as _};
use promoter::promotion::event::{Event, Fact};
use tempfile::TempDir;

/// Where the groups of these tests run, unless told.
fn here() -> PlaceName {
    there("v2")
}

/// Another namespace of the same cluster.
fn there(namespace: &str) -> PlaceName {
    PlaceName::new("testbed", &namespace.parse().unwrap())
}

/// Of all groups and places.
fn all() -> Which {
    Which::default()
}

fn notes(events: &[Event]) -> Vec<Note> {
    events.iter().cloned().map(Note::Event).collect()
}

/// Records in a folder that goes with the test.
struct File {
    folder: TempDir,
    store: Store,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("state/promoter/records.db"));
        Self { folder, store }
    }

    /// The same records, opened by another process.
    fn again(&self) -> Store {
        Store::new(self.store.path().to_owned())
    }

    async fn keep(&self, events: &[Event]) {
        self.store.keep(&here(), &notes(events)).await.unwrap();
    }

    /// The only promotion that is kept.
    async fn only(&self) -> Entry {
        let entries = self.store.last(&all(), 10).await.unwrap();
        let [entry] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        entry.clone()
    }
}

/// What a scenario in virtual time comes to. Records are in a real file, which
/// virtual time would not wait for.
fn in_virtual_time<T>(scenario: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build();
    runtime.unwrap().block_on(scenario)
}

/// The same in real time.
fn in_real_time<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}
