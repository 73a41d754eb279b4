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
        Self {
            start: Instant::now(),
            base: "2026-11-21T09:00:00Z".parse().unwrap(),
        }
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
