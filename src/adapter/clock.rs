//! The machine's clock.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::port::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, when: Timestamp) {
        let left = when.duration_since(Timestamp::now());
        let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
        tokio::time::sleep(left).await;
    }
}
