//! Server-side apply: of objects whole, of active Services all but what the
//! switch moves.
//!
//! Selector, ports and type of an active Service belong to the switch's field
//! manager alone. Were they applied with the rest, a promotion that changes a
//! port would conflict with the patch that moved it last.

use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::{Kubernetes, error, resource};
use crate::plan::label::{self, FIELD_MANAGER, Role, SWITCH_MANAGER, SWITCHED_FIELDS};
use crate::plan::object::{Object, ObjectRef};
use crate::plan::survey::Trial;
use crate::port::ClusterError;

impl Kubernetes {
    /// The object of that address, whoever it belongs to.
    pub(super) async fn find(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        let api = self.api_of(object).await?;
        let found = api.get_opt(&object.name).await;
        let found = found.map_err(|error| error::from(&format!("read {object}"), error))?;
        Ok(found.map(|found| resource::to_object(&found, &object.api_version, &object.kind)))
    }

    /// What the server would say to an object.
    pub(super) async fn try_one(&self, object: &Object) -> Result<Trial, ClusterError> {
        match self.apply_with(object, true).await {
            Ok(_) => Ok(Trial::Taken),
            Err(ClusterError::Foreign { .. }) => Ok(Trial::Foreign),
            Err(ClusterError::Conflict { reason, .. }) => Ok(Trial::Conflict(reason)),
            Err(ClusterError::Refused { reason, .. }) => Ok(Trial::Refused(reason)),
            Err(error) => Err(error),
        }
    }

    /// Applies an object, never forced, never onto one that is not the group's.
    pub(super) async fn apply_object(&self, object: &Object) -> Result<Object, ClusterError> {
        self.apply_with(object, false).await
    }

    async fn apply_with(&self, object: &Object, dry_run: bool) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let found = self.find(&reference).await?;
        if found
            .as_ref()
            .is_some_and(|found| !found.is_owned_by(self.group.as_str()))
        {
            return Err(ClusterError::Foreign { object: reference });
        }
        let api = self.api_of(&reference).await?;
        let is_active = object.label(label::ROLE) == Some(Role::Active.as_str());
        match (is_active, found) {
            (false, _) => patch(&api, object, FIELD_MANAGER, dry_run).await,
            (true, Some(_)) => patch(&api, &without_switched(object), FIELD_MANAGER, dry_run).await,
            (true, None) if dry_run => patch(&api, object, SWITCH_MANAGER, true).await,
            (true, None) => {
                // The server takes no Service without ports, so the switch's manager
                // makes it whole and then keeps only what it moves.
                patch(&api, object, SWITCH_MANAGER, false).await?;
                patch(&api, &without_switched(object), FIELD_MANAGER, false).await?;
                patch(&api, &only_switched(object), SWITCH_MANAGER, false).await
            }
        }
    }
}

async fn patch(
    api: &Api<DynamicObject>,
    object: &Object,
    manager: &str,
    dry_run: bool,
) -> Result<Object, ClusterError> {
    let reference = object.reference();
    let params = PatchParams {
        field_manager: Some(manager.to_owned()),
        dry_run,
        ..PatchParams::default()
    };
    let applied = api
        .patch(&reference.name, &params, &Patch::Apply(&object.0))
        .await;
    let applied = applied.map_err(|error| error::from_apply(&reference, error))?;
    Ok(resource::to_object(
        &applied,
        &reference.api_version,
        &reference.kind,
    ))
}

fn without_switched(service: &Object) -> Object {
    let mut service = service.clone();
    if let Some(spec) = service.0.get_mut("spec").and_then(Value::as_object_mut) {
        spec.retain(|field, _| !SWITCHED_FIELDS.contains(&field.as_str()));
    }
    service
}

fn only_switched(service: &Object) -> Object {
    let fields = SWITCHED_FIELDS.into_iter();
    let kept = fields
        .filter_map(|field| Some((field.to_owned(), service.0.get("spec")?.get(field)?.clone())));
    Object(json!({
        "apiVersion": service.api_version(),
        "kind": service.kind(),
        "metadata": { "name": service.name() },
        "spec": kept.collect::<serde_json::Map<_, _>>(),
    }))
}
