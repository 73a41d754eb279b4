//! Several consumers as one.

use std::sync::Arc;

use crate::port::Recorder;
use crate::promotion::event::Event;

/// Hands every event to several consumers, in their order.
pub struct Fan(Vec<Arc<dyn Recorder>>);

impl Fan {
    /// Hands on to these; to none, and events are dropped.
    pub fn new(consumers: Vec<Arc<dyn Recorder>>) -> Self {
        Self(consumers)
    }
}

impl Recorder for Fan {
    fn record(&self, event: Event) {
        for consumer in &self.0 {
            consumer.record(event.clone());
        }
    }
}
