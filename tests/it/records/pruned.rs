//! What is old goes, a little at a time, and what later ones are compared with stays.

use std::num::NonZeroU16;

use jiff::{SignedDuration, Timestamp};
use promoter::promotion::id::PromotionId;
use promoter::promotion::record::Outcome;
use sqlx::Row;

use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How many rows a table has of promotions, or of groups.
async fn rows(file: &Fresh, table: &str) -> i64 {
    let mut connection = file.connected().await;
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n FROM {table}"));
    let row = sqlx::query(sql).fetch_one(&mut connection).await.unwrap();
    row.get("n")
}

/// What the first run of `greets` wrote in a promotion.
pub(super) fn log_of(entry: &Entry, text: &str) -> Note {
    Note::Log {
        group: entry.group.clone(),
        promotion: entry.promotion.clone(),
        run: LoggedRun {
            check: "greets".parse().unwrap(),
            attempt: 1,
        },
        at: entry.started_at,
        text: Packed::text(text).unwrap(),
    }
}

/// Records with a night and the log of each of its promotions, and the time of the
/// last one.
async fn a_night(on: On, events: &[Event]) -> (Fresh, Timestamp) {
    let file = on.fresh().await;
    file.keep(events).await;
    let entries = file.store.last(&all(), 10).await.unwrap();
    let logs: Vec<_> = entries
        .iter()
        .map(|entry| log_of(entry, "ok 1 - greets\n"))
        .collect();
    file.store.keep(&here(), &logs).await.unwrap();
    (file, entries[0].started_at)
}

#[test]
fn what_is_not_old_stays() {
    let events = super::night::night();
    on_each(async |on| {
        let (file, last) = a_night(on, &events).await;
        let tables = ["promotion", "event", "check_result", "check_log"];
        let mut before = Vec::new();
        for table in tables {
            before.push(rows(&file, table).await);
        }
        file.store.prune(last + DAY * 89).await.unwrap();
        for (table, before) in tables.iter().zip(before) {
            assert!(before > 0, "{table}");
            assert_eq!(rows(&file, table).await, before, "{table}");
        }
    });
}

#[test]
fn logs_go_first() {
    let events = super::night::night();
    on_each(async |on| {
        let (file, last) = a_night(on, &events).await;
        let entries = file.store.last(&all(), 10).await.unwrap();
        file.store.prune(last + DAY * 91).await.unwrap();
        assert_eq!(rows(&file, "check_log").await, 0);
        assert_eq!(file.store.last(&all(), 10).await.unwrap(), entries);
        assert!(rows(&file, "check_result").await > 0);
    });
}

#[test]
fn of_what_is_too_old_only_what_passed_last_stays() {
    let events = super::night::night();
    on_each(async |on| {
        let (file, last) = a_night(on, &events).await;
        let entries = file.store.last(&all(), 10).await.unwrap();
        let passed = entries.last().unwrap();
        let told = file.store.events(passed).await.unwrap();
        file.store.prune(last + DAY * 401).await.unwrap();
        assert_eq!(file.only().await, *passed);
        assert_eq!(file.store.events(passed).await.unwrap(), told);
        for table in ["event", "check_result", "plan", "test_case"] {
            let others = format!("{table} WHERE promotion <> '{}'", passed.promotion);
            assert_eq!(rows(&file, &others).await, 0, "{table}");
        }
    });
}

#[test]
fn they_may_be_kept_for_less_or_for_longer() {
    let events = super::night::night();
    on_each(async |on| {
        for (days, passed, left) in [(7, 6, 5), (7, 8, 1), (1000, 999, 5), (1000, 1001, 1)] {
            let (file, last) = a_night(on, &events).await;
            let store = file.again().keeping(NonZeroU16::new(days).unwrap());
            store.prune(last + DAY * passed).await.unwrap();
            let case = format!("{days} days, after {passed}");
            assert_eq!(rows(&file, "promotion").await, left, "{case}");
            let logs = rows(&file, "check_log").await;
            assert_eq!(logs, if passed == 6 { 5 } else { 0 }, "{case}");
        }
    });
}

#[test]
fn it_is_done_a_little_at_a_time() {
    let events = super::night::night();
    let failed = events.iter().find_map(|event| match &event.fact {
        Fact::Finished { outcome } if !outcome.reasons.is_empty() => Some(event.clone()),
        _ => None,
    });
    let failed = failed.unwrap();
    let many: Vec<_> = (0..25)
        .map(|n| {
            let promotion = PromotionId::new(failed.at, n);
            let Fact::Finished { outcome } = &failed.fact else {
                unreachable!("it was chosen so");
            };
            let outcome = Outcome {
                promotion: promotion.clone(),
                ..(**outcome).clone()
            };
            Event {
                promotion: Some(promotion),
                fact: Fact::Finished {
                    outcome: Box::new(outcome),
                },
                ..failed.clone()
            }
        })
        .collect();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&many).await;
        for left in [15, 5, 0, 0] {
            file.store.prune(failed.at + DAY * 401).await.unwrap();
            assert_eq!(rows(&file, "promotion").await, left);
            assert_eq!(rows(&file, "event").await, left);
        }
    });
}

#[test]
fn what_is_about_groups_goes_as_well() {
    let events = super::night::night();
    let warned = Event {
        promotion: None,
        fact: Fact::Warning {
            message: "the disk is slow".to_owned(),
        },
        ..events[0].clone()
    };
    on_each(async |on| {
        let file = on.fresh().await;
        let refused = super::refused::refused(&warned, "ann@laptop", "the database moves");
        file.keep(&[warned.clone(), refused]).await;
        for (days, left) in [(399, 1), (401, 0)] {
            file.store.prune(warned.at + DAY * days).await.unwrap();
            assert_eq!(rows(&file, "event").await, left);
            assert_eq!(rows(&file, "refusal").await, left);
        }
    });
}
