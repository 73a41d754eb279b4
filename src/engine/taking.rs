//! Taking over what stood before promoter came, and giving it back: the changes
//! that its plan names, each made from exactly the state that is found.
//!
//! Any of it may have been done before, be it by a promoter that was killed.

use futures::future::try_join_all;
use serde_json::{Value, json};

use super::Engine;
use super::drive::Drive;
use super::perform::some_at_once;
use crate::plan::Plan;
use crate::plan::label::{self, PROMOTION, Role};
use crate::plan::object::{Object, entry};
use crate::plan::taking::{Adopted, Taking, is_done, pod_labels};
use crate::port::{ClusterError, Epoch};
use crate::promotion::Mark;
use crate::promotion::event::Fact;
use crate::promotion::observed::Observed;

/// How often an object is looked at again that others change meanwhile.
const TRIES: usize = 5;
const POD: (&str, &str) = ("v1", "Pod");

impl Drive {
    fn adopted(&self) -> Option<(&Plan, &Adopted)> {
        let plan = self.replaced.as_ref()?;
        Some((plan, plan.adopted.as_ref()?))
    }

    /// From here on nobody's new template rolls out.
    pub(super) async fn pause_adopted(&self) -> Result<(), ClusterError> {
        let adopted = self.adopted().into_iter();
        let deployments = adopted.flat_map(|(_, adopted)| adopted.deployments());
        let engine = &self.engine;
        some_at_once(deployments.map(|taking| engine.take(self.epoch, taking))).await?;
        Ok(())
    }

    /// Pods first, then the colour's Services, so that what serves is seen whole; the
    /// user's Services are narrowed to these very pods.
    pub(super) async fn take_over(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let Some((plan, adopted)) = self.adopted() else {
            return Ok(());
        };
        let (engine, epoch) = (&self.engine, self.epoch);
        engine.label_pods(epoch, plan, adopted).await?;
        let colored: Vec<_> = plan.services().map(|service| &service.colored).collect();
        let new = colored
            .iter()
            .filter(|colored| observed.service(colored.name()).is_none());
        try_join_all(new.map(|colored| engine.cluster.apply(epoch, colored))).await?;
        let others = adopted.takings.iter();
        let others = others.filter(|taking| taking.object.kind != "Deployment");
        some_at_once(others.map(|taking| engine.take(epoch, taking))).await?;
        let apps = plan.app_names();
        self.mark(Mark::TakenOver);
        self.tell_once_recorded(Fact::TakenOver { apps });
        Ok(())
    }

    pub(super) async fn label_pods_anew(&self) -> Result<(), ClusterError> {
        let Some((plan, adopted)) = self.adopted() else {
            return Ok(());
        };
        let engine = &self.engine;
        if engine.label_pods(self.epoch, plan, adopted).await? == 0 {
            // What stands behind a Service is told a moment late.
            engine.pause().await;
        }
        Ok(())
    }

    pub(super) async fn give_back(&mut self) -> Result<(), ClusterError> {
        if let Some((plan, _)) = self.adopted() {
            self.engine.give_back(self.epoch, plan).await?;
            let apps = plan.app_names();
            self.tell_once_recorded(Fact::GivenBack { apps });
        }
        self.mark(Mark::GivenBack);
        Ok(())
    }
}

impl Engine {
    /// Takes one object over.
    async fn take(&self, epoch: Epoch, taking: &Taking) -> Result<(), ClusterError> {
        let moved = || ClusterError::Moved {
            action: format!("take {} over", taking.object),
        };
        for _ in 0..TRIES {
            let found = self.stands(taking).await?.ok_or_else(moved)?;
            if is_done(&found, &taking.there) {
                return Ok(());
            }
            if !taking.fits(&found) {
                return Err(moved());
            }
            let patch = stamped(taking, epoch);
            match self.cluster.alter(epoch, &found, &patch).await {
                Err(ClusterError::Moved { .. }) => {}
                altered => return altered.map(drop),
            }
        }
        Err(moved())
    }

    /// What has the name and the uid, if anything does.
    async fn stands(&self, taking: &Taking) -> Result<Option<Object>, ClusterError> {
        let found = self
            .cluster
            .find(std::slice::from_ref(&taking.object))
            .await?;
        let is_it = |found: &Object| found.uid() == Some(&taking.uid);
        Ok(found.into_iter().find(is_it))
    }

    /// Labels the pods of what is adopted that have no labels yet; says how many.
    async fn label_pods(
        &self,
        epoch: Epoch,
        plan: &Plan,
        adopted: &Adopted,
    ) -> Result<usize, ClusterError> {
        let pods = self.cluster.all(&[POD]).await?;
        let takings = plan.apps.iter().flat_map(|app| {
            let labels = pod_labels(&plan.group, &app.name, plan.candidate);
            let set = adopted.sets.get(&app.name);
            let pods = pods.iter().filter(move |pod| is_of(pod, set));
            pods.map(move |pod| (pod, Taking::of(pod, &labels)))
        });
        let takings = takings.filter(|(pod, taking)| !is_done(pod, &taking.there));
        let labelled = some_at_once(takings.map(async |(_, taking)| {
            match self.take(epoch, &taking).await {
                // It has ended, and nobody counts it.
                Err(ClusterError::Moved { .. }) => Ok(()),
                taken => taken,
            }
        }));
        Ok(labelled.await?.len())
    }

