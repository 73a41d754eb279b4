//! A server that fails while it is written to, or has no room: nothing is lost,
//! nothing is kept twice, and promotions go on.

use std::sync::Arc;

use promoter::adapter::clock::SystemClock;
use promoter::adapter::store::Recording;
use promoter::port::{Recorder, RecordsError};

use super::*;
use crate::support::given;
use crate::support::postgres::{Server, as_user};
use crate::support::recording::Recording as Told;

const CRASHES: usize = 3;

#[test]
fn a_server_that_fails_over_and_over_loses_nothing_and_keeps_nothing_twice() {
    let events = super::night::night();
    let mut server = Server::start();
    in_real_time(async {
        let whole = On::Postgres.fresh().await;
        whole.keep(&events).await;
        let database = server.database().await;
        let store = store(database.url());
        store.migrate().await.unwrap();
        let crashes = std::thread::spawn(move || {
            for _ in 0..CRASHES {
                server.crash();
                server.run();
            }
            server
        });
        let (mut place, mut failures) = (0, 0);
        while !crashes.is_finished() || place < 20 {
            let name = there(&format!("place-{place}"));
            // As `Recording` does it, without its pause.
            while let Err(error) = store.keep(&name, &notes(&events)).await {
                assert!(matches!(error, RecordsError::Failed { .. }), "{error:?}");
                failures += 1;
                tokio::task::yield_now().await;
            }
            place += 1;
        }
        assert!(failures > 0, "nothing was in the way of {place} nights");
        let server = crashes.join().unwrap();
        let expected = whole.store.last(&all(), 10).await.unwrap();
        for number in 0..place {
            let of = Which {
                group: None,
                place: Some(there(&format!("place-{number}"))),
            };
            let entries = store.last(&of, 10).await.unwrap();
            assert_eq!(entries.len(), expected.len(), "place {number}");
            for (entry, same) in entries.iter().zip(&expected) {
                let told = store.events(entry).await.unwrap();
                assert_eq!(told, whole.store.events(same).await.unwrap());
                let said = store.results(entry).await.unwrap();
                assert_eq!(said, whole.store.results(same).await.unwrap());
            }
        }
        drop(server);
    });
}

#[test]
fn what_happens_while_the_server_is_away_is_caught_up() {
    let events = super::kept::failed();
    let mut server = Server::start();
    in_real_time(async {
        let database = server.database().await;
        let told = Arc::<Told>::default();
        let recording = Recording::new(
            here(),
            given::hello().name,
            Arc::new(store(database.url())),
            Arc::new(SystemClock::default()),
            Arc::clone(&told) as _,
        );
        let (before, after) = events.split_at(events.len() / 2);
        let record = |events: &[Event]| {
            events
                .iter()
                .cloned()
                .for_each(|event| recording.record(event));
        };
        record(before);
        recording.flush().await;
        server.crash();
        record(after);
        while told.warnings().is_empty() {
            tokio::task::yield_now().await;
        }
        server.run();
        recording.flush().await;
        let [behind, again] = told.warnings().try_into().unwrap();
        assert!(behind.contains("the promotion goes on"), "{behind}");
        assert!(again.contains("can be written again"), "{again}");
        // Lines become logs.
        let is_line = |event: &Event| matches!(event.fact, Fact::CheckOutput { .. });
        let facts: Vec<_> = events
            .iter()
            .filter(|event| !is_line(event))
            .cloned()
            .collect();
        let whole = On::Postgres.fresh().await;
        whole.keep(&facts).await;
        let store = store(database.url());
        let [entry] = store.last(&all(), 10).await.unwrap().try_into().unwrap();
        let kept = store.events(&entry).await.unwrap();
        let expected = whole.store.events(&whole.only().await).await.unwrap();
        assert_eq!(kept, expected);
        assert_eq!(store.logged(&entry, None).await.unwrap().len(), 1);
    });
}

#[test]
fn a_server_without_room_is_written_to_once_there_is_some() {
    let events = super::kept::failed();
    let server = Server::start();
    // A file may not grow beyond that, as if the disk ended there.
    let room = |most: &str| {
        let mut limit = as_user("prlimit");
        limit.args(["--pid", &server.pid(), &format!("--fsize={most}:")]);
        assert!(limit.status().unwrap().success());
    };
    in_real_time(async {
        let database = server.database().await;
        let store = store(database.url());
        store.keep(&here(), &notes(&events)).await.unwrap();
        let entry = store.last(&all(), 1).await.unwrap().swap_remove(0);
        let log = |attempt| Note::Log {
            group: entry.group.clone(),
            promotion: entry.promotion.clone(),
            run: LoggedRun {
                check: "greets".parse().unwrap(),
                attempt,
            },
            at: entry.started_at,
            text: Packed::from_bytes(noise(300_000)),
        };
        let logs: Vec<_> = (1..=8).map(log).collect();
        room("1100000");
        // Who is connected already is not told.
        let full = self::store(database.url());
        let error = full.keep(&here(), &logs).await.unwrap_err().to_string();
        assert!(error.contains("could not extend file"), "{error}");
        room("unlimited");
        assert_eq!(full.logged(&entry, None).await, Ok(Vec::new()));
        let again = self::store(database.url());
        again.keep(&here(), &logs).await.unwrap();
        assert_eq!(again.logged(&entry, None).await.unwrap().len(), 8);
    });
}

/// Bytes that nothing makes shorter.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}
