//! Deleting what a promotion knows by name and uid, so that nothing else that has
//! the name by now goes with it; or, of many Jobs, all that a promotion made.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use super::drive::Drive;
use crate::plan::object::ObjectRef;
use crate::port::ClusterError;
use crate::port::cluster::Runs;
use crate::promotion::observed::Observed;

/// From so many Jobs on one request for all is worth a way of its own.
const MANY: usize = 8;

impl Drive {
    /// Deletes Jobs, many of one promotion at one go if that leaves none of those
    /// out that stand.
    pub(super) async fn delete_jobs(
        &self,
        found: Vec<(String, String)>,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let mut by_promotion: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for job in &observed.jobs {
            let uids = by_promotion.entry(&job.promotion).or_default();
            uids.push(&job.uid);
        }
        let mut rest = found;
        for (promotion, uids) in by_promotion {
            let is_theirs = |(_, uid): &(String, String)| uids.contains(&uid.as_str());
            let (theirs, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_theirs);
            rest = others;
            if theirs.len() < MANY || theirs.len() < uids.len() || promotion.is_empty() {
                self.delete_each_job(theirs).await?;
                continue;
            }
            let runs = Runs {
                promotion: promotion.to_owned(),
                jobs: theirs,
            };
            match self.engine.cluster.delete_runs(self.epoch, &runs).await {
                // A Role from before `deletecollection` was asked for, or a server
                // that did not get through with it in time.
                Err(ClusterError::Forbidden { .. } | ClusterError::Moved { .. }) => {
                    self.delete_each_job(runs.jobs).await?;
                }
                deleted => deleted?,
            }
        }
        self.delete_each_job(rest).await
    }

    async fn delete_each_job(&self, found: Vec<(String, String)>) -> Result<(), ClusterError> {
        self.delete("batch/v1", "Job", found).await
    }

    /// Deletes exactly these objects, by name and uid.
    pub(super) async fn delete(
        &self,
        api_version: &str,
        kind: &str,
        found: Vec<(String, String)>,
    ) -> Result<(), ClusterError> {
        try_join_all(found.iter().map(|(name, uid)| async move {
            let object = ObjectRef::new(api_version, kind, name);
            self.engine.cluster.delete(self.epoch, &object, uid).await
        }))
        .await?;
        Ok(())
    }
}
