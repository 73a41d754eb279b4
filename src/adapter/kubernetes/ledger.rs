//! The group's record in its `DeploymentGroup`, and what else is agreed on.

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::ResourceExt;
use kube::api::{DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{Kubernetes, crd, error, plans};
use crate::plan::Plan;
use crate::plan::config::ConfigKey;
use crate::plan::fingerprint::PlanId;
use crate::plan::label::{self, FIELD_MANAGER, Role, SWITCH_MANAGER};
use crate::port::{ClusterError, Epoch, Ledger, LockError};
use crate::promotion::phase::Phase;
use crate::promotion::record::GroupRecord;

/// Most bytes of a record (design: capped, as history does not belong into etcd).
const LARGEST: usize = 64 * 1024;

/// How long taking the lock, or giving it back, may take.
const PATIENCE: Duration = Duration::from_secs(30);

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

    async fn acquire(&self, holder: &str) -> Result<Epoch, LockError> {
        let acquired = tokio::time::timeout(PATIENCE, self.take_lock(holder)).await;
        let silent = || LockError::Cluster(error::no_answer("take the group's lock", PATIENCE));
        acquired.unwrap_or_else(|_| Err(silent()))
    }

    async fn release(&self, epoch: Epoch) -> Result<(), ClusterError> {
        *self.record.lock().await = None;
        let freed = tokio::time::timeout(PATIENCE, self.free_lease(epoch)).await;
        freed.unwrap_or_else(|_| Err(error::no_answer("give the group's lock back", PATIENCE)))
    }

    async fn write(&self, epoch: Epoch, record: &GroupRecord) -> Result<(), ClusterError> {
        let mut cached = self.record.lock().await;
        let mut object = match cached.as_ref() {
            Some(cached) => cached.object.clone(),
            None => return Err(ClusterError::Fenced),
        };
        object.data["status"] = status(epoch, record)?;
        let written = self.fenced(epoch, async {
            match self
                .groups()
                .replace_status(self.group.as_str(), &params(), &object)
                .await
            {
                Ok(written) => Ok(written),
                // Somebody deleted it: production does not depend on it, it is made again.
                Err(error) if error::is_not_found(&error) => {
                    let mut made = self.found_or_made().await?;
                    made.data["status"] = object.data["status"].clone();
                    let written = self
                        .groups()
                        .replace_status(self.group.as_str(), &params(), &made)
                        .await;
                    written.map_err(|error| error::from("write the DeploymentGroup", error))
                }
                // Only a later holder writes it beside us.
                Err(kube::Error::Api(status)) if status.code == 409 => Err(ClusterError::Fenced),
                Err(error) => Err(error::from("write the DeploymentGroup", error)),
            }
        });
        let object = written.await?;
        *cached = Some(Cached {
            object,
            record: record.clone(),
        });
        Ok(())
    }

    async fn store_plan(&self, epoch: Epoch, plan: &Plan) -> Result<(), ClusterError> {
        self.fenced(epoch, plans::store(self, plan)).await
    }

    async fn plan(&self, id: &PlanId) -> Result<Option<Plan>, ClusterError> {
        plans::load(self, id).await
    }

    async fn forget_plans(&self, epoch: Epoch, except: &[PlanId]) -> Result<(), ClusterError> {
        self.fenced(epoch, plans::forget(self, except)).await
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
        let object = self.found_or_made().await.map_err(LockError::Cluster)?;
        let services = self.active_services().await.map_err(LockError::Cluster)?;
        let stamped = services
            .iter()
            .filter_map(|service| service.annotations().get(label::FENCE)?.parse().ok());
        let noted = object.data.pointer("/status/fence").and_then(Value::as_u64);
        let epoch = self
            .take_lease(holder, stamped.chain(noted).max().unwrap_or(0))
            .await?;
        if let Err(error) = self.take_over(epoch).await {
            // Nobody waits for the lock of one who cannot use it.
            if let Err(error) = self.free_lease(epoch).await {
                tracing::warn!(%error, "failed to give the group's lock back");
            }
            return Err(LockError::Cluster(error));
        }
        Ok(epoch)
    }

    fn groups(&self) -> Api<DynamicObject> {
        Api::namespaced_with(
            self.client.clone(),
            self.namespace.as_str(),
            &crd::resource(),
        )
    }

    async fn found_or_made(&self) -> Result<DynamicObject, ClusterError> {
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
        match self.groups().create(&params(), &object).await {
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
        let found = api.list(&ListParams::default().labels(&selector)).await;
        Ok(found
            .map_err(|error| error::from("list the active Services", error))?
            .items)
    }

    /// Stamps what is there now: until the lock was taken, the holder before
    /// may have written the record, or made Services.
    async fn take_over(&self, epoch: Epoch) -> Result<(), ClusterError> {
        let object = self.found_or_made().await?;
        let services = self.active_services().await?;
        self.stamp(epoch, object, &services).await
    }

    /// Writes the epoch wherever a patch of an earlier holder could still arrive.
    async fn stamp(
        &self,
        epoch: Epoch,
        mut object: DynamicObject,
        services: &[Service],
    ) -> Result<(), ClusterError> {
        let api: Api<Service> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let manager = PatchParams {
            field_manager: Some(SWITCH_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let mark = json!({ "metadata": { "annotations": { label::FENCE: epoch.0.to_string() } } });
        let patch = Patch::Merge(&mark);
        let patches = services.iter().map(|service| {
            let name = service.name_any();
            let (api, manager, patch) = (&api, &manager, &patch);
            async move {
                let stamped = api.patch(&name, manager, patch).await;
                stamped.map_err(|error| error::from(&format!("stamp Service {name}"), error))
            }
        });
        self.fenced(epoch, futures::future::try_join_all(patches))
            .await?;
        let record = record_of(&object)?;
        object.data["status"] = status(epoch, &record)?;
        let written = self.fenced(epoch, async {
            let written = self
                .groups()
                .replace_status(self.group.as_str(), &params(), &object)
                .await;
            written.map_err(|error| error::from("stamp the DeploymentGroup", error))
        });
        *self.record.lock().await = Some(Cached {
            object: written.await?,
            record,
        });
        Ok(())
    }
}

fn params() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}

/// The record inside a `DeploymentGroup`.
pub(super) fn record_of(object: &DynamicObject) -> Result<GroupRecord, ClusterError> {
    let Some(record) = object.data.pointer("/status/record") else {
        return Ok(GroupRecord::default());
    };
    serde_json::from_value(record.clone()).map_err(|error| ClusterError::Refused {
        action: format!("read the record of DeploymentGroup {}", object.name_any()),
        reason: error.to_string(),
    })
}

/// What people see in columns, beside the record itself.
fn status(epoch: Epoch, record: &GroupRecord) -> Result<Value, ClusterError> {
    let refused = |reason: String| ClusterError::Refused {
        action: "write the DeploymentGroup".to_owned(),
        reason,
    };
    let mut bounded = record.clone();
    let record = loop {
        let value = serde_json::to_value(&bounded).map_err(|error| refused(error.to_string()))?;
        if value.to_string().len() <= LARGEST || bounded.outcomes.pop().is_none() {
            break value;
        }
    };
    let last = bounded.outcomes.first();
    let phase = bounded
        .in_flight
        .as_ref()
        .map(|promotion| (promotion.phase, promotion.phase_since));
    let phase = phase.or_else(|| last.map(|outcome| (outcome.phase, outcome.ended_at)));
    let reasons = match &bounded.in_flight {
        Some(promotion) => &promotion.reasons[..],
        None => last.map_or(&[][..], |outcome| &outcome.reasons),
    };
    let mut status = json!({
        "fence": epoch.0,
        "record": record,
        "verdict": verdict(&bounded),
        "reason": reasons.first().map(|reason| reason.text.clone()),
    });
    if let Some((phase, since)) = phase {
        status["phase"] = phase.to_string().into();
        status["since"] = since.to_string().into();
    }
    if let Some(serving) = &bounded.serving {
        status["color"] = serving.color.as_str().into();
        status["release"] = serving.release.short().into();
    }
    Ok(status)
}

/// What the checks of the last promotion said, in a word.
fn verdict(record: &GroupRecord) -> String {
    if record
        .in_flight
        .as_ref()
        .is_some_and(|promotion| promotion.phase < Phase::Promoting)
    {
        return "pending".to_owned();
    }
    let Some(outcome) = record.outcomes.first() else {
        return "none".to_owned();
    };
    let worst = outcome.checks.iter().map(|check| check.verdict).max();
    worst.map_or_else(|| "untested".to_owned(), |verdict| verdict.to_string())
}
