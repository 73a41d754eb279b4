//! The machine's clock, which never jumps while this process lives.
//!
//! The time of day is read once; from there on the monotonic clock counts. A
//! clock that is set while a promotion runs must not end its phases.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::port::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    began: Timestamp,
    since: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            began: Timestamp::now(),
            since: Instant::now(),
        }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.began
            .saturating_add(self.since.elapsed())
            .unwrap_or(Timestamp::MAX)
    }

    async fn sleep_until(&self, when: Timestamp) {
        let left = when.duration_since(self.now());
        let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
        tokio::time::sleep(left).await;
    }
}
