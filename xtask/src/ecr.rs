//! The AWS double's ECR, as far as tasks need it.
//!
//! Requests are not signed, which real AWS refuses: this is for the double.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::http;
use crate::registry::Manifest;

const TIMEOUT: Duration = Duration::from_secs(10);

/// The ECR of one region behind an endpoint.
pub(crate) struct Ecr {
    endpoint: String,
    region: String,
}

impl Ecr {
    pub(crate) fn new(endpoint: &str, region: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            region: region.to_owned(),
        }
    }

    /// Makes a repository, unless there is one.
    pub(crate) fn create_repository(&self, repository: &str) -> Result<()> {
        let asked = json!({ "repositoryName": repository });
        match self.call("CreateRepository", &asked)? {
            Answer::Refused(kind, _) if kind == "RepositoryAlreadyExistsException" => Ok(()),
            answer => answer.success().map(drop),
        }
    }

    /// Deletes a repository with its images, if there is one.
    pub(crate) fn delete_repository(&self, repository: &str) -> Result<()> {
        let asked = json!({ "repositoryName": repository, "force": true });
        match self.call("DeleteRepository", &asked)? {
            Answer::Refused(kind, _) if kind == "RepositoryNotFoundException" => Ok(()),
            answer => answer.success().map(drop),
        }
    }

    /// The tags in a repository; none if there is no such repository.
    pub(crate) fn tags(&self, repository: &str) -> Result<Vec<String>> {
        let asked = json!({ "repositoryName": repository, "filter": { "tagStatus": "TAGGED" } });
        let images = match self.call("ListImages", &asked)? {
            Answer::Refused(kind, _) if kind == "RepositoryNotFoundException" => {
                return Ok(Vec::new());
            }
            answer => answer.success()?,
        };
        let ids = images["imageIds"].as_array().into_iter().flatten();
        Ok(ids
            .filter_map(|id| Some(id["imageTag"].as_str()?.to_owned()))
            .collect())
    }

    /// The repositories.
    pub(crate) fn repositories(&self) -> Result<Vec<String>> {
        let answer = self.call("DescribeRepositories", &json!({}))?.success()?;
        let all = answer["repositories"].as_array().into_iter().flatten();
        Ok(all
            .filter_map(|one| Some(one["repositoryName"].as_str()?.to_owned()))
            .collect())
    }

    /// Registers an image under a tag. The double computes digests differently
    /// from a registry, so it is told the right one.
    pub(crate) fn put_image(&self, repository: &str, tag: &str, manifest: &Manifest) -> Result<()> {
        let asked = json!({
            "repositoryName": repository,
            "imageTag": tag,
            "imageManifest": manifest.text,
            "imageManifestMediaType": manifest.media_type,
            "imageDigest": manifest.digest,
        });
        match self.call("PutImage", &asked)? {
            Answer::Refused(kind, _) if kind == "ImageAlreadyExistsException" => Ok(()),
            answer => answer.success().map(drop),
        }
    }

    fn call(&self, action: &str, asked: &Value) -> Result<Answer> {
        let credential = format!(
            "Credential=testbed/20260101/{}/ecr/aws4_request",
            self.region
        );
        let mut response = http::client(TIMEOUT)
            .post(format!("{}/", self.endpoint))
            .header("content-type", "application/x-amz-json-1.1")
            .header(
                "x-amz-target",
                format!("AmazonEC2ContainerRegistry_V20150921.{action}"),
            )
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=none"),
            )
            .send(asked.to_string())
            .with_context(|| format!("failed to reach AWS at {}", self.endpoint))?;
        let text = response.body_mut().read_to_string()?;
        let value: Value = serde_json::from_str(&text)
            .with_context(|| format!("AWS answered {action} with {text}"))?;
        if response.status().is_success() {
            return Ok(Answer::Success(value));
        }
        let kind = value["__type"].as_str().unwrap_or_default().to_owned();
        Ok(Answer::Refused(kind, text))
    }
}

enum Answer {
    Success(Value),
    /// The kind of error, and all that was said about it.
    Refused(String, String),
}

impl Answer {
    fn success(self) -> Result<Value> {
        match self {
            Self::Success(value) => Ok(value),
            Self::Refused(_, said) => bail!("AWS refused: {said}"),
        }
    }
}
