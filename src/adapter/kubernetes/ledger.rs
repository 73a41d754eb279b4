//! The group's record in its `DeploymentGroup`, and what else is agreed on.

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Service;
use kube::api::{DeleteParams, DynamicObject, ListParams, ObjectMeta, Patch};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use super::columns::status;
use super::error::PATIENCE;
use super::{Kubernetes, crd, error, plans, resource};
use crate::group::name::{GroupName, Namespace};
use crate::plan::Plan;
use crate::plan::config::ConfigKey;
use crate::plan::fingerprint::PlanId;
use crate::plan::label::{self, Role, SWITCH_MANAGER};
use crate::port::registry::Said;
use crate::port::{ClusterError, Epoch, Ledger, LockError};
use crate::promotion::record::GroupRecord;
use crate::promotion::request::Request;
use crate::promotion::restraint::{Restraints, Statement};

/// The record as this holder wrote it last.
pub(super) struct Cached {
    object: DynamicObject,
    record: GroupRecord,
}

#[async_trait]
impl Ledger for Kubernetes {
    async fn read(&self) -> Result<GroupRecord, ClusterError> {
        if let Some(cached) = self.record.lock().await.as_ref() {
            return Ok(cached.record.clone());
        }
        let found = self.groups().get_opt(self.group.as_str()).await;
        let found = found.map_err(|error| error::from_group("read the DeploymentGroup", error))?;
        found.map_or_else(|| Ok(GroupRecord::default()), |found| record_of(&found))
    }

    async fn request(&self, request: &Request) -> Result<(), ClusterError> {
        self.put_request(request).await
    }

    async fn withdraw(&self, request: &Request) -> Result<(), ClusterError> {
        self.take_request(request).await
    }

    async fn hold(&self, hold: Option<&Statement>) -> Result<(), ClusterError> {
        self.put_hold(hold).await
    }

    async fn restraints(&self) -> Result<Restraints, ClusterError> {
        self.find_restraints().await
    }

    async fn acquire(&self, holder: &str) -> Result<Epoch, LockError> {
        let action = "take the group's lock";
        let acquired = error::in_time(action, PATIENCE, self.take_lock(holder)).await;
        acquired.map_err(LockError::Cluster)?
    }

    async fn release(&self, epoch: Epoch) -> Result<(), ClusterError> {
        *self.record.lock().await = None;
        let action = "give the group's lock back";
        error::in_time(action, PATIENCE, self.free_lease(epoch)).await?
    }

    async fn write(&self, epoch: Epoch, record: &GroupRecord) -> Result<(), ClusterError> {
        let mut cached = self.record.lock().await;
        let mut object = match cached.as_ref() {
            Some(cached) => cached.object.clone(),
            None => return Err(ClusterError::Fenced),
        };
        object.data["status"] = status(epoch, record)?;
        let object = self
            .fenced(epoch, self.replace_status(epoch, object))
            .await?;
        *cached = Some(Cached {
            object,
            record: record.clone(),
        });
        Ok(())
    }

    async fn store_plan(&self, epoch: Epoch, plan: &Plan) -> Result<(), ClusterError> {
        self.fenced(epoch, plans::store(self, epoch, plan)).await
    }

    async fn plan(&self, id: &PlanId) -> Result<Option<Plan>, ClusterError> {
        plans::load(self, &self.group, id).await
    }

    async fn serving(&self, group: &GroupName) -> Result<Option<Plan>, ClusterError> {
        let found = self.groups().get_opt(group.as_str()).await;
        let found = found.map_err(|error| error::from_group("read the DeploymentGroup", error));
        let record = match found {
            Err(ClusterError::NotInstalled) | Ok(None) => return Ok(None),
            found => found?.as_ref().map(record_of).transpose()?,
        };
        match record.and_then(|record| record.serving) {
            Some(serving) => plans::load(self, group, &serving.plan).await,
            None => Ok(None),
        }
    }

    async fn forget_plans(&self, epoch: Epoch, except: &[PlanId]) -> Result<(), ClusterError> {
        self.fenced(epoch, plans::forget(self, except)).await
    }

