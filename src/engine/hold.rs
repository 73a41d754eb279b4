//! Holding a group and letting it go. Whoever drives it sees that at once; nothing
//! is undone by it.

use super::{Engine, EngineError};
use crate::promotion::event::Fact;
use crate::promotion::restraint::Statement;

impl Engine {
    /// Holds the group: nothing of it is promoted until it is let go, and a
    /// promotion under way is aborted unless its users are moved. A hold that is
    /// there is replaced.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn hold(&self, by: Statement) -> Result<(), EngineError> {
        let held = self.ledger.hold(Some(&by)).await;
        held.map_err(EngineError::Cluster)?;
        self.record(None, Fact::Held { by });
        self.recorder.flush().await;
        Ok(())
    }

    /// Lets the group go. Gives the hold that was there, if there was one.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn unhold(&self, by: Statement) -> Result<Option<Statement>, EngineError> {
        let restraints = self.ledger.restraints().await;
        let Some(held) = restraints.map_err(EngineError::Cluster)?.hold else {
            return Ok(None);
        };
        let lifted = self.ledger.hold(None).await;
        lifted.map_err(EngineError::Cluster)?;
        self.record(None, Fact::Unheld { by });
        self.recorder.flush().await;
        Ok(Some(held))
    }
}
