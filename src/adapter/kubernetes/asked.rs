//! What people write into a group's `DeploymentGroup` for whoever drives it: a
//! request about the promotion under way, and a hold. Needs no lock, and changes
//! nothing by itself.

use kube::ResourceExt;
use kube::api::{DynamicObject, Patch};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::PATIENCE;
use super::ledger::all_groups;
use super::{Kubernetes, bans, error, resource, translate};
use crate::plan::label::FIELD_MANAGER;
use crate::port::ClusterError;
use crate::promotion::request::Request;
use crate::promotion::restraint::{Restraints, Statement};

impl Kubernetes {
    pub(super) async fn put_request(&self, request: &Request) -> Result<(), ClusterError> {
        let mut put = json!(request);
        // What an earlier one said would stay otherwise.
        put["reason"] = json!(request.reason);
        let found = self.put("request", put, "put the request").await?;
        if !says(&found, "request", request) {
            self.take_request(request).await?;
            return Err(of_an_older_promoter("put the request"));
        }
        Ok(())
    }

    /// Takes a request away, if it is still there.
    pub(super) async fn take_request(&self, request: &Request) -> Result<(), ClusterError> {
        let action = "withdraw the request";
        // Of an older resource the server may have dropped the rest.
        let operations = json!([
            { "op": "test", "path": "/spec/request/promotion", "value": request.promotion },
            { "op": "test", "path": "/spec/request/action", "value": request.action },
            { "op": "test", "path": "/spec/request/actor", "value": request.actor },
            { "op": "test", "path": "/spec/request/at", "value": request.at },
            { "op": "remove", "path": "/spec/request" },
        ]);
        let patch = resource::json_patch(action, operations)?;
        let (groups, manager) = (self.groups(), resource::patched_by(FIELD_MANAGER));
        let taken = groups.patch(self.group.as_str(), &manager, &patch);
        let taken = error::in_time(action, PATIENCE, taken).await?;
        match taken {
            Ok(_) => Ok(()),
            // There is none any more, or another one.
            Err(error) if error::is_invalid(&error) || error::is_not_found(&error) => Ok(()),
            Err(error) => Err(error::from_group(action, error)),
        }
    }

    /// Puts a hold there, or takes it away. A group may be held before anything of
    /// it was ever promoted.
    pub(super) async fn put_hold(&self, hold: Option<&Statement>) -> Result<(), ClusterError> {
        let action = match hold {
            Some(_) => "hold the group",
            None => "let the group go",
        };
        error::in_time(action, PATIENCE, self.found_or_made()).await??;
        let found = self.put("hold", json!(hold), action).await?;
        match hold {
            Some(hold) if !says(&found, "hold", hold) => Err(of_an_older_promoter(action)),
            _ => Ok(()),
        }
    }

    /// What keeps releases from users: by the watch, or as the server has it now.
    pub(super) async fn find_restraints(&self) -> Result<Restraints, ClusterError> {
        if let Some(watch) = self.watching() {
            return Ok(translate::restraints(watch.stores().await?));
        }
        let groups = async {
            match all_groups(&self.groups()).await {
                // Planning is possible before anything was installed.
                Err(ClusterError::NotInstalled) => Ok(Vec::new()),
                found => found,
            }
        };
        let bans = bans::read(&self.client, &self.namespace);
        let (groups, bans) = tokio::try_join!(groups, bans)?;
        let mut own = groups.iter();
        let own = own.find(|found| found.name_any() == self.group.as_str());
        Ok(Restraints {
            hold: own.and_then(translate::hold),
            bans,
            groups: translate::standings(groups.iter()),
        })
    }

    async fn put(
        &self,
        field: &str,
        value: Value,
        action: &str,
    ) -> Result<DynamicObject, ClusterError> {
        let spec = Patch::Merge(json!({ "spec": { field: value } }));
        let manager = resource::patched_by(FIELD_MANAGER);
        let groups = self.groups();
        let put = groups.patch(self.group.as_str(), &manager, &spec);
        let put = error::in_time(action, PATIENCE, put).await?;
        put.map_err(|error| match error {
            error if error::is_invalid(&error) => of_an_older_promoter(action),
            error => error::from_group(action, error),
        })
    }
}

/// Whether it is there as it was put: a resource of an older promoter drops what it
/// does not know, and says nothing.
fn says<T: Serialize + DeserializeOwned + PartialEq>(
    found: &DynamicObject,
    field: &str,
    put: &T,
) -> bool {
    let there = found.data.pointer(&format!("/spec/{field}")).cloned();
    let there = there.and_then(|there| serde_json::from_value::<T>(there).ok());
    there.as_ref() == Some(put)
}

fn of_an_older_promoter(action: &str) -> ClusterError {
    ClusterError::Refused {
        action: action.to_owned(),
        reason: "the DeploymentGroup resource in the cluster is of an older promoter; \
                 run `promoter install`"
            .to_owned(),
    }
}
