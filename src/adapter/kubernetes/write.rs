//! The port's reads and writes of objects. Each write is fenced.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::reflector::ObjectRef as StoreRef;
use serde_json::{Value, json};

use super::watch::{Seen, Watch};
use super::{Kubernetes, error, logs, resource, survey, translate};
use crate::plan::label::{self, FIELD_MANAGER, SWITCH_MANAGER};
use crate::plan::object::{Object, ObjectRef};
use crate::plan::survey::{Survey, Trials};
use crate::port::cluster::{LogSource, Pointing};
use crate::port::{Cluster, ClusterError, Epoch};
use crate::promotion::observed::Observed;

/// Dry runs under way at the same time.
const TRIALS_AT_ONCE: usize = 16;

impl Kubernetes {
    async fn watch(&self) -> Result<&Watch, ClusterError> {
        let start = || Watch::start(&self.client, self.namespace.as_str(), self.group.as_str());
        self.watch.get_or_try_init(start).await
    }

    /// Makes the next look wait for an object to be there.
    fn expect_made(&self, made: &Object) {
        let Some(watch) = self.watch.get() else {
            return;
        };
        let (kind, name) = (made.kind().to_owned(), made.name().to_owned());
        let (uid, namespace) = (
            made.uid().unwrap_or_default().to_owned(),
            self.namespace.to_string(),
        );
        watch.expect(
            move |stores| match stores.look_up(&kind, &name, &namespace) {
                Seen::NotWatched => true,
                Seen::Absent => false,
                Seen::Present { uid: seen, .. } => seen == uid,
            },
        );
    }

    /// Makes the next look wait for an object to be gone, or going.
    fn expect_deleted(&self, object: &ObjectRef, uid: &str) {
        let Some(watch) = self.watch.get() else {
            return;
        };
        let (kind, name) = (object.kind.clone(), object.name.clone());
        let (uid, namespace) = (uid.to_owned(), self.namespace.to_string());
        watch.expect(
            move |stores| match stores.look_up(&kind, &name, &namespace) {
                Seen::NotWatched | Seen::Absent => true,
                Seen::Present {
                    uid: seen,
                    deleting,
                } => seen != uid || deleting,
            },
        );
    }

    fn expect_pointed(&self, change: &Pointing) {
        let Some(watch) = self.watch.get() else {
            return;
        };
        let (change, namespace) = (change.clone(), self.namespace.to_string());
        watch.expect(move |stores| {
            let found = stores
                .services
                .get(&StoreRef::new(&change.service).within(&namespace));
            let selector = found.and_then(|service| service.spec.as_ref()?.selector.clone());
            selector.filter(|selector| !selector.is_empty()) == change.to
        });
    }

    fn stamped(epoch: Epoch, object: &Object) -> Object {
        let mut object = object.clone();
        object.set_annotation(label::FENCE, &epoch.0.to_string());
        object
    }
}

#[async_trait]
impl Cluster for Kubernetes {
    async fn survey(&self) -> Result<Survey, ClusterError> {
        survey::survey(self).await
    }

    async fn try_out(&self, objects: &[Object]) -> Result<Trials, ClusterError> {
        let tried = stream::iter(objects.to_vec()).map(|object| async move {
            let trial = self.try_one(&object).await?;
            Ok((object.reference(), trial))
        });
        tried.buffer_unordered(TRIALS_AT_ONCE).try_collect().await
    }

    async fn observe(&self) -> Result<Observed, ClusterError> {
        Ok(translate::observed(self.watch().await?.stores().await?))
    }

    async fn changed(&self) {
        if let Ok(watch) = self.watch().await {
            watch.changed().await;
        }
    }

