//! The AWS double's ECR, as far as tasks need it.

use anyhow::Result;
use serde_json::json;

use crate::aws::{Answer, Service};
use crate::registry::Manifest;

/// The ECR of one region behind an endpoint.
pub(crate) struct Ecr(Service);

impl Ecr {
    pub(crate) fn new(endpoint: &str, region: &str) -> Self {
        Self(Service {
            endpoint: endpoint.to_owned(),
            region: region.to_owned(),
            name: "ecr",
            target: "AmazonEC2ContainerRegistry_V20150921",
            content: "application/x-amz-json-1.1",
        })
    }

    /// Makes a repository, unless there is one.
    pub(crate) fn create_repository(&self, repository: &str) -> Result<()> {
        let asked = json!({ "repositoryName": repository });
        match self.0.call("CreateRepository", &asked)? {
            Answer::Refused(kind, _) if kind == "RepositoryAlreadyExistsException" => Ok(()),
            answer => answer.success().map(drop),
        }
    }

    /// Deletes a repository with its images, if there is one.
    pub(crate) fn delete_repository(&self, repository: &str) -> Result<()> {
        let asked = json!({ "repositoryName": repository, "force": true });
        match self.0.call("DeleteRepository", &asked)? {
            Answer::Refused(kind, _) if kind == "RepositoryNotFoundException" => Ok(()),
            answer => answer.success().map(drop),
        }
    }

    /// The tags in a repository; none if there is no such repository.
    pub(crate) fn tags(&self, repository: &str) -> Result<Vec<String>> {
        let asked = json!({ "repositoryName": repository, "filter": { "tagStatus": "TAGGED" } });
        let images = match self.0.call("ListImages", &asked)? {
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
        let answer = self.0.call("DescribeRepositories", &json!({}))?.success()?;
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
        match self.0.call("PutImage", &asked)? {
            Answer::Refused(kind, _) if kind == "ImageAlreadyExistsException" => Ok(()),
            answer => answer.success().map(drop),
        }
    }
}
