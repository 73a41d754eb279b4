//! Records that are away, full or read-only in the middle of a daemon's promotion, and
//! long beyond its end: it goes on, and what happened gets into them once that works.

use std::fs;
use std::path::PathBuf;

use promoter::adapter::store::Store;
use promoter::port::Records as _;
use promoter::port::records::PlaceName;
use promoter::promotion::event::{Event, Fact};
use promoter::promotion::phase::Phase;
use tokio::runtime::{Handle, Runtime};

use super::{PHASES, hourly, locally, pass, phases, serve, until};
use crate::records::{On, Place, all, in_virtual_time, notes};
use crate::support::awaited::{Awaited, beside};
use crate::support::postgres::{Database, Server};
use crate::support::simulate::Run;
use crate::support::yard::Town;

/// A storm: how it begins and ends, and whether the records answer meanwhile.
struct Storm<B, E> {
    begins: B,
    ends: E,
    are_read: bool,
}

/// Promotes by schedule while a storm rages, from `phase` on until long after its end; then
/// everything is in the records, once.
fn weathers(
    real: &Runtime,
    store: impl Fn() -> Store,
    phase: Phase,
    weather: Storm<impl AsyncFnOnce(Handle), impl AsyncFnOnce(Handle)>,
) {
    let handle = real.handle().clone();
    let events = in_virtual_time(locally(async {
        let town = Town::of([hourly()]);
        town.keep_in(Awaited::new(store(), &handle));
        let scenario = town.of_group("master");
        scenario.world.run("greets", Run::exits(0).writes("ok"));
        let daemon = serve(&town, "daemon");
        pass(59).await;
        assert_eq!(daemon.state.not_ready(), Vec::<String>::new());
        until(&town, "master", phase).await;
        (weather.begins)(handle.clone()).await;
        pass(50).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted], "{phase}");
        let why = daemon.state.not_ready();
        assert_eq!(why.is_empty(), weather.are_read, "{phase}: {why:?}");
        (weather.ends)(handle.clone()).await;
        pass(2).await;
        assert_eq!(daemon.state.not_ready(), Vec::<String>::new(), "{phase}");
        daemon.stop().await;
        scenario.events.events()
    }));
    real.block_on(is_kept(&store(), events, phase));
}

/// Exactly that is in the records, and the log of its check.
async fn is_kept(store: &Store, events: Vec<Event>, phase: Phase) {
    let promotion = events.iter().find_map(|event| event.promotion.clone());
    let of_promotion = |event: &Event| {
        let is_line = matches!(event.fact, Fact::CheckOutput { .. });
        event.promotion == promotion && !is_line
    };
    let facts: Vec<_> = events.into_iter().filter(of_promotion).collect();
    let whole = On::Sqlite.fresh().await;
    let place = PlaceName::new("testbed", &hourly().environment.namespace);
    whole.store.keep(&place, &notes(&facts)).await.unwrap();
    let entries = store.last(&all(), 10).await.unwrap();
    let expected = whole.store.last(&all(), 10).await.unwrap();
    assert_eq!(entries, expected, "{phase}");
    let entry = &entries[0];
    let told = store.events(entry).await.unwrap();
    assert_eq!(told, whole.store.events(entry).await.unwrap(), "{phase}");
    let said = store.results(entry).await.unwrap();
    assert_eq!(said, whole.store.results(entry).await.unwrap(), "{phase}");
    assert_eq!(store.logged(entry, None).await.unwrap().len(), 1, "{phase}");
}

fn real() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_server_that_fails_over_in_any_phase_has_all_of_it_afterwards() {
    let real = real();
    let mut server = Server::start();
    for phase in PHASES {
        let database = real.block_on(server.database());
        let server = std::cell::RefCell::new(&mut server);
        let storm = Storm {
            begins: async |_| server.borrow_mut().crash(),
            ends: async |_| server.borrow_mut().run(),
            are_read: false,
        };
        weathers(
            &real,
            || crate::records::store(database.url()),
            phase,
            storm,
        );
    }
}

/// What a standby is until it takes over.
#[test]
fn a_server_that_is_only_read_has_all_of_it_afterwards() {
    let real = real();
    let fresh = real.block_on(On::Postgres.fresh());
    let Place::Server(database) = &fresh.database else {
        unreachable!("it was asked for");
    };
    let set = |what: &'static str| {
        let database: Database = database.clone();
        async move |real: Handle| {
            let name = &database.name;
            let set = format!(
                "ALTER ROLE promoter IN DATABASE {name} SET default_transaction_read_only = {what}; \
                 SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'promoter'"
            );
            let database = database.clone();
            beside(&real, async move { database.run(&set).await }).await;
        }
    };
    let storm = Storm {
        begins: set("on"),
        ends: set("off"),
        are_read: true,
    };
    weathers(&real, || fresh.again(), Phase::Checking, storm);
}

#[test]
fn a_full_disk_has_all_of_it_once_there_is_room() {
    let real = real();
    let fresh = real.block_on(On::Sqlite.fresh());
    real.block_on(fresh.store.migrate()).unwrap();
    let run = async |real: Handle, sql: &'static str| {
        let url = format!("sqlite:{}", fresh.store.location());
        let work = async move {
            use sqlx::Connection as _;
            sqlx::any::install_default_drivers();
            let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut other).await.unwrap();
        };
        beside(&real, work).await;
    };
    let storm = Storm {
        begins: async |real| {
            let full = "CREATE TRIGGER full_disk BEFORE INSERT ON event \
                        BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
            run(real, full).await;
        },
        ends: async |real| run(real, "DROP TRIGGER full_disk").await,
        are_read: true,
    };
    weathers(&real, || fresh.again(), Phase::Checking, storm);
}

/// A volume that is taken away and comes back.
#[test]
fn a_folder_that_was_gone_has_all_of_it_afterwards() {
    let real = real();
    let fresh = real.block_on(On::Sqlite.fresh());
    let file = PathBuf::from(fresh.store.location().to_string());
    let folder = file.parent().unwrap();
    let elsewhere = folder.with_extension("elsewhere");
    let storm = Storm {
        begins: async |_| {
            fs::rename(folder, &elsewhere).unwrap();
            fs::write(folder, "nothing is mounted here").unwrap();
        },
        ends: async |_| {
            fs::remove_file(folder).unwrap();
            fs::rename(&elsewhere, folder).unwrap();
        },
        are_read: false,
    };
    weathers(&real, || fresh.again(), Phase::Checking, storm);
}
