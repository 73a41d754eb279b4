//! What takes work by itself, stopped and let work: a Deployment by its number of
//! pods, a `CronJob` by `suspend`.
//!
//! The controller of `CronJob`s makes up for times of a schedule that came since the
//! last Job, or since the making. One that was suspended while its twin of the other
//! colour met them is told so first, by the time of its last Job.

use http::Request as HttpRequest;
use http::header::DATE;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use kube::api::{GetParams, Patch, Request};
use kube::client::Body;
use serde_json::json;

use super::apply::version_of;
use super::{Kubernetes, error, resource};
use crate::plan::cron::is_suspended;
use crate::plan::label::{self, FIELD_MANAGER};
use crate::plan::object::{Object, ObjectRef};
use crate::port::cluster::{Since, Work, Worker};
use crate::port::{ClusterError, Epoch};

impl Kubernetes {
    /// Writes what a worker does, whoever changed it meanwhile. `None`: it is gone, or
    /// another one.
    pub(super) async fn write_work(
        &self,
        epoch: Epoch,
        worker: &Worker,
    ) -> Result<Option<Object>, ClusterError> {
        let object = &worker.object;
        loop {
            let found = self.find_object(object).await?;
            let is_it = |found: &Object| {
                found.is_owned_by(self.group.as_str()) && found.uid() == Some(&worker.uid)
            };
            let Some(mut found) = found.filter(is_it) else {
                return Ok(None);
            };
            if let Work::Scheduled(since) = worker.work
                && is_suspended(&found)
            {
                match self.date_schedule(&found, since).await? {
                    Some(dated) => found = dated,
                    None => continue,
                }
            }
            let spec = match worker.work {
                Work::Pods(pods) => json!({ "replicas": pods }),
                Work::Suspended => json!({ "suspend": true }),
                Work::Scheduled(_) => json!({ "suspend": false }),
            };
            let patch = json!({
                "metadata": { "annotations": { label::FENCE: epoch.0.to_string() } },
                "spec": spec,
            });
            match self.alter_object(&found, &patch).await {
                // It is gone, or its controller noted something in it meanwhile.
                Err(ClusterError::Moved { .. }) => {}
                altered => return altered.map(Some),
            }
        }
    }

    /// Writes down from when on a schedule counts. `None`: it was changed meanwhile.
    async fn date_schedule(
        &self,
        found: &Object,
        since: Since,
    ) -> Result<Option<Object>, ClusterError> {
        let object = found.reference();
        let since = match since {
            Since::Last => return Ok(Some(found.clone())),
            Since::Time(time) => time,
            Since::Now => self.server_time(&object).await?,
        };
        let patch = json!({
            "metadata": { "uid": found.uid(), "resourceVersion": version_of(found) },
            "status": { "lastScheduleTime": whole_seconds(since) },
        });
        let api = self.api_of(&object).await?;
        let params = resource::patched_by(FIELD_MANAGER);
        let patch = Patch::Merge(patch);
        let patched = api.patch_subresource("status", &object.name, &params, &patch);
        match patched.await {
            Ok(now) => Ok(Some(now.into_object(&object.api_version, &object.kind))),
            Err(error) if error::is_not_found(&error) || error::is_conflict(&error) => Ok(None),
            Err(error) => Err(error::from(
                &format!("change the status of {object}"),
                error,
            )),
        }
    }

    /// The time by the server's own clock, which it says with every answer. That of
    /// this machine may be another one.
    async fn server_time(&self, known: &ObjectRef) -> Result<Timestamp, ClusterError> {
        let action = "read the time of the API server";
        let api = self.api_of(known).await?;
        let request = Request::new(api.resource_url()).get(&known.name, &GetParams::default());
        let request: HttpRequest<Body> = request
            .map_err(kube::Error::BuildRequest)
            .map_err(|error| error::from(action, error))?
            .map(Body::from);
        let answer = self.client.send(request).await;
        let answer = answer.map_err(|error| error::from(action, error))?;
        let date = answer
            .headers()
            .get(DATE)
            .and_then(|date| date.to_str().ok());
        date.and_then(time_of).ok_or_else(|| ClusterError::Refused {
            action: action.to_owned(),
            reason: "its answer has no date, as if something between took it out".to_owned(),
        })
    }
}

fn time_of(date: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(date).ok()
}

/// As Kubernetes takes a time.
fn whole_seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_an_answer_is_a_time_of_a_status() {
        let time = time_of("Mon, 30 Nov 2026 06:07:08 GMT").unwrap();
        assert_eq!(whole_seconds(time), "2026-11-30T06:07:08Z");
        assert_eq!(time_of("yesterday"), None);
    }
}
