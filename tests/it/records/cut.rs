//! A connection that breaks at the worst moment: what is told once more because of
//! that is kept once.

use super::*;
use crate::support::wire::{Cut, Wire};

/// All that is told in a night, and that somebody was refused.
fn told() -> Vec<Event> {
    let mut events = super::night::night();
    let refused = super::refused::refused(&events[0], "schedule", "the database moves");
    events.push(refused);
    events
}

/// How many rows there are of each kind, and how often it was refused.
async fn kept(store: &Store) -> (usize, usize, usize, u64) {
    let entries = store.last(&all(), 100).await.unwrap();
    let (mut events, mut cases) = (0, 0);
    for entry in &entries {
        events += store.events(entry).await.unwrap().len();
        let results = store.results(entry).await.unwrap();
        cases += results
            .iter()
            .map(|result| result.cases.len())
            .sum::<usize>();
    }
    let refusals = store.refused(&all(), 100).await.unwrap();
    let times = refusals.iter().map(|refusal| refusal.times).sum();
    (entries.len(), events, cases, times)
}

#[test]
fn what_is_told_again_after_a_cut_is_kept_once() {
    let events = told();
    in_real_time(async {
        let whole = On::Postgres.fresh().await;
        whole.keep(&events).await;
        let expected = kept(&whole.store).await;
        assert_eq!((expected.0, expected.3), (5, 1));
        for cut in [
            Cut::Before("BEGIN"),
            Cut::After("pg_advisory_xact_lock"),
            Cut::Before("INSERT INTO check_result"),
            Cut::After("INSERT INTO refusal"),
            Cut::Before("COMMIT\0"),
            // It was kept, and nobody knows.
            Cut::After("COMMIT\0"),
        ] {
            let file = On::Postgres.fresh().await;
            let Place::Server(database) = &file.database else {
                unreachable!("it was asked for");
            };
            let wire = Wire::to(database.address()).await;
            let by_wire = database.url_by("127.0.0.1", wire.port(), "sslmode=disable");
            let store = store(by_wire);
            store.migrate().await.unwrap();
            wire.cut(cut);
            let lost = store.keep(&here(), &notes(&events)).await;
            assert!(lost.is_err() && !wire.is_whole(), "{cut:?}: {lost:?}");
            let is_kept = matches!(cut, Cut::After("COMMIT\0"));
            let before = kept(&file.store).await;
            assert_eq!(before == expected, is_kept, "{cut:?}: {before:?}");
            store.keep(&here(), &notes(&events)).await.unwrap();
            assert_eq!(kept(&store).await, expected, "{cut:?}");
        }
    });
}

#[test]
fn what_the_server_closed_meanwhile_is_not_used_again() {
    in_real_time(async {
        let file = On::Postgres.fresh().await;
        file.keep(&[]).await;
        let Place::Server(database) = &file.database else {
            unreachable!("it was asked for");
        };
        let close = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'promoter'";
        database.run(close).await;
        file.keep(&[]).await;
    });
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    in_virtual_time(async {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let store = store(format!(
            "postgres://promoter:hunter2@127.0.0.1:{port}/records"
        ));
        let error = store.last(&all(), 1).await.unwrap_err().to_string();
        let said = format!(
            "failed to open the records in postgres://127.0.0.1:{port}/records: no answer within 10 s"
        );
        assert_eq!(error, said);
    });
}
