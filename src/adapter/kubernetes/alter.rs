//! Objects that others write as well: looked at whole, and changed from exactly the
//! state that was found.

use kube::api::{ListParams, Patch};
use serde_json::Value;

use super::{Kubernetes, error, resource};
use crate::plan::label::{FIELD_MANAGER, SWITCH_MANAGER};
use crate::plan::object::{Object, entry};
use crate::port::ClusterError;

impl Kubernetes {
    /// Objects of a kind that a list names.
    pub(super) async fn listed(
        &self,
        api_version: &str,
        kind: &str,
        which: &ListParams,
    ) -> Result<Vec<Object>, ClusterError> {
        let api = self.api(api_version, kind).await?;
        let found = api.list(which).await;
        let found = found.map_err(|error| error::from(&format!("list {kind}s"), error))?;
        let found = found.into_iter();
        Ok(found
            .map(|item| item.into_object(api_version, kind))
            .collect())
    }

    /// Merges a patch into an object that is of that uid and version. What a Service
    /// selects is the switch's from then on.
    pub(super) async fn alter_object(
        &self,
        found: &Object,
        patch: &Value,
    ) -> Result<Object, ClusterError> {
        let object = found.reference();
        let action = format!("change {object}");
        let mut patch = patch.clone();
        let metadata = entry(&mut patch, &["metadata"]);
        for field in ["uid", "resourceVersion"] {
            let value = found.at(&format!("/metadata/{field}")).cloned();
            metadata.insert(field.to_owned(), value.unwrap_or_default());
        }
        let manager = match found.kind() {
            "Service" => SWITCH_MANAGER,
            _ => FIELD_MANAGER,
        };
        let api = self.api_of(&object).await?;
        let params = resource::patched_by(manager);
        match api.patch(&object.name, &params, &Patch::Merge(patch)).await {
            Ok(now) => Ok(now.into_object(&object.api_version, &object.kind)),
            Err(error) if error::is_conflict(&error) || error::is_not_found(&error) => {
                Err(ClusterError::Moved { action })
            }
            Err(error) => Err(error::from(&action, error)),
        }
    }
}