    async fn forget_group(&self, epoch: Epoch) -> Result<(), ClusterError> {
        self.forget_plans(epoch, &[]).await?;
        let group = async {
            let groups = self.groups();
            let deleted = groups
                .delete(self.group.as_str(), &DeleteParams::default())
                .await;
            match deleted {
                Err(error) if !error::is_not_found(&error) => {
                    Err(error::from("delete the DeploymentGroup", error))
                }
                _ => Ok(()),
            }
        };
        self.fenced(epoch, group).await?;
        *self.record.lock().await = None;
        Ok(())
    }

    async fn config_key(&self, epoch: Epoch) -> Result<ConfigKey, ClusterError> {
        if let Some(key) = plans::find_key(self).await? {
            return Ok(key);
        }
        self.fenced(epoch, plans::make_key(self)).await
    }
}

impl Kubernetes {
    async fn take_lock(&self, holder: &str) -> Result<Epoch, LockError> {
        let (object, services, lease) =
            tokio::try_join!(self.found_or_made(), self.active_services(), self.lease())
                .map_err(LockError::Cluster)?;
        let stamped = services.iter().filter_map(resource::stamp_of);
        let noted = fence_of(&object);
        let epoch = self
            .take_lease(holder, lease, stamped.chain(noted).max().unwrap_or(0))
            .await?;
        if let Err(error) = self.take_over(epoch, &services).await {
            // Nobody waits for the lock of one who cannot use it.
            if let Err(error) = self.free_lease(epoch).await {
                tracing::warn!(%error, "failed to give the group's lock back");
            }
            return Err(LockError::Cluster(error));
        }
        Ok(epoch)
    }

    /// Writes the status over whatever this holder wrote before, and never over
    /// what a later one wrote.
    async fn replace_status(
        &self,
        epoch: Epoch,
        mut object: DynamicObject,
    ) -> Result<DynamicObject, ClusterError> {
        let failed = |error| error::from("write the DeploymentGroup", error);
        let name = self.group.as_str();
        loop {
            let found = match self
                .groups()
                .replace_status(name, &resource::posted(), &object)
                .await
            {
                Ok(written) => return Ok(written),
                // Somebody deleted it: production does not depend on it, it is made again.
                Err(error) if error::is_not_found(&error) => self.found_or_made().await?,
                // A request was added to it, or the answer to our last write was lost.
                Err(error) if error::is_conflict(&error) => {
                    let found = self.groups().get(name).await.map_err(failed)?;
                    if fence_of(&found) != Some(epoch.0) {
                        return Err(ClusterError::Fenced);
                    }
                    found
                }
                Err(error) => return Err(failed(error)),
            };
            object.metadata = found.metadata;
        }
    }

    pub(super) fn groups(&self) -> Api<DynamicObject> {
        groups_in(&self.client, &self.namespace)
    }

    pub(super) async fn found_or_made(&self) -> Result<DynamicObject, ClusterError> {
        let failed = |error| error::from_group("make the DeploymentGroup", error);
        if let Some(found) = self
            .groups()
            .get_opt(self.group.as_str())
            .await
            .map_err(failed)?
        {
            return Ok(found);
        }
        let mut object =
            DynamicObject::new(self.group.as_str(), &crd::resource()).data(json!({ "spec": {} }));
        object.metadata = ObjectMeta {
            name: Some(self.group.to_string()),
            labels: Some([(label::GROUP.to_owned(), self.group.to_string())].into()),
            ..ObjectMeta::default()
        };
        match self.groups().create(&resource::posted(), &object).await {
            Err(error) if error::is_already_there(&error) => {
                self.groups().get(self.group.as_str()).await.map_err(failed)
            }
            made => made.map_err(failed),
        }
    }

    async fn active_services(&self) -> Result<Vec<Service>, ClusterError> {
        let api: Api<Service> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let selector = format!(
            "{}={},{}={}",
            label::GROUP,
            self.group,
            label::ROLE,
            Role::Active.as_str()
        );
        // From the server's cache: it lags by moments, and who could still write
        // has been silent for the length of a lock.
        let any = ListParams::default().labels(&selector).match_any();
        let found = api.list(&any).await;
        Ok(found
            .map_err(|error| error::from("list the active Services", error))?
            .items)
    }

