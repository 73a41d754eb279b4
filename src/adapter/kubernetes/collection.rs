//! Many objects by one request, without their content.

use http::HeaderValue;
use http::header::ACCEPT;
use http::uri::InvalidUri;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Request};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::lease::NOBODYS_FOR;
use super::{Kubernetes, error, kept};
use crate::plan::label;
use crate::plan::object::Object;
use crate::port::ClusterError;

/// The answer names all objects; their content is not asked for.
const NAMES_ONLY: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");

/// A list, of which no more than this is unpacked.
#[derive(Deserialize)]
struct Names {
    // Of nothing at all, some servers say `null`.
    items: Option<Vec<Named>>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(deserialize_with = "kept::metadata")]
    metadata: ObjectMeta,
}

impl Kubernetes {
    /// Names and labels of a kind's objects in the namespace, whoever they belong
    /// to. Of a kind that the cluster does not have there is nothing.
    pub(super) async fn all_of(
        &self,
        api_version: &str,
        kind: &str,
    ) -> Result<Vec<Object>, ClusterError> {
        let api = match self.api(api_version, kind).await {
            Err(ClusterError::Refused { .. }) => return Ok(Vec::new()),
            api => api?,
        };
        // Not from the cache: what was made a moment ago is not taken over either.
        let found = self.names(api.resource_url()).await;
        let found = found.map_err(|error| error::from(&format!("list {kind}s"), error))?;
        let named = found.items.into_iter().flatten().map(|Named { metadata }| {
            Object(json!({
                "apiVersion": api_version,
                "kind": kind,
                "metadata": { "name": metadata.name, "labels": metadata.labels },
            }))
        });
        Ok(named.collect())
    }

    async fn names(&self, path: &str) -> kube::Result<Names> {
        let request = Request::new(path).list_metadata(&ListParams::default());
        let request = request.map_err(kube::Error::BuildRequest)?;
        self.client.request(request).await
    }

    /// Deletes the Jobs of a promotion's checks.
    pub(super) async fn delete_jobs(&self, promotion: &str) -> Result<(), ClusterError> {
        let labels = format!(
            "{}={},{}={promotion},{}",
            label::GROUP,
            self.group,
            label::PROMOTION,
            label::CHECK
        );
        let api = self.api("batch/v1", "Job").await?;
        let selected = ListParams::default().labels(&labels);
        let deleted = self.delete_selected(api.resource_url(), &selected).await;
        let action = format!("delete Jobs of promotion {promotion}");
        deleted.map_err(|error| match error {
            kube::Error::Api(status) if status.code == 504 => ClusterError::Moved { action },
            error => error::from(&action, error),
        })
    }

    /// The server looks for what to delete first and then deletes by name, so it
    /// must have ended before somebody else has the lock, and is told so.
    async fn delete_selected(&self, path: &str, selected: &ListParams) -> kube::Result<()> {
        let request = Request::new(path).delete_collection(&DeleteParams::background(), selected);
        let mut request = request.map_err(kube::Error::BuildRequest)?;
        let uri = format!("{}&timeout={}s", request.uri(), NOBODYS_FOR.as_secs());
        *request.uri_mut() = uri
            .parse()
            .map_err(|error: InvalidUri| kube::Error::HttpError(error.into()))?;
        request.headers_mut().insert(ACCEPT, NAMES_ONLY);
        let answer = self.client.request::<IgnoredAny>(request).await;
        answer.map(|_| ())
    }
}
