//! The port's reads and writes of objects. Each write is fenced.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures::future::try_join_all;
use futures::stream;
use futures::{StreamExt, TryStreamExt};
use kube::api::{DeleteParams, ListParams, Preconditions, Request};
use serde_json::{Value, json};

use super::whole::Whole;
use super::{Kubernetes, error, logs, resource, survey, translate};
use crate::plan::label::{self, FIELD_MANAGER};
use crate::plan::object::{Object, ObjectRef};
use crate::plan::survey::{Survey, Trials};
use crate::port::cluster::{Lines, LogSource, Pointing, Runs, Worker};
use crate::port::{Cluster, ClusterError, Epoch};
use crate::promotion::Raise;
use crate::promotion::observed::Observed;

/// Dry runs under way at the same time.
const TRIALS_AT_ONCE: usize = 16;

impl Kubernetes {
    /// The object of that address, whoever it belongs to: by the watch, where it
    /// covers everybody's objects of the kind.
    pub(super) async fn known(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        let watch = self.watching().filter(|watch| watch.is_caught_up());
        match watch.filter(|_| object.kind == "Service") {
            Some(watch) => Ok(watch.service(&object.name, self.namespace.as_str())),
            None => self.find_object(object).await,
        }
    }

    /// Sends an object. Of many that are sent at the same time no more is kept
    /// than their text.
    async fn post(&self, path: &str, object: Object) -> kube::Result<Whole> {
        let body = serde_json::to_vec(&object).map_err(kube::Error::SerdeError)?;
        drop(object);
        let request = Request::new(path).create(&resource::posted(), body);
        let request = request.map_err(kube::Error::BuildRequest)?;
        self.client.request(request).await
    }

    /// Lets a Job run, as long as it has that uid and never ran.
    async fn unsuspend(&self, job: &ObjectRef, uid: &str) -> Result<Option<Object>, ClusterError> {
        let action = format!("let {job} run");
        let operations = json!([
            { "op": "test", "path": "/metadata/uid", "value": uid },
            { "op": "test", "path": "/metadata/generation", "value": 1 },
            { "op": "test", "path": "/spec/suspend", "value": true },
            { "op": "replace", "path": "/spec/suspend", "value": false },
        ]);
        let patch = resource::json_patch(&action, operations)?;
        let params = resource::patched_by(FIELD_MANAGER);
        let patched = self
            .api_of(job)
            .await?
            .patch(&job.name, &params, &patch)
            .await;
        match patched {
            Ok(now) => Ok(Some(now.into_object(&job.api_version, &job.kind))),
            Err(error) if error::is_invalid(&error) || error::is_not_found(&error) => Ok(None),
            Err(error) => Err(error::from(&action, error)),
        }
    }

