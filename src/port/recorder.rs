//! Where events go.

use std::sync::Arc;

use async_trait::async_trait;

use crate::group::name::CheckName;
use crate::plan::Plan;
use crate::promotion::event::Event;
use crate::promotion::id::PromotionId;

/// Takes every event of a promotion. What a consumer does with it is its own
/// business: it cannot fail a promotion, so nothing is returned.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Takes one event; must not block.
    fn record(&self, event: Event);

    /// Takes note of the plan that a promotion carries out; must not block.
    fn note_plan(&self, _promotion: &PromotionId, _plan: &Plan) {}

    /// Takes all that a run of a check wrote, once that was read; must not block.
    fn note_log(&self, _promotion: &PromotionId, _check: &CheckName, _attempt: u32, _log: &str) {}

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

    fn note_plan(&self, promotion: &PromotionId, plan: &Plan) {
        for consumer in &self.0 {
            consumer.note_plan(promotion, plan);
        }
    }

    fn note_log(&self, promotion: &PromotionId, check: &CheckName, attempt: u32, log: &str) {
        for consumer in &self.0 {
            consumer.note_log(promotion, check, attempt, log);
        }
    }

    async fn flush(&self) {
        for consumer in &self.0 {
            consumer.flush().await;
        }
    }
}
