//! Putting the wall between the colours up, and taking it down.

use futures::future::try_join_all;

use super::drive::Drive;
use crate::plan::wall;
use crate::port::ClusterError;
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
        if wall::is_as_planned(&self.plan, &now) {
            self.mark(Mark::Walled);
        } else {
            // Who changes every policy that is written changes the next as well.
            self.engine.pause().await;
        }
        Ok(())
    }

    /// Deletes the group's walls as they were seen: a colour may get its wall back before
    /// a deletion arrives that is late.
    pub(super) async fn unwall(&self, observed: &Observed) -> Result<(), ClusterError> {
        let policies = observed.policies.values().map(AsRef::as_ref);
        let walls = policies.filter(|policy| wall::is_wall(policy, self.plan.group.as_str()));
        let cluster = &self.engine.cluster;
        let deletions = walls.map(|wall| cluster.delete_unchanged(self.epoch, wall));
        try_join_all(deletions).await.map(drop)
    }
}
