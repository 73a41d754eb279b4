//! Server-side apply: of objects whole, of active Services all but what the
//! switch moves.
//!
//! Selector, ports and type of an active Service belong to the switch's field
//! manager alone. Were they applied with the rest, a promotion that changes a
//! port would conflict with the patch that moved it last.

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::whole::Whole;
use super::{Kubernetes, error, resource};
use crate::plan::label::{self, FIELD_MANAGER, Role, SWITCH_MANAGER, SWITCHED_FIELDS};
use crate::plan::object::{Object, ObjectRef, entry};
use crate::plan::survey::Trial;
use crate::port::ClusterError;

/// How often an object is applied that somebody changes at the same moment.
const TRIES: usize = 5;

/// A version that no object has, as the store counts from it. What is applied
/// from it is made if it is not there, and else refused: a request that arrives
/// late changes nothing that a successor made meanwhile.
const NONE_YET: &str = "1";

impl Kubernetes {
    /// The object of that address, whoever it belongs to.
    pub(super) async fn find_object(
        &self,
        object: &ObjectRef,
    ) -> Result<Option<Object>, ClusterError> {
        let api = self.api_of(object).await?;
        let found = api.get_opt(&object.name).await;
        let found = found.map_err(|error| error::from(&format!("read {object}"), error))?;
        Ok(found.map(|found| found.into_object(&object.api_version, &object.kind)))
    }

    /// What the server would say to an object; `found` is what has its name, which
    /// may be about to be adopted.
    pub(super) async fn try_one(
        &self,
        object: &Object,
        found: Option<&Object>,
        is_adopted: bool,
    ) -> Result<Trial, ClusterError> {
        let is_foreign = found.is_some_and(|found| !found.is_owned_by(self.group.as_str()));
        if is_foreign && !is_adopted {
            return Ok(Trial::Foreign);
        }
        let mut object = object.clone();
        if is_foreign {
            // Taking it over takes that along.
            entry(&mut object.0, &["metadata", "labels"]).remove(label::MANAGED_BY);
        }
        if object.label(label::ROLE) == Some(Role::Colored.as_str()) && object.kind() == "Service" {
            // Made of what the server takes as the active Service.
            return Ok(Trial::Taken);
        }
        match self.apply_with(&object, found.is_some(), true).await {
            Ok(_) => Ok(Trial::Taken),
            Err(ClusterError::Conflict { reason, .. }) => Ok(Trial::Conflict(reason)),
            Err(ClusterError::Refused { reason, .. }) => Ok(Trial::Refused(reason)),
            Err(error) => Err(error),
        }
    }

    /// Applies an object, never forced against others, never onto one that is not
    /// the group's, and from exactly the state that is found.
    pub(super) async fn apply_object(&self, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let mut found = self.known(&reference).await?;
        for _ in 0..TRIES {
            let is_foreign = |found: &Object| !found.is_owned_by(self.group.as_str());
            if found.as_ref().is_some_and(is_foreign) {
                return Err(ClusterError::Foreign { object: reference });
            }
            let object = match &found {
                None => at_version(object.clone(), Some(NONE_YET)),
                // Its stamp tells whether somebody else has the lock.
                Some(_) if is_active(object) => object.clone(),
                Some(found) => at_version(object.clone(), version_of(found)),
            };
            match self.apply_with(&object, found.is_some(), false).await {
                // Whoever keeps its status up to date did so meanwhile.
                Err(ClusterError::Moved { .. }) => found = self.find_object(&reference).await?,
                applied => return applied,
            }
        }
        Err(ClusterError::Moved {
            action: format!("apply {reference}"),
        })
    }

    async fn apply_with(
        &self,
        object: &Object,
        is_there: bool,
        dry_run: bool,
    ) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let api = self.api_of(&reference).await?;
        let by = |manager: &str| PatchParams {
            dry_run,
            ..resource::patched_by(manager)
        };
        match (is_active(object), is_there) {
            // One that an earlier promotion left goes before this is made, so what
            // it is says nothing about this.
            (false, true) if dry_run && object.kind() == "Deployment" => {
                let object = under_a_free_name(object);
                patch(&api, &object, &by(FIELD_MANAGER)).await
            }
            (false, _) => patch(&api, object, &by(FIELD_MANAGER)).await,
            (true, true) => {
                let object = without_switched(object);
                match patch(&api, &object, &by(FIELD_MANAGER)).await {
                    // What the switch's manager made, and had no time to give up.
                    Err(ClusterError::Conflict { reason, .. }) if is_with_ourselves(&reason) => {
                        patch(&api, &object, &by(FIELD_MANAGER).force()).await
                    }
                    applied => applied,
                }
            }
            (true, false) if dry_run => patch(&api, object, &by(SWITCH_MANAGER)).await,
            (true, false) => {
                // The server takes no Service without ports, so the switch's manager
                // makes it whole and then keeps only what it moves.
                let made = patch(&api, object, &by(SWITCH_MANAGER)).await?;
                let rest = at_version(without_switched(object), version_of(&made));
                let made = patch(&api, &rest, &by(FIELD_MANAGER)).await?;
                let moved = at_version(only_switched(object), version_of(&made));
                patch(&api, &moved, &by(SWITCH_MANAGER)).await
            }
        }
    }
}

async fn patch(
    api: &Api<Whole>,
    object: &Object,
    params: &PatchParams,
) -> Result<Object, ClusterError> {
    let reference = object.reference();
    let applied = api
        .patch(&reference.name, params, &Patch::Apply(&object.0))
        .await;
    let applied = applied.map_err(|error| error::from_apply(&reference, error))?;
    Ok(applied.into_object(&reference.api_version, &reference.kind))
}

/// The object, to be applied from that version alone.
fn at_version(mut object: Object, version: Option<&str>) -> Object {
    if let Some(version) = version {
        object.0["metadata"]["resourceVersion"] = version.into();
    }
    object
}

/// The version of an object that was read.
pub(super) fn version_of(found: &Object) -> Option<&str> {
    found.str_at("/metadata/resourceVersion")
}

fn is_active(object: &Object) -> bool {
    object.label(label::ROLE) == Some(Role::Active.as_str())
}

/// Whether a conflict is only with the switch's manager, and not about who has
/// the lock.
fn is_with_ourselves(reason: &str) -> bool {
    let mut others = reason.split("with \"").skip(1).peekable();
    let ours = format!("{SWITCH_MANAGER}\"");
    let is_named = others.peek().is_some();
    is_named && others.all(|other| other.starts_with(&ours)) && !reason.contains(label::FENCE)
}

fn under_a_free_name(object: &Object) -> Object {
    let mut object = object.clone();
    object.0["metadata"]["name"] = format!("{}-anew", object.name()).into();
    object
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_switch_owns_is_taken_from_it() {
        let ours = "Apply failed with 1 conflict: conflict with \"promoter-switch\" using v1: \
                    .metadata.annotations.team";
        assert!(ours.contains(SWITCH_MANAGER));
        for (reason, expected) in [
            (ours.to_owned(), true),
            (
                format!("{ours} conflicts with \"helm\" using v1: - .spec"),
                false,
            ),
            (ours.replace(SWITCH_MANAGER, "helm"), false),
            (ours.replace("team", label::FENCE), false),
            ("no words about anybody".to_owned(), false),
        ] {
            assert_eq!(is_with_ourselves(&reason), expected, "{reason}");
        }
    }
}
