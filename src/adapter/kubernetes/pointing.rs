//! The one patch that moves an active Service's selector.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Service;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::{Kubernetes, error, resource};
use crate::plan::label::{self, SWITCH_MANAGER};
use crate::port::cluster::Pointing;
use crate::port::{ClusterError, Epoch};

impl Kubernetes {
    /// Moves the selector, unless the Service is not what it was seen to be.
    pub(super) async fn point_service(
        &self,
        epoch: Epoch,
        change: &Pointing,
    ) -> Result<(), ClusterError> {
        let action = format!("switch Service {}", change.service);
        let refused = |reason: String| ClusterError::Refused {
            action: action.clone(),
            reason,
        };
        let patch = resource::json_patch(&action, pointing_patch(epoch, change))?;
        let api: Api<Service> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let params = resource::patched_by(SWITCH_MANAGER);
        let patched = api.patch(&change.service, &params, &patch).await;
        match patched {
            Ok(_) => Ok(()),
            // The server answers 422 when a test of the patch does not hold, and
            // as well when the Service would be invalid; only then it says why.
            Err(kube::Error::Api(status))
                if status.code == 422 && status.message.contains("is invalid") =>
            {
                Err(refused(status.message))
            }
            Err(error) if error::is_invalid(&error) => {
                let found = api.get_opt(&change.service).await;
                let found = found.map_err(|error| error::from(&action, error))?;
                match found.map_or(Untouched::Moved, |found| why(epoch, change, &found)) {
                    Untouched::Done => Ok(()),
                    Untouched::Fenced => Err(ClusterError::Fenced),
                    Untouched::Moved => Err(ClusterError::Moved { action }),
                }
            }
            Err(error) => Err(error::from(&action, error)),
        }
    }
}

/// Why a patch did not fit.
#[derive(Debug, PartialEq)]
enum Untouched {
    /// It was done before, and only the answer did not arrive.
    Done,
    /// Somebody else has the lock.
    Fenced,
    /// Somebody changed it.
    Moved,
}

fn why(epoch: Epoch, change: &Pointing, found: &Service) -> Untouched {
    let points = found.spec.as_ref().and_then(|spec| spec.selector.clone());
    let points = points.filter(|selector| !selector.is_empty());
    let same = found.uid().as_ref() == Some(&change.uid);
    match resource::stamp_of(found) {
        Some(fence) if fence > epoch.0 => Untouched::Fenced,
        Some(fence) if same && fence == epoch.0 && points == change.to => Untouched::Done,
        _ => Untouched::Moved,
    }
}

/// The tests come first: a patch changes nothing unless the Service is the
/// same object, was stamped by this holder and points where it was seen to.
fn pointing_patch(epoch: Epoch, change: &Pointing) -> Value {
    let fence = format!("/metadata/annotations/{}", label::FENCE.replace('/', "~1"));
    let selector = |selector: &Option<BTreeMap<String, String>>| {
        selector.as_ref().map_or(Value::Null, |s| json!(s))
    };
    let mut patch = vec![
        json!({ "op": "test", "path": "/metadata/uid", "value": change.uid }),
        json!({ "op": "test", "path": fence, "value": epoch.0.to_string() }),
        json!({ "op": "test", "path": "/spec/selector", "value": selector(&change.from) }),
    ];
    match (&change.from, &change.to) {
        (None, None) => {}
        (Some(_), None) => patch.push(json!({ "op": "remove", "path": "/spec/selector" })),
        (_, Some(to)) => patch.push(json!({ "op": "add", "path": "/spec/selector", "value": to })),
    }
    for (field, value) in &change.spec {
        patch.push(json!({ "op": "add", "path": format!("/spec/{field}"), "value": value }));
    }
    patch.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_that_did_not_fit_is_told_from_one_that_was_done() {
        let selector = |color: &str| BTreeMap::from([("color".to_owned(), color.to_owned())]);
        let change = Pointing {
            service: "web".to_owned(),
            uid: "u".to_owned(),
            from: Some(selector("blue")),
            to: Some(selector("green")),
            spec: BTreeMap::new(),
        };
        let found = |uid: &str, fence: u64, color: &str| -> Service {
            let annotations = json!({ label::FENCE: fence.to_string() });
            let metadata = json!({ "uid": uid, "annotations": annotations });
            let spec = json!({ "selector": selector(color) });
            serde_json::from_value(json!({ "metadata": metadata, "spec": spec })).unwrap()
        };
        for (found, expected) in [
            (found("u", 7, "green"), Untouched::Done),
            (found("u", 7, "maintenance"), Untouched::Moved),
            (found("v", 7, "green"), Untouched::Moved),
            (found("u", 6, "green"), Untouched::Moved),
            (found("u", 8, "green"), Untouched::Fenced),
            (found("u", 8, "blue"), Untouched::Fenced),
        ] {
            assert_eq!(why(Epoch(7), &change, &found), expected, "{found:?}");
        }
    }
}
