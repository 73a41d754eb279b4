//! Deleting what nobody needs any more: only ever the group's own objects.

use std::collections::BTreeSet;

use futures::future::try_join_all;

use super::Engine;
use super::drive::Drive;
use crate::plan::Plan;
use crate::plan::cron;
use crate::plan::kind::is_kept;
use crate::plan::label::{PROMOTION, ROLE, Role};
use crate::plan::object::{Object, ObjectRef};
use crate::port::{ClusterError, Epoch};
use crate::promotion::Mark;
use crate::promotion::observed::Observed;
use crate::promotion::phase::Phase;

/// Kinds that promoter makes whatever the manifests say. Walls are found by the watch.
const ALWAYS: [(&str, &str); 4] = [
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("policy/v1", "PodDisruptionBudget"),
];

impl Engine {
    /// The group's objects of these kinds, but for promoter's own books.
    pub(super) async fn belongings(
        &self,
        kinds: BTreeSet<(String, String)>,
    ) -> Result<Vec<Object>, ClusterError> {
        let kinds: Vec<_> = kinds.into_iter().collect();
        let mut owned = self.cluster.owned(&kinds).await?;
        owned.retain(|object| object.is_owned_by(self.group.as_str()) && is_prunable(object));
        Ok(owned)
    }

    /// Deletes exactly these objects.
    pub(super) async fn delete_found<'a>(
        &self,
        epoch: Epoch,
        found: impl Iterator<Item = &'a Object>,
    ) -> Result<(), ClusterError> {
        try_join_all(found.map(|object| async move {
            let uid = object.uid().unwrap_or_default();
            self.cluster.delete(epoch, &object.reference(), uid).await
        }))
        .await?;
        Ok(())
    }
}

impl Drive {
    /// Deletes the group's objects that the plan which serves does not name.
    ///
    /// Once it is promoted, the Services of the colour before it wait for that
    /// colour's next pods: to make them anew costs the API server four times as much,
    /// right when pods are to start (measured). Those of an abort go with it.
    pub(super) async fn prune(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let aborting = self.promotion.phase == Phase::Aborting;
        if aborting && self.promotion.replaces.is_some() && self.replaced.is_none() {
            // Whatever serves is not known, so nothing is known not to be needed.
            self.mark(Mark::Pruned);
            return Ok(());
        }
        let stays = if aborting {
            self.replaced.as_ref()
        } else {
            Some(&self.plan)
        };
        let needed: BTreeSet<ObjectRef> =
            stays.map(Plan::inventory).into_iter().flatten().collect();
        let idle = (!aborting).then(|| self.plan.idle_services());
        let idle: BTreeSet<_> = idle.into_iter().flatten().collect();
        let plans = std::iter::once(&self.plan).chain(&self.replaced);
        let mut kinds = kinds(plans);
        kinds.retain(|(_, kind)| kind != "Deployment");
        let owned = self.engine.belongings(kinds).await?;
        let goes = |object: &&Object| {
            let is_idle = object.label(ROLE) == Some(Role::Colored.as_str())
                && idle.contains(&object.reference());
            !needed.contains(&object.reference())
                && !is_idle
                && !is_kept(object.kind())
                && !self.is_linked(object, aborting)
                && !self.is_running(object, observed)
        };
        try_join_all(owned.iter().filter(goes).map(|object| async {
            let cluster = &self.engine.cluster;
            // Its colour may get it back before a deletion arrives that is late.
            if object.kind() == "Service" {
                return cluster.delete_unchanged(self.epoch, object).await;
            }
            let uid = object.uid().unwrap_or_default();
            cluster.delete(self.epoch, &object.reference(), uid).await
        }))
        .await?;
        self.mark(Mark::Pruned);
        Ok(())
    }

    /// Whether Jobs would go with it that an earlier promotion's colour began and that
    /// did not end in time. The next promotion of the colour waits for them.
    fn is_running(&self, object: &Object, observed: &Observed) -> bool {
        let made_by = object.label(PROMOTION);
        let is_own = made_by == Some(self.promotion.id.as_ref());
        let mut runs = observed.cron_runs.iter().filter(|run| !run.ended);
        object.kind() == cron::KIND
            && !is_own
            && runs.any(|run| Some(run.promotion.as_str()) == made_by)
    }

    /// Whether pods that serve take their variables from it. Which promotion made
    /// what served before is not known here, only that it was not this one.
    fn is_linked(&self, object: &Object, aborting: bool) -> bool {
        let is_own = object.label(PROMOTION) == Some(self.promotion.id.as_ref());
        object.label(ROLE) == Some(Role::Links.as_str()) && is_own != aborting
    }
}

/// Kinds that plans use, and those that promoter makes whatever they say.
pub(super) fn kinds<'a>(plans: impl Iterator<Item = &'a Plan>) -> BTreeSet<(String, String)> {
    let used = plans
        .flat_map(Plan::inventory)
        .map(|object| (object.api_version, object.kind));
    let always = ALWAYS
        .iter()
        .map(|(api, kind)| ((*api).to_owned(), (*kind).to_owned()));
    used.chain(always).collect()
}

/// Plans and keys are promoter's own books, not the group's objects.
fn is_prunable(object: &Object) -> bool {
    let books = [Role::Plan, Role::Key].map(Role::as_str);
    object
        .label(ROLE)
        .is_some_and(|role| !books.contains(&role))
}
