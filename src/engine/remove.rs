//! Taking a whole group out of the cluster: what lets users in, then its apps, callers
//! before callees, then the rest, its record last. Volumes stay.
//!
//! That it goes is on record first. Whoever is killed in between leaves a group of
//! which nothing is promoted, and the next `promoter remove` goes on.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use super::lock::Lock;
use super::prune::kinds;
use super::{Engine, EngineError};
use crate::group::name::AppName;
use crate::plan::Plan;
use crate::plan::kind::is_kept;
use crate::plan::label::{ROLE, Role};
use crate::plan::object::{Object, ObjectRef};
use crate::plan::policy;
use crate::port::ClusterError;
use crate::promotion::event::Fact;
use crate::promotion::id::PromotionId;
use crate::promotion::record::GroupRecord;

/// What a group consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    /// What goes.
    pub goes: Vec<ObjectRef>,
    /// What stays, as data would be lost with it.
    pub stays: Vec<ObjectRef>,
    /// Apps in the order in which they go; those of one level together.
    pub levels: Vec<Vec<AppName>>,
    /// A promotion under way, which has to end first.
    pub in_flight: Option<PromotionId>,
    /// Whether what serves is adopted and was there before promoter.
    pub is_adopted: bool,
    /// Whether there is a record, even if nothing is left.
    pub is_recorded: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// All of it is gone.
    Gone(Removal),
    /// There was nothing.
    Nothing,
    /// A promotion is under way.
    InFlight(PromotionId),
    /// What serves is not promoter's: it has to be given back first.
    Adopted,
    /// A person stopped it.
    Stopped,
}

