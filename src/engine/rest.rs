//! Waiting for what is left of a group that goes: in time, and saying for what.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Engine, EngineError};
use crate::promotion::event::Fact;
use crate::promotion::later;

/// How long pods may take to go beyond the time that they have to end.
const PATIENCE: Duration = Duration::from_mins(5);

/// A wait, and what was said of it.
pub(super) struct Rest {
    until: Timestamp,
    told: String,
}

impl Engine {
    /// What is left may take the longest of these, and a little more.
    pub(super) fn rest(&self, times: impl Iterator<Item = Duration>) -> Rest {
        let limit = times.max().unwrap_or_default().saturating_add(PATIENCE);
        Rest {
            until: later(self.clock.now(), limit),
            told: String::new(),
        }
    }

    /// Waits for a change, or until somebody wants it to stop; says once for what.
    pub(super) async fn wait_for_rest(
        &self,
        rest: &mut Rest,
        wait_for: String,
        stop: &CancellationToken,
    ) -> Result<(), EngineError> {
        let until = rest.until;
        if self.clock.now() >= until {
            return Err(EngineError::Stuck { wait_for });
        }
        if rest.told != wait_for {
            rest.told.clone_from(&wait_for);
            self.record(None, Fact::Waiting { wait_for, until });
        }
        tokio::select! {
            () = self.cluster.changed() => {}
            () = self.clock.sleep_until(until) => {}
            () = stop.cancelled() => {}
        }
        Ok(())
    }
}
