//! Time, as something that is asked for.

use async_trait::async_trait;
use jiff::Timestamp;

/// The only way by which time enters the engine.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Returns once it is that time; at once if it has passed.
    async fn sleep_until(&self, when: Timestamp);
}
