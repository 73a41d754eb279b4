//! Takes hints of pushes from a queue to the watcher.
//!
//! What was looked into is done with; the rest comes again. A queue that does not answer
//! holds nothing up, as repositories are looked at all the same, only later.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::watcher::Pushed;
use super::yard::{Note, Yard};
use crate::port::Clock;
use crate::port::hint::{Heard, HintError, Hints};
use crate::port::registry::Said;
use crate::promotion::later;
use crate::promotion::pauses::Pauses;

/// Pause after the first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Follows the hints of a queue until it is dropped.
pub(super) async fn follow(
    queue: Arc<dyn Hints>,
    yard: Arc<dyn Yard>,
    clock: Arc<dyn Clock>,
    tell: UnboundedSender<Pushed>,
) {
    let mut pauses = Pauses::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        // It is known to get on as often as the queue answers.
        clock.now();
        let heard = match queue.next().await {
            Ok(heard) => heard,
            Err(error) => {
                if !pauses.are_begun() {
                    said(
                        &error,
                        "no hints of pushes; looking for images all the same",
                    );
                }
                let until = later(clock.now(), pauses.failed());
                clock.sleep_until(until).await;
                continue;
            }
        };
        if pauses.begin_anew() {
            tracing::info!("hints of pushes come again");
        }
        act(&*queue, &*yard, &tell, heard).await;
    }
}

async fn act(queue: &dyn Hints, yard: &dyn Yard, tell: &UnboundedSender<Pushed>, heard: Heard) {
    let Heard { hints, dropped } = heard;
    let mut followed = 0;
    let seen = hints.into_iter().map(|hint| {
        let (seen, is_seen) = oneshot::channel();
        let repository = hint.repository.clone();
        drop(tell.send(Pushed { repository, seen }));
        (hint, is_seen)
    });
    for (hint, is_seen) in seen.collect::<Vec<_>>() {
        if is_seen.await.is_err() {
            continue;
        }
        followed += hint.receipts.len();
        if let Err(error) = queue.done(&hint).await {
            said(&error, "a hint that was followed comes again");
        }
    }
    yard.note(Note::Hints { followed, dropped });
}

fn said(error: &HintError, what: &str) {
    let error = Said::of(error).0;
    tracing::warn!(%error, "{what}");
}
