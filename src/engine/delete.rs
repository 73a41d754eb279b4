//! Deleting what a promotion knows by name and uid, so that nothing else that has
//! the name by now goes with it; or, where that is much, all that a promotion made.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use super::drive::Drive;
use crate::plan::object::ObjectRef;
use crate::port::ClusterError;
use crate::port::cluster::{Made, MadeKind};
use crate::promotion::observed::Observed;

/// From so many objects on one request for all is worth a way of its own.
const MANY: usize = 8;

impl Drive {
    pub(super) async fn delete_jobs(
        &self,
        found: Vec<(String, String)>,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let jobs = observed.jobs.iter();
        let standing = jobs.map(|job| (job.uid.as_str(), job.promotion.as_str()));
        self.delete_made(MadeKind::JOB, found, standing).await
    }

    /// Deletes objects, many of one promotion at one go if that leaves none of
    /// those out that stand: uid and promotion of each.
    pub(super) async fn delete_made<'a>(
        &self,
        kind: MadeKind,
        found: Vec<(String, String)>,
        standing: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), ClusterError> {
        let mut by_promotion: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (uid, promotion) in standing {
            by_promotion.entry(promotion).or_default().push(uid);
        }
        let mut rest = found;
        for (promotion, uids) in by_promotion {
            let is_theirs = |(_, uid): &(String, String)| uids.contains(&uid.as_str());
            let (theirs, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_theirs);
            rest = others;
            if theirs.len() < MANY || theirs.len() < uids.len() || promotion.is_empty() {
                self.delete(kind.api_version, kind.name, theirs).await?;
                continue;
            }
            let made = Made {
                kind,
                promotion: promotion.to_owned(),
                objects: theirs,
            };
            match self.engine.cluster.delete_made(self.epoch, &made).await {
                // A Role from before `deletecollection` was asked for, or a server
                // that did not get through with it in time.
                Err(ClusterError::Forbidden { .. } | ClusterError::Moved { .. }) => {
                    self.delete(kind.api_version, kind.name, made.objects)
                        .await?;
                }
                deleted => deleted?,
            }
        }
        self.delete(kind.api_version, kind.name, rest).await
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