    /// Stamps what is there now: until the lock was taken, the holder before
    /// may have written the record.
    async fn take_over(&self, epoch: Epoch, services: &[Service]) -> Result<(), ClusterError> {
        let object = self.found_or_made().await?;
        self.stamp(epoch, object, services).await?;
        let names = services.iter().map(ResourceExt::name_any);
        self.expect_stamps(epoch, names.collect()).await;
        Ok(())
    }

    /// Writes the epoch wherever a patch of an earlier holder could still arrive.
    async fn stamp(
        &self,
        epoch: Epoch,
        object: DynamicObject,
        services: &[Service],
    ) -> Result<(), ClusterError> {
        let patches = services
            .iter()
            .map(|service| self.stamp_service(epoch, service));
        let patches = futures::future::try_join_all(patches);
        let group = self.stamp_group(epoch, object);
        let stamped = Box::pin(async { tokio::try_join!(patches, group) });
        let (_, stamped) = self.fenced(epoch, stamped).await?;
        *self.record.lock().await = Some(stamped);
        Ok(())
    }

    /// Stamps the record from exactly the state that is known, as [`Self::stamp_service`].
    async fn stamp_group(
        &self,
        epoch: Epoch,
        mut object: DynamicObject,
    ) -> Result<Cached, ClusterError> {
        let failed = |error| error::from("stamp the DeploymentGroup", error);
        let (groups, name) = (self.groups(), self.group.as_str());
        loop {
            let record = record_of(&object)?;
            object.data["status"] = status(epoch, &record)?;
            match groups
                .replace_status(name, &resource::posted(), &object)
                .await
            {
                Ok(object) => return Ok(Cached { object, record }),
                // Somebody asked for a rollback since it was read.
                Err(error) if error::is_conflict(&error) => {
                    object = groups.get(name).await.map_err(failed)?;
                    if fence_of(&object) > Some(epoch.0) {
                        return Err(ClusterError::Fenced);
                    }
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Stamps one Service from exactly the state that is known: a stamp that
    /// arrives late must not take a later holder's away.
    async fn stamp_service(&self, epoch: Epoch, service: &Service) -> Result<(), ClusterError> {
        let name = service.name_any();
        let failed = |error| error::from(&format!("stamp Service {name}"), error);
        let api: Api<Service> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let manager = resource::patched_by(SWITCH_MANAGER);
        let mut version = service.resource_version();
        loop {
            let mark = json!({ "metadata": {
                "resourceVersion": version,
                "annotations": { label::FENCE: epoch.0.to_string() },
            } });
            match api.patch(&name, &manager, &Patch::Merge(&mark)).await {
                Ok(_) => return Ok(()),
                // Somebody changed it since it was listed.
                Err(error) if error::is_conflict(&error) => {
                    let found = api.get(&name).await.map_err(failed)?;
                    if resource::stamp_of(&found) > Some(epoch.0) {
                        return Err(ClusterError::Fenced);
                    }
                    version = found.resource_version();
                }
                // It was deleted meanwhile.
                Err(error) if error::is_not_found(&error) => return Ok(()),
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

/// The epoch a `DeploymentGroup` was written under last.
fn fence_of(object: &DynamicObject) -> Option<u64> {
    object.data.pointer("/status/fence").and_then(Value::as_u64)
}

/// The record inside a `DeploymentGroup`.
pub(super) fn record_of(object: &DynamicObject) -> Result<GroupRecord, ClusterError> {
    let Some(record) = object.data.pointer("/status/record") else {
        return Ok(GroupRecord::default());
    };
    GroupRecord::from_json(record.clone()).map_err(|error| ClusterError::Refused {
        action: format!("read the record of DeploymentGroup {}", object.name_any()),
        reason: Said::of(&error).0,
    })
}

/// The `DeploymentGroups` of a namespace.
pub(super) fn groups_in(client: &Client, namespace: &Namespace) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace.as_str(), &crd::resource())
}

/// All of them, as the server has them now.
pub(super) async fn all_groups(
    groups: &Api<DynamicObject>,
) -> Result<Vec<DynamicObject>, ClusterError> {
    let action = "list the DeploymentGroups";
    let all = ListParams::default();
    let found = error::in_time(action, PATIENCE, groups.list(&all)).await?;
    let found = found.map_err(|error| error::from_group(action, error))?;
    Ok(found.items)
}
