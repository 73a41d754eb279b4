//! What people look back on: what is kept of promotions, and what becomes of it
//! where the records cannot be written.

mod crashed;
mod cut;
mod kept;
mod lagging;
mod moved;
mod night;
mod places;
mod pruned;
mod refused;
mod secret;
mod shape;
mod writers;

use std::ffi::{OsStr, OsString};

use promoter::adapter::store::{Location, Store};
use promoter::port::records::{Entry, Note, PlaceName, Run as LoggedRun, Which};
use promoter::port::{Packed, Records as _};
use promoter::promotion::event::{Event, Fact};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection as _};
use tempfile::TempDir;

use crate::support::postgres::{self, Database};

/// Where the groups of these tests run, unless told.
pub(crate) fn here() -> PlaceName {
    there("v2")
}

/// Another namespace of the same cluster.
fn there(namespace: &str) -> PlaceName {
    PlaceName::new("testbed", &namespace.parse().unwrap())
}

/// Of all groups and places.
pub(crate) fn all() -> Which {
    Which::default()
}

pub(crate) fn notes(events: &[Event]) -> Vec<Note> {
    events.iter().cloned().map(Note::Event).collect()
}

/// A kind of database that records can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// Every test of what is kept is one of both kinds.
fn on_each(test: impl AsyncFn(On)) {
    for on in [On::Sqlite, On::Postgres] {
        println!("on {on:?}");
        in_real_time(test(on));
    }
}

/// Records that go with the test.
pub(crate) struct Fresh {
    pub(crate) store: Store,
    pub(crate) database: Place,
}

/// Where they are.
pub(crate) enum Place {
    Folder(TempDir),
    Server(Database),
}

impl On {
    /// Empty records of that kind.
    pub(crate) async fn fresh(self) -> Fresh {
        let database = match self {
            Self::Sqlite => Place::Folder(tempfile::tempdir().unwrap()),
            Self::Postgres => Place::Server(postgres::database().await),
        };
        let store = database.store();
        Fresh { store, database }
    }
}

impl Place {
    /// As promoter is told it.
    fn written(&self) -> OsString {
        match self {
            Self::Folder(folder) => folder.path().join("state/promoter/records.db").into(),
            Self::Server(database) => database.url().into(),
        }
    }

    fn store(&self) -> Store {
        store(self.written())
    }
}

/// The records of a promoter that is told this.
pub(crate) fn store(written: impl AsRef<OsStr>) -> Store {
    Store::new(Location::parse(written.as_ref()).unwrap())
}

impl Fresh {
    /// The same records, opened by another process.
    pub(crate) fn again(&self) -> Store {
        self.database.store()
    }

    /// A connection beside promoter's.
    async fn connected(&self) -> AnyConnection {
        install_default_drivers();
        let url = match &self.database {
            Place::Folder(_) => format!("sqlite:{}", self.store.location()),
            Place::Server(database) => database.url(),
        };
        AnyConnection::connect(&url).await.unwrap()
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
pub(crate) fn in_virtual_time<T>(scenario: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build();
    runtime.unwrap().block_on(scenario)
}

/// The same in real time.
fn in_real_time<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}