    async fn create(&self, epoch: Epoch, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let object = Self::stamped(epoch, object);
        let made = self.fenced(epoch, async {
            let api = self.api_of(&reference).await?;
            let params = PostParams {
                field_manager: Some(FIELD_MANAGER.to_owned()),
                ..PostParams::default()
            };
            match api.create(&params, &resource::from_object(&object)?).await {
                Ok(made) => Ok(resource::to_object(
                    &made,
                    &reference.api_version,
                    &reference.kind,
                )),
                Err(error) if error::is_already_there(&error) => {
                    let found = self.find(&reference).await?;
                    let ours = |found: &Object| {
                        found.is_owned_by(self.group.as_str())
                            && found.label(label::PROMOTION) == object.label(label::PROMOTION)
                    };
                    found.filter(ours).ok_or_else(|| ClusterError::Foreign {
                        object: reference.clone(),
                    })
                }
                Err(error) => Err(error::from(&format!("create {reference}"), error)),
            }
        });
        let made = made.await?;
        self.expect_made(&made);
        Ok(made)
    }

    async fn apply(&self, epoch: Epoch, object: &Object) -> Result<Object, ClusterError> {
        let object = Self::stamped(epoch, object);
        let applied = self.fenced(epoch, self.apply_object(&object)).await?;
        self.expect_made(&applied);
        Ok(applied)
    }

    async fn delete(
        &self,
        epoch: Epoch,
        object: &ObjectRef,
        uid: &str,
    ) -> Result<(), ClusterError> {
        let deleted = self.fenced(epoch, async {
            let api = self.api_of(object).await?;
            let exactly = Preconditions {
                uid: Some(uid.to_owned()),
                resource_version: None,
            };
            let params = DeleteParams {
                preconditions: Some(exactly),
                ..DeleteParams::background()
            };
            match api.delete(&object.name, &params).await {
                Ok(_) => Ok(()),
                Err(error) if error::is_not_found(&error) => Ok(()),
                // Another object has the name by now; ours is gone.
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
                Err(error) => Err(error::from(&format!("delete {object}"), error)),
            }
        });
        deleted.await?;
        self.expect_deleted(object, uid);
        Ok(())
    }

    async fn point(&self, epoch: Epoch, change: &Pointing) -> Result<(), ClusterError> {
        let action = format!("switch Service {}", change.service);
        let patch: json_patch::Patch = serde_json::from_value(pointing_patch(epoch, change))
            .map_err(|error| ClusterError::Refused {
                action: action.clone(),
                reason: error.to_string(),
            })?;
        let pointed = self.fenced(epoch, async {
            let api: Api<Service> = Api::namespaced(self.client.clone(), self.namespace.as_str());
            let params = PatchParams {
                field_manager: Some(SWITCH_MANAGER.to_owned()),
                ..PatchParams::default()
            };
            let patched = api
                .patch(&change.service, &params, &Patch::Json::<()>(patch))
                .await;
            patched.map(|_| ()).map_err(|error| match error {
                // The server answers 422 when a test of the patch does not hold, and
                // as well when the Service would be invalid; only then it says why.
                kube::Error::Api(status)
                    if status.code == 422 && status.message.contains("is invalid") =>
                {
                    ClusterError::Refused {
                        action: action.clone(),
                        reason: status.message.clone(),
                    }
                }
                kube::Error::Api(status) if status.code == 422 => ClusterError::Moved {
                    action: action.clone(),
                },
                error => error::from(&action, error),
            })
        });
        pointed.await?;
        self.expect_pointed(change);
        Ok(())
    }

    async fn owned(&self, kinds: &[(String, String)]) -> Result<Vec<Object>, ClusterError> {
        let ours = ListParams::default().labels(&format!("{}={}", label::GROUP, self.group));
        let mut owned = Vec::new();
        for (api_version, kind) in kinds {
            let api = self.api(api_version, kind).await?;
            let found = api
                .list(&ours)
                .await
                .map_err(|error| error::from(&format!("list {kind}s"), error))?;
            owned.extend(
                found
                    .items
                    .iter()
                    .map(|item| resource::to_object(item, api_version, kind)),
            );
        }
        Ok(owned)
    }

    async fn lines(&self, source: &LogSource) -> Result<BoxStream<'static, String>, ClusterError> {
        logs::lines(&self.client, self.namespace.as_str(), source).await
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