    /// Deletes an object of which this holds. One that is gone is fine.
    async fn delete_if(
        &self,
        epoch: Epoch,
        object: &ObjectRef,
        exactly: Preconditions,
    ) -> Result<(), ClusterError> {
        let deleted = self.fenced(epoch, async {
            let api = self.api_of(object).await?;
            let params = DeleteParams {
                preconditions: Some(exactly),
                ..DeleteParams::background()
            };
            let action = format!("delete {object}");
            match api.delete(&object.name, &params).await {
                Ok(_) => Ok(()),
                Err(error) if error::is_not_found(&error) => Ok(()),
                Err(error) if error::is_conflict(&error) => Err(ClusterError::Moved { action }),
                Err(error) => Err(error::from(&action, error)),
            }
        });
        deleted.await
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

    async fn try_out(
        &self,
        objects: &[Object],
        adopted: &[ObjectRef],
    ) -> Result<Trials, ClusterError> {
        let kinds: BTreeSet<_> = objects
            .iter()
            .map(|object| (object.api_version().to_owned(), object.kind().to_owned()))
            .collect();
        let lists = kinds.iter().map(|(api, kind)| self.all_of(api, kind));
        let found: BTreeMap<ObjectRef, Object> = try_join_all(lists)
            .await?
            .into_iter()
            .flatten()
            .map(|found| (found.reference(), found))
            .collect();
        let found = &found;
        let tried = stream::iter(objects.to_vec()).map(|object| async move {
            let reference = object.reference();
            let counts_as_ours = adopted.contains(&reference);
            let trial = self.try_one(&object, found.get(&reference), counts_as_ours);
            let trial = trial.await?;
            Ok((reference, trial))
        });
        tried.buffer_unordered(TRIALS_AT_ONCE).try_collect().await
    }

    async fn find(&self, objects: &[ObjectRef]) -> Result<Vec<Object>, ClusterError> {
        let found = stream::iter(objects.to_vec())
            .map(|object| async move { self.find_object(&object).await })
            .buffer_unordered(TRIALS_AT_ONCE);
        let found: Vec<_> = found.try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn all(&self, kinds: &[(&str, &str)]) -> Result<Vec<Object>, ClusterError> {
        let mut all = Vec::new();
        for (api_version, kind) in kinds {
            all.extend(
                self.listed(api_version, kind, &ListParams::default())
                    .await?,
            );
        }
        Ok(all)
    }

    async fn observe(&self) -> Result<Observed, ClusterError> {
        let watch = self.watch().await?;
        match watch.stores().await {
            Ok(stores) => Ok(translate::observed(stores, watch.outages())),
            Err(error) => {
                self.watch_anew(&watch).await;
                Err(error)
            }
        }
    }

    async fn is_ending(&self) -> Result<bool, ClusterError> {
        survey::is_ending(self).await
    }

    async fn changed(&self) {
        if let Ok(watch) = self.watch().await {
            watch.changed().await;
        }
    }

    async fn create(&self, epoch: Epoch, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        let made = self.fenced(epoch, async {
            let api = self.api_of(&reference).await?;
            let stamped = Self::stamped(epoch, object);
            match self.post(api.resource_url(), stamped).await {
                Ok(made) => Ok(made.into_object(&reference.api_version, &reference.kind)),
                Err(error) if error::is_already_there(&error) => {
                    let found = self.find_object(&reference).await?;
                    let ours = |found: &Object| {
                        found.is_owned_by(self.group.as_str())
                            && found.label(label::PROMOTION) == object.label(label::PROMOTION)
                            && resource::runs_the_same(object, found)
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

    async fn alter(
        &self,
        epoch: Epoch,
        found: &Object,
        patch: &Value,
    ) -> Result<Object, ClusterError> {
        let altered = self.fenced(epoch, self.alter_object(found, patch)).await?;
        self.expect_made(&altered);
        Ok(altered)
    }

    async fn let_run(&self, epoch: Epoch, job: &ObjectRef, uid: &str) -> Result<(), ClusterError> {
        let running = self.fenced(epoch, self.unsuspend(job, uid)).await?;
        if let Some(running) = running {
            self.expect_made(&running);
        }
        Ok(())
    }

    async fn delete(
        &self,
        epoch: Epoch,
        object: &ObjectRef,
        uid: &str,
    ) -> Result<(), ClusterError> {
        let exactly = Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: None,
        };
        match self.delete_if(epoch, object, exactly).await {
            // Another object has the name by now; ours is gone.
            Err(ClusterError::Moved { .. }) => {}
            deleted => deleted?,
        }
        self.expect_deleted(object, uid);
        Ok(())
    }

    async fn delete_unchanged(&self, epoch: Epoch, found: &Object) -> Result<(), ClusterError> {
        let text = |pointer| found.str_at(pointer).map(str::to_owned);
        let exactly = Preconditions {
            uid: text("/metadata/uid"),
            resource_version: text("/metadata/resourceVersion"),
        };
        let object = found.reference();
        self.delete_if(epoch, &object, exactly).await?;
        self.expect_deleted(&object, found.uid().unwrap_or_default());
        Ok(())
    }

    async fn delete_runs(&self, epoch: Epoch, runs: &Runs) -> Result<(), ClusterError> {
        self.fenced(epoch, self.delete_jobs(&runs.promotion))
            .await?;
        for (name, uid) in &runs.jobs {
            self.expect_deleted(&ObjectRef::new("batch/v1", "Job", name), uid);
        }
        Ok(())
    }

    async fn point(&self, epoch: Epoch, change: &Pointing) -> Result<(), ClusterError> {
        self.fenced(epoch, self.point_service(epoch, change))
            .await?;
        self.expect_pointed(change);
        Ok(())
    }

    async fn raise(&self, epoch: Epoch, raise: &Raise) -> Result<i64, ClusterError> {
        let raised = self
            .fenced(epoch, self.raise_deployment(epoch, raise))
            .await?;
        self.expect_generation(&raise.deployment, &raise.uid, raised);
        Ok(raised)
    }

    async fn set_work(&self, epoch: Epoch, worker: &Worker) -> Result<(), ClusterError> {
        let written = self.fenced(epoch, self.write_work(epoch, worker)).await?;
        if let Some(written) = written {
            self.expect_made(&written);
        }
        Ok(())
    }

    async fn scale_down(
        &self,
        epoch: Epoch,
        autoscaler: &str,
        policy: Option<&str>,
    ) -> Result<(), ClusterError> {
        self.fenced(epoch, self.patch_scale_down(epoch, autoscaler, policy))
            .await
    }

    async fn owned(&self, kinds: &[(String, String)]) -> Result<Vec<Object>, ClusterError> {
        let ours = ListParams::default().labels(&format!("{}={}", label::GROUP, self.group));
        let mut owned = Vec::new();
        for (api_version, kind) in kinds {
            owned.extend(self.listed(api_version, kind, &ours).await?);
        }
        Ok(owned)
    }

    async fn lines(&self, source: &LogSource) -> Result<Lines, ClusterError> {
        logs::lines(&self.client, self.namespace.as_str(), source).await
    }
}
