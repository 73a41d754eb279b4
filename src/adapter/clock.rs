//! The machine's clocks.
//!
//! Promotions go by [`SystemClock`], which never jumps while this process lives:
//! the time of day is read once; from there on the monotonic clock counts. A
//! clock that is set while a promotion runs must not end its phases. What others
//! compare with their own time of day is dated by [`TimeOfDay`].

use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::port::Clock;

/// The machine's clock, which never jumps.
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
        sleep(when.duration_since(self.now())).await;
    }
}

/// The machine's time of day, as it is now: it goes on while the machine sleeps,
/// and somebody may set it.
#[derive(Debug, Clone, Copy)]
pub struct TimeOfDay;

#[async_trait]
impl Clock for TimeOfDay {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, when: Timestamp) {
        sleep(when.duration_since(self.now())).await;
    }
}

async fn sleep(left: SignedDuration) {
    let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
    tokio::time::sleep(left).await;
}
