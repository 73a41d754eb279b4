//! Virtual time: it passes only when nothing else can happen.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use promoter::port::Clock;
use tokio::time::Instant;

/// Counts from a fixed date with tokio's paused time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FakeClock {
    start: Instant,
    base: Timestamp,
}

impl FakeClock {
    pub(crate) fn new() -> Self {
        Self::from("2026-11-21T09:00:00Z".parse().unwrap())
    }

    /// Counts from a date.
    pub(crate) fn from(base: Timestamp) -> Self {
        let start = Instant::now();
        Self { start, base }
    }

    /// The clock of a machine that goes an hour fast, or slow.
    pub(crate) fn an_hour_off(mut self, fast: bool) -> Self {
        let hour = Duration::from_hours(1);
        if fast {
            self.base += hour;
        } else {
            self.base -= hour;
        }
        self
    }

    /// How long the test has lasted in virtual time.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.base + self.elapsed()
    }

    async fn sleep_until(&self, when: Timestamp) {
        let left = when.duration_since(self.now());
        let left = Duration::try_from(left).unwrap_or_default();
        tokio::time::sleep(left).await;
    }
}
