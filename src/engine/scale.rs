//! Numbers of pods: raising Deployments, and keeping autoscalers from undoing it.

use std::collections::BTreeSet;

use futures::future::try_join_all;

use super::drive::Drive;
use crate::plan::Plan;
use crate::plan::autoscaler::{API_VERSION, Autoscaler, KIND};
use crate::port::ClusterError;
use crate::promotion::{Mark, Raise};

/// How an autoscaler is told not to take any pods away.
const DISABLED: &str = "Disabled";

impl Drive {
    /// Records what is raised from which state, raises it, and notes the state
    /// it has now: whoever takes over can tell it from anybody else's change.
    pub(super) async fn raise(&mut self, raises: Vec<Raise>) -> Result<(), ClusterError> {
        self.promotion.raising.clone_from(&raises);
        self.put_on_record().await?;
        let under_way = raises
            .iter()
            .map(|raise| self.engine.cluster.raise(self.epoch, raise));
        let generations = try_join_all(under_way).await?;
        for (raise, generation) in raises.iter().zip(generations) {
            let tested = self.promotion.tested.get_mut(&raise.app);
            if let Some(tested) = tested.filter(|tested| tested.uid == raise.uid) {
                tested.generation = generation;
                tested.ready = raise.replicas;
            }
        }
        self.promotion.raising.clear();
        Ok(())
    }

    /// Lets the candidate's autoscalers rule what its users need. They are not
    /// somebody who changes what was tested; that is on record first.
    pub(super) async fn autoscale(&mut self) -> Result<(), ClusterError> {
        let autoscalers = self.plan.autoscalers();
        let objects: Vec<_> = autoscalers.map(|found| found.object.clone()).collect();
        if objects.is_empty() {
            return Ok(());
        }
        self.mark(Mark::Autoscaled);
        self.put_on_record().await?;
        self.apply_all(&objects).await.map(drop)
    }

    /// The old colour keeps its pods although it loses its users: they may come
    /// back. An abort has to undo this; that is on record first.
    pub(super) async fn hold_old_pods(&mut self) -> Result<(), ClusterError> {
        if self
            .replaced
            .iter()
            .flat_map(Plan::autoscalers)
            .next()
            .is_none()
        {
            return Ok(());
        }
        self.mark(Mark::SharedBegun);
        self.put_on_record().await?;
        self.scale_old_down(|_| Some(DISABLED)).await
    }

    /// Its users are back: its autoscalers do again as its manifests say.
    pub(super) async fn release_old_pods(&self) -> Result<(), ClusterError> {
        self.scale_old_down(Autoscaler::scale_down).await
    }

    async fn scale_old_down(
        &self,
        policy: impl Fn(&Autoscaler) -> Option<&str>,
    ) -> Result<(), ClusterError> {
        let old = self.replaced.iter().flat_map(Plan::autoscalers);
        try_join_all(old.map(|autoscaler| {
            let name = autoscaler.object.name();
            let cluster = &self.engine.cluster;
            cluster.scale_down(self.epoch, name, policy(autoscaler))
        }))
        .await?;
        Ok(())
    }

    /// Deletes Deployments, and before them what would scale their successors
    /// of the same name.
    pub(super) async fn delete_deployments(
        &self,
        found: Vec<(String, String)>,
    ) -> Result<(), ClusterError> {
        let plans = std::iter::once(&self.plan).chain(&self.replaced);
        if plans.flat_map(Plan::autoscalers).next().is_some() {
            let kinds = [(API_VERSION.to_owned(), KIND.to_owned())];
            let names: BTreeSet<_> = found.iter().map(|(name, _)| name.as_str()).collect();
            let owned = self.engine.cluster.owned(&kinds).await?;
            let theirs = owned.iter().filter(|autoscaler| {
                let target = autoscaler.str_at("/spec/scaleTargetRef/name");
                autoscaler.is_owned_by(self.plan.group.as_ref())
                    && target.is_some_and(|target| names.contains(target))
            });
            let theirs = theirs.map(|found| {
                (
                    found.name().to_owned(),
                    found.uid().unwrap_or_default().to_owned(),
                )
            });
            self.delete(API_VERSION, KIND, theirs.collect()).await?;
        }
        // Each by its uid, however many: whatever is late must not meet pods that
        // a later promotion made under the same name.
        self.delete("apps/v1", "Deployment", found).await
    }
}
