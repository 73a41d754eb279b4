//! Many that write at once about the same, as replicas do that take over.

use std::sync::Arc;

use promoter::port::RecordsError;
use promoter::promotion::id::PromotionId;

use super::*;

const WRITERS: usize = 6;
const BATCHES: usize = 20;

/// That something happened, as one writer tells it.
fn warned(like: &Event, promotion: &PromotionId, message: String) -> Event {
    Event {
        promotion: Some(promotion.clone()),
        fact: Fact::Warning { message },
        ..like.clone()
    }
}

/// A file makes its writers wait, but not for ever; they try again, as ever.
async fn keep(on: On, store: &Store, notes: &[Note]) {
    loop {
        match store.keep(&here(), notes).await {
            Err(RecordsError::Failed { reason, .. })
                if on == On::Sqlite && reason == "database is locked" => {}
            kept => return kept.unwrap(),
        }
    }
}

#[test]
fn what_many_tell_at_once_is_kept_in_full_and_nobody_is_refused() {
    let events = super::kept::failed();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        let entry = file.only().await;
        let before = file.store.events(&entry).await.unwrap().len();
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let store = Arc::new(file.again());
            let (like, promotion) = (events[0].clone(), entry.promotion.clone());
            // All tell what holds once, too.
            let once: Vec<_> = events
                .iter()
                .filter(|event| event.fact.once().is_some())
                .cloned()
                .collect();
            writers.spawn(async move {
                for batch in 0..BATCHES {
                    let told = format!("{writer} tells {batch}");
                    let mut told = notes(&[warned(&like, &promotion, told)]);
                    told.extend(notes(&once));
                    keep(on, &store, &told).await;
                }
            });
        }
        while let Some(done) = writers.join_next().await {
            done.unwrap();
        }
        let kept = file.store.events(&entry).await.unwrap();
        assert_eq!(kept.len(), before + WRITERS * BATCHES);
        let mut told: Vec<_> = kept
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::Warning { message } => Some(message.clone()),
                _ => None,
            })
            .collect();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), WRITERS * BATCHES);
        assert_eq!(file.only().await, entry);
    });
}

#[test]
fn one_store_is_shared_by_many_groups() {
    let events = super::kept::failed();
    on_each(async |on| {
        let file = on.fresh().await;
        let store = Arc::new(file.again());
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..30 {
            let group = format!("group-{number}").parse().unwrap();
            let events: Vec<_> = events
                .iter()
                .cloned()
                .map(|event| Event {
                    group: Clone::clone(&group),
                    ..event
                })
                .collect();
            let store = Arc::clone(&store);
            writers.spawn(async move { keep(on, &store, &notes(&events)).await });
        }
        while let Some(done) = writers.join_next().await {
            done.unwrap();
        }
        assert_eq!(store.last(&all(), 100).await.unwrap().len(), 30);
        if let Place::Server(database) = &file.database {
            let open: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'promoter'",
            )
            .fetch_one(&mut database.admin().await)
            .await
            .unwrap();
            assert!((1..=4).contains(&open), "{open} connections");
        }
    });
}

#[test]
fn replicas_that_forget_at_once_do_not_mind() {
    let events = super::night::night();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        let years = jiff::SignedDuration::from_hours(24 * 1000);
        let later = events[0].at + years;
        let (one, other) = (file.again(), file.again());
        let (one, other) = tokio::join!(one.prune(later), other.prune(later));
        assert_eq!((one, other), (Ok(()), Ok(())));
        file.only().await;
    });
}