impl Engine {
    /// What would go. Writes nothing.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn removal(&self) -> Result<Removal, EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        let plans = self.plans_of(&record).await?;
        self.removal_of(&record, &plans).await
    }

    async fn removal_of(
        &self,
        record: &GroupRecord,
        plans: &[Plan],
    ) -> Result<Removal, EngineError> {
        let serving = record.serving.as_ref();
        let serving = plans
            .iter()
            .find(|plan| Some(&plan.release) == serving.map(|s| &s.release));
        let owned = self
            .standing_of(plans)
            .await
            .map_err(EngineError::Cluster)?;
        let (stays, goes): (Vec<_>, Vec<_>) = owned
            .iter()
            .map(Object::reference)
            .partition(|object| is_kept(&object.kind));
        Ok(Removal {
            goes,
            stays,
            is_adopted: serving.is_some_and(|plan| plan.adopted.is_some()),
            is_recorded: record.serving.is_some()
                || record.removing.is_some()
                || !record.outcomes.is_empty(),
            levels: serving.map(Plan::teardown_order).unwrap_or_default(),
            in_flight: record
                .in_flight
                .as_ref()
                .map(|promotion| promotion.id.clone()),
        })
    }

    /// Takes the group out of the cluster.
    ///
    /// # Errors
    /// Somebody else holds the lock, something does not go, or the cluster does not
    /// answer; the next one goes on.
    pub async fn remove(
        &self,
        actor: &str,
        stop: CancellationToken,
    ) -> Result<Removed, EngineError> {
        let lock = self.lock(actor).await?;
        let removed = self.remove_locked(&lock, &stop).await;
        self.unlock(&lock).await;
        removed
    }

    async fn remove_locked(
        &self,
        lock: &Lock,
        stop: &CancellationToken,
    ) -> Result<Removed, EngineError> {
        let mut record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        let plans = self.plans_of(&record).await?;
        let removal = self.removal_of(&record, &plans).await?;
        if let Some(promotion) = removal.in_flight {
            return Ok(Removed::InFlight(promotion));
        }
        if removal.is_adopted {
            return Ok(Removed::Adopted);
        }
        if removal.goes.is_empty() && record.serving.is_none() && record.outcomes.is_empty() {
            self.ledger
                .forget_group(lock.epoch)
                .await
                .map_err(EngineError::Cluster)?;
            return Ok(Removed::Nothing);
        }
        record.removing = Some(lock.holder.clone());
        let written = self.ledger.write(lock.epoch, &record).await;
        written.map_err(EngineError::Cluster)?;
        self.record(
            None,
            Fact::Removing {
                by: lock.holder.clone(),
            },
        );
        self.end_runs(lock, &plans, stop).await?;
        if stop.is_cancelled() {
            return Ok(Removed::Stopped);
        }
        let lets_in = |object: &Object| {
            let roles = [Role::Active, Role::Shared];
            roles
                .iter()
                .any(|role| object.label(ROLE) == Some(role.as_str()))
        };
        self.delete(lock, &plans, lets_in).await?;
        for level in removal.levels.iter().map(Some).chain([None]) {
            self.take_down(lock, level, &plans, stop).await?;
            if stop.is_cancelled() {
                return Ok(Removed::Stopped);
            }
        }
        self.delete(lock, &plans, |_| true).await?;
        self.ledger
            .forget_group(lock.epoch)
            .await
            .map_err(EngineError::Cluster)?;
        self.record(None, Fact::Removed);
        Ok(Removed::Gone(removal))
    }

    /// Lets no `CronJob` make another Job, and waits for those that were made: what they
    /// call stands until then.
    async fn end_runs(
        &self,
        lock: &Lock,
        plans: &[Plan],
        stop: &CancellationToken,
    ) -> Result<(), EngineError> {
        if plans.iter().all(|plan| plan.crons().next().is_none()) {
            return Ok(());
        }
        self.suspend_crons(lock.epoch)
            .await
            .map_err(EngineError::Cluster)?;
        let mut rest = self.rest(plans.iter().map(Plan::cron_time));
        loop {
            let observed = self.cluster.observe().await.map_err(EngineError::Cluster)?;
            let runs = observed.cron_runs.iter().filter(|run| !run.ended);
            let left: Vec<_> = runs.map(|run| run.name.clone()).collect();
            if left.is_empty() || stop.is_cancelled() {
                return Ok(());
            }
            let wait_for = format!("Jobs to end: {}", left.join(", "));
            self.wait_for_rest(&mut rest, wait_for, stop).await?;
        }
    }

    /// Deletes the Deployments of some apps, of all that are left if none are named,
    /// and waits for their pods.
    async fn take_down(
        &self,
        lock: &Lock,
        level: Option<&Vec<AppName>>,
        plans: &[Plan],
        stop: &CancellationToken,
    ) -> Result<(), EngineError> {
        let mut rest = self.rest(plans.iter().map(Plan::teardown_time));
        let of_level = |app: &AppName| level.is_none_or(|level| level.contains(app));
        loop {
            let observed = self.cluster.observe().await.map_err(EngineError::Cluster)?;
            let standing = observed.deployments.iter().filter(|d| of_level(&d.app));
            let deletions = standing.filter(|d| !d.deleting).map(|found| async {
                let object = ObjectRef::new("apps/v1", "Deployment", &found.name);
                self.cluster.delete(lock.epoch, &object, &found.uid).await
            });
            try_join_all(deletions)
                .await
                .map_err(EngineError::Cluster)?;
            let pods = observed.pods.iter().filter_map(|pod| pod.app.as_ref());
            let stand = observed.deployments.iter().map(|found| &found.app);
            let left = pods.chain(stand).filter(|app| of_level(app));
            let left: BTreeSet<_> = left.cloned().collect();
            if left.is_empty() || stop.is_cancelled() {
                return Ok(());
            }
            let names: Vec<_> = left.iter().map(ToString::to_string).collect();
            let wait_for = format!("Deployments and pods of {} to go", names.join(", "));
            self.wait_for_rest(&mut rest, wait_for, stop).await?;
        }
    }

    /// Deletes what of the group this holds of, but for its Deployments and what is
    /// never deleted.
    async fn delete(
        &self,
        lock: &Lock,
        plans: &[Plan],
        goes: impl Fn(&Object) -> bool,
    ) -> Result<(), EngineError> {
        let owned = self
            .standing_of(plans)
            .await
            .map_err(EngineError::Cluster)?;
        let is_pods = |object: &Object| object.kind() == "Deployment";
        let going = owned
            .iter()
            .filter(|o| goes(o) && !is_pods(o) && !is_kept(o.kind()));
        let deleted = self.delete_found(lock.epoch, going).await;
        deleted.map_err(EngineError::Cluster)
    }

    /// The group's objects of all kinds, its pods' owners included.
    async fn standing_of(&self, plans: &[Plan]) -> Result<Vec<Object>, ClusterError> {
        let mut kinds = kinds(plans.iter());
        kinds.insert(("apps/v1".to_owned(), "Deployment".to_owned()));
        kinds.insert(("batch/v1".to_owned(), "Job".to_owned()));
        kinds.insert((policy::API_VERSION.to_owned(), policy::KIND.to_owned()));
        self.belongings(kinds).await
    }
}
