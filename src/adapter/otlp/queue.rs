//! Spans that wait for the collector, and what brings them there.
//!
//! Whoever adds one waits for nothing. A collector that is away is tried again
//! while some of the newest spans wait; the others are lost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::send::LastStatus;

/// Most spans that wait: a hundred promotions of ten checks.
const MOST_WAITING: usize = 2048;
/// Most spans of one request.
const MOST_AT_ONCE: usize = 256;
/// How long spans are gathered for one request.
const GATHERING: Duration = Duration::from_secs(1);
/// How long a collector that takes nothing is left alone.
const PAUSE: Duration = Duration::from_secs(30);
/// Longest wait for what was added to be sent.
const PATIENCE: Duration = Duration::from_secs(2);

/// What waits. Clones are one.
#[derive(Clone)]
pub(super) struct Queue(Arc<Shared>);

struct Shared {
    waiting: Mutex<Waiting>,
    /// Something was added.
    added: Notify,
    /// Somebody waits for it to be sent.
    hurry: Notify,
    /// How many of all that were added were sent, tried or lost.
    settled: watch::Sender<u64>,
}

#[derive(Default)]
struct Waiting {
    spans: VecDeque<SpanData>,
    /// How many there were, from the beginning.
    added: u64,
    /// How many were lost since that was said.
    lost: u64,
    /// The collector takes nothing.
    failing: bool,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            waiting: Mutex::default(),
            added: Notify::new(),
            hurry: Notify::new(),
            settled: watch::Sender::new(0),
        }))
    }

    /// Adds a span; must not block.
    pub(super) fn add(&self, span: SpanData) {
        let mut waiting = self.waiting();
        waiting.added += 1;
        waiting.spans.push_back(span);
        waiting.bound();
        self.0.added.notify_one();
    }

    /// Waits until all that was added was sent, or tried once, and not for long.
    pub(super) async fn flush(&self) {
        let wanted = {
            let waiting = self.waiting();
            if waiting.failing {
                return;
            }
            waiting.added
        };
        let mut settled = self.0.settled.subscribe();
        self.0.hurry.notify_one();
        let sent = settled.wait_for(|settled| *settled >= wanted);
        // Whoever waits has better things to do.
        drop(timeout(PATIENCE, sent).await);
    }

    /// Brings to the collector what is added, for ever.
    pub(super) async fn run(self, exporter: SpanExporter, status: LastStatus) {
        loop {
            let batch = self.batch().await;
            let sent = exporter.export(batch.clone()).await;
            match sent {
                Ok(()) => self.sent(),
                Err(error) => {
                    self.failed(batch, &error.to_string(), status.get());
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// The next spans to send, once there are any.
    async fn batch(&self) -> Vec<SpanData> {
        while self.waiting().spans.is_empty() {
            self.0.added.notified().await;
        }
        let enough = self.waiting().spans.len() >= MOST_AT_ONCE;
        if !enough {
            tokio::select! {
                () = sleep(GATHERING) => {}
                () = self.0.hurry.notified() => {}
            }
        }
        let mut waiting = self.waiting();
        let count = waiting.spans.len().min(MOST_AT_ONCE);
        waiting.spans.drain(..count).collect()
    }

    fn sent(&self) {
        let mut waiting = self.waiting();
        if waiting.failing {
            waiting.failing = false;
            let lost = std::mem::take(&mut waiting.lost);
            info!("the collector takes traces again; spans that were lost meanwhile: {lost}");
        }
        let left = u64::try_from(waiting.spans.len()).unwrap_or_default();
        self.0.settled.send_replace(waiting.added - left);
    }

    /// Takes back what was not sent, unless the collector refuses it for good.
    fn failed(&self, batch: Vec<SpanData>, why: &str, status: u16) {
        let mut waiting = self.waiting();
        if !waiting.failing {
            waiting.failing = true;
            warn!(
                "traces do not get to the collector: {why}; it is tried again, and nothing waits for it"
            );
        }
        if matches!(status, 0 | 429 | 502 | 503 | 504) {
            for span in batch.into_iter().rev() {
                waiting.spans.push_front(span);
            }
            waiting.bound();
        } else {
            waiting.lost += u64::try_from(batch.len()).unwrap_or_default();
        }
        let added = waiting.added;
        self.0.settled.send_replace(added);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        let waiting = self.0.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The oldest are the ones to lose.
    fn bound(&mut self) {
        let over = self.spans.len().saturating_sub(MOST_WAITING);
        self.spans.drain(..over);
        self.lost += u64::try_from(over).unwrap_or_default();
    }
}
