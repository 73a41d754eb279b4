//! Putting the wall between the colours up, and taking it down.

use futures::future::try_join_all;

use super::Engine;
use super::drive::Drive;
use crate::plan::wall;
use crate::port::{ClusterError, Epoch};
use crate::promotion::Mark;
use crate::promotion::observed::Observed;

impl Drive {
    /// Closes the candidate's wall to the other colour as it is now.
    pub(super) async fn wall(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let situation = self.situation(observed);
        let Some(wall) = situation.wall() else {
            return Ok(());
        };
        let now = self.engine.cluster.apply(self.epoch, &wall).await?;
        if situation.is_wall_as_planned(&now) {
            self.mark(Mark::Walled);
        } else {
            // Who changes every policy that is written changes the next as well.
            self.engine.pause().await;
        }
        Ok(())
    }
}

impl Engine {
    /// Deletes the group's walls as they were seen: a colour may get its wall back before
    /// a deletion arrives that is late.
    pub(super) async fn unwall(
        &self,
        epoch: Epoch,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let policies = observed.policies.values().map(AsRef::as_ref);
        let walls = policies.filter(|policy| wall::is_wall(policy, self.group.as_str()));
        let deletions = walls.map(|wall| self.cluster.delete_unchanged(epoch, wall));
        try_join_all(deletions).await.map(drop)
    }
}
