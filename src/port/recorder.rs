//! Where events go.

use std::sync::Arc;

use async_trait::async_trait;

use crate::promotion::event::Event;

/// Takes every event of a promotion. What a consumer does with it is its own
/// business: it cannot fail a promotion, so nothing is returned.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Takes one event; must not block.
    fn record(&self, event: Event);

    /// Waits until what was taken is where it belongs, and not for long.
    async fn flush(&self) {}
}

/// Hands every event to several consumers, in their order; to none, and events
/// are dropped.
pub struct Fan(Vec<Arc<dyn Recorder>>);

impl Fan {
    /// Hands on to these.
    pub fn new(consumers: Vec<Arc<dyn Recorder>>) -> Self {
        Self(consumers)
    }
}

#[async_trait]
impl Recorder for Fan {
    fn record(&self, event: Event) {
        for consumer in &self.0 {
            consumer.record(event.clone());
        }
    }

    async fn flush(&self) {
        for consumer in &self.0 {
            consumer.flush().await;
        }
    }
}
