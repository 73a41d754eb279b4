//! Numbers of pods: a Deployment's, and what its autoscaler may do to it.

use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::{Kubernetes, error, resource};
use crate::plan::autoscaler::{API_VERSION, KIND};
use crate::plan::label::{self, FIELD_MANAGER};
use crate::plan::object::ObjectRef;
use crate::port::{ClusterError, Epoch};
use crate::promotion::Raise;

impl Kubernetes {
    /// Raises a Deployment from the named generation. Where that is over, looks
    /// whether it was this very raise that ended it.
    pub(super) async fn raise_deployment(
        &self,
        epoch: Epoch,
        raise: &Raise,
    ) -> Result<i64, ClusterError> {
        let action = format!("raise Deployment {}", raise.deployment);
        let moved = || ClusterError::Moved {
            action: action.clone(),
        };
        let patch = resource::json_patch(&action, raise_patch(epoch, raise))?;
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let params = resource::patched_by(FIELD_MANAGER);
        let patched = api.patch(&raise.deployment, &params, &patch).await;
        let now = match patched {
            Ok(raised) => raised,
            // A test of the patch does not hold.
            Err(error) if error::is_invalid(&error) => {
                let found = api.get_opt(&raise.deployment).await;
                let found = found.map_err(|error| error::from(&action, error))?;
                found
                    .filter(|now| is_raised(now, raise))
                    .ok_or_else(moved)?
            }
            Err(error) if error::is_not_found(&error) => return Err(moved()),
            Err(error) => return Err(error::from(&action, error)),
        };
        now.metadata.generation.ok_or_else(moved)
    }

    /// Sets one field of an autoscaler, whoever owns the others, from exactly
    /// the state that is found: one that arrives late changes nothing.
    pub(super) async fn patch_scale_down(
        &self,
        epoch: Epoch,
        autoscaler: &str,
        policy: Option<&str>,
    ) -> Result<(), ClusterError> {
        let object = ObjectRef::new(API_VERSION, KIND, autoscaler);
        loop {
            let found = self.find_object(&object).await?;
            let Some(found) = found.filter(|found| found.is_owned_by(self.group.as_str())) else {
                return Ok(());
            };
            let patch = json!({
                "metadata": { "annotations": { label::FENCE: epoch.0.to_string() } },
                "spec": { "behavior": { "scaleDown": { "selectPolicy": policy } } },
            });
            match self.alter_object(&found, &patch).await {
                // It is gone, or the autoscaler noted something in it meanwhile.
                Err(ClusterError::Moved { .. }) => {}
                altered => return altered.map(drop),
            }
        }
    }
}

/// The tests come first: a Deployment that anybody changed, or made anew, is
/// left alone. The annotation says what the next generation came from.
fn raise_patch(epoch: Epoch, raise: &Raise) -> Value {
    let annotation = |key: &str| format!("/metadata/annotations/{}", key.replace('/', "~1"));
    json!([
        { "op": "test", "path": "/metadata/uid", "value": raise.uid },
        { "op": "test", "path": "/metadata/generation", "value": raise.generation },
        { "op": "add", "path": annotation(label::FENCE), "value": epoch.0.to_string() },
        { "op": "add", "path": annotation(label::RAISED), "value": raise.generation.to_string() },
        { "op": "add", "path": "/spec/replicas", "value": raise.replicas },
    ])
}

fn is_raised(now: &Deployment, raise: &Raise) -> bool {
    let replicas = now.spec.as_ref().and_then(|spec| spec.replicas);
    now.uid().as_ref() == Some(&raise.uid)
        && now.metadata.generation == raise.generation.checked_add(1)
        && now.annotations().get(label::RAISED) == Some(&raise.generation.to_string())
        && replicas.and_then(|replicas| u32::try_from(replicas).ok()) == Some(raise.replicas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_raise_is_taken_for_done() {
        let raise: Raise = serde_json::from_value(json!({
            "app": "web",
            "color": serde_json::to_value(crate::plan::color::Color::Green).unwrap(),
            "deployment": "web-green",
            "uid": "u",
            "generation": 1,
            "replicas": 5,
        }))
        .unwrap();
        let found = |uid: &str, generation: i64, from: &str, replicas: i32| -> Deployment {
            let annotations = json!({ label::RAISED: from });
            let metadata =
                json!({ "uid": uid, "generation": generation, "annotations": annotations });
            let spec = json!({ "replicas": replicas, "selector": {}, "template": {} });
            serde_json::from_value(json!({ "metadata": metadata, "spec": spec })).unwrap()
        };
        assert!(is_raised(&found("u", 2, "1", 5), &raise));
        for (what, other) in [
            ("made anew", found("v", 2, "1", 5)),
            ("changed afterwards", found("u", 3, "1", 5)),
            ("not done", found("u", 1, "", 3)),
            ("changed by somebody else", found("u", 2, "", 5)),
            ("raised from an earlier state", found("u", 2, "0", 5)),
            ("raised to another number", found("u", 2, "1", 4)),
        ] {
            assert!(!is_raised(&other, &raise), "{what}");
        }
    }
}