    /// Makes what a plan adopted what it was found as: what leads users first, and
    /// last the Deployments, by which it is known that there is something to give back.
    pub(super) async fn give_back(&self, epoch: Epoch, plan: &Plan) -> Result<(), ClusterError> {
        let Some(adopted) = &plan.adopted else {
            return Ok(());
        };
        let is = |kind: &'static str| move |taking: &&Taking| taking.object.kind == kind;
        let takings = || adopted.takings.iter();
        let back = |taking| self.restore_one(epoch, taking);
        some_at_once(takings().filter(is("Service")).map(back)).await?;
        self.delete_colored(epoch, plan).await?;
        let others = takings().filter(|taking| !is("Service")(taking) && !is("Deployment")(taking));
        some_at_once(others.map(back)).await?;
        self.unlabel_pods(epoch).await?;
        some_at_once(takings().filter(is("Deployment")).map(back)).await?;
        Ok(())
    }

    /// Gives one object back. One that somebody made anew, or deleted, is theirs.
    async fn restore_one(&self, epoch: Epoch, taking: &Taking) -> Result<(), ClusterError> {
        let applied = [Role::Active, Role::Shared].map(Role::as_str);
        for n in 0..TRIES {
            let Some(found) = self.stands(taking).await? else {
                return Ok(());
            };
            if is_done(&found, &taking.back) {
                return Ok(());
            }
            let role = found.label(label::ROLE).unwrap_or_default();
            if n == 0 && applied.contains(&role) && found.is_owned_by(self.group.as_str()) {
                // What manifests set goes, and with it that promoter owns anything.
                self.cluster.apply(epoch, &bare(&found)).await?;
                continue;
            }
            match self.cluster.alter(epoch, &found, &taking.back).await {
                Err(ClusterError::Moved { .. }) => {}
                altered => return altered.map(drop),
            }
        }
        Err(ClusterError::Moved {
            action: format!("give {} back", taking.object),
        })
    }

    async fn delete_colored(&self, epoch: Epoch, plan: &Plan) -> Result<(), ClusterError> {
        let colored = plan.services().map(|service| service.colored.reference());
        let found = self.cluster.find(&colored.collect::<Vec<_>>()).await?;
        let group = self.group.as_str();
        let ours = found.iter();
        let ours = ours.filter(|found| found.is_of(group, Role::Colored));
        try_join_all(ours.map(|found| async {
            let uid = found.uid().unwrap_or_default();
            self.cluster.delete(epoch, &found.reference(), uid).await
        }))
        .await?;
        Ok(())
    }

    async fn unlabel_pods(&self, epoch: Epoch) -> Result<(), ClusterError> {
        let kinds = [POD].map(|(api, kind)| (api.to_owned(), kind.to_owned()));
        let pods = self.cluster.owned(&kinds).await?;
        let adopted = pods
            .iter()
            .filter(|pod| pod.label(PROMOTION) == Some(label::ADOPTED));
        let takings: Vec<_> = adopted.map(Taking::of_pod_taken).collect();
        some_at_once(takings.iter().map(|taking| self.restore_one(epoch, taking))).await?;
        Ok(())
    }
}

/// What of an object promoter has to say, for it to be the group's still.
fn bare(found: &Object) -> Object {
    let mut bare = Object(json!({
        "apiVersion": found.api_version(),
        "kind": found.kind(),
        "metadata": { "name": found.name() },
    }));
    for key in [label::GROUP, label::ROLE] {
        bare.set_label(key, found.label(key).unwrap_or_default());
    }
    bare
}

/// The patch with the stamp of the lock where later patches test it.
fn stamped(taking: &Taking, epoch: Epoch) -> Value {
    let mut patch = taking.there.clone();
    if taking.object.kind == "Service" {
        let annotations = entry(&mut patch, &["metadata", "annotations"]);
        annotations.insert(label::FENCE.into(), epoch.0.to_string().into());
    }
    patch
}

/// Whether a pod is of that `ReplicaSet`.
fn is_of(pod: &Object, set: Option<&String>) -> bool {
    let owners = pod
        .at("/metadata/ownerReferences")
        .and_then(Value::as_array);
    let mut owners = owners.into_iter().flatten();
    let of_set =
        |owner: &Value| owner.get("uid").and_then(Value::as_str) == set.map(String::as_str);
    !pod.is_deleting() && set.is_some() && owners.any(of_set)
}
