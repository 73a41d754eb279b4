//! Where events go.

use crate::promotion::event::Event;

/// Takes every event of a promotion. What a consumer does with it is its own
/// business: it cannot fail a promotion, so nothing is returned.
pub trait Recorder: Send + Sync {
    /// Takes one event; must not block.
    fn record(&self, event: Event);
}
