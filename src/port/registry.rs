//! The registry that images come from.
//!
//! The port says which images a repository has and what one of them is. It
//! must not choose between them ([`crate::plan::resolve`] does), and whoever
//! implements it must keep tokens and signed addresses out of every error.

use std::collections::BTreeMap;

use async_trait::async_trait;
use thiserror::Error;

use crate::group::image::RepositoryName;
use crate::plan::image::{Digest, Platform, RegistryImage};
use crate::plan::init::Repositories;

/// Lists and describes images.
#[async_trait]
pub trait Registry: Send + Sync {
    /// All tagged, active images of a repository, in any order.
    async fn images(&self, repository: &RepositoryName) -> Result<Listing, RegistryError>;

    /// The image that a tag points at now, with all its tags: a listing of one
    /// image, or of none. One request, however many images the repository has.
    async fn tagged(
        &self,
        repository: &RepositoryName,
        tag: &str,
    ) -> Result<Listing, RegistryError>;

    /// The registry itself, and the names of all its repositories.
    async fn repositories(&self) -> Result<Repositories, RegistryError>;

    /// What one image is. What cannot be found out is left out; only an image
    /// that is gone, or a registry that does not answer, is an error.
    async fn inspect(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ImageDetails, RegistryError>;
}

/// The images of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The registry's host name, for image references. Listing is what tells
    /// it, so it may be missing where there is no image.
    pub registry: String,
    /// All tagged, active images.
    pub images: Vec<RegistryImage>,
}

impl Listing {
    /// The reference a container's `image` takes.
    pub fn reference(&self, repository: &RepositoryName, digest: &Digest) -> String {
        format!("{}/{repository}@{digest}", self.registry)
    }
}

/// What one image is, as far as the registry tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageDetails {
    /// What it runs on. Empty: unknown.
    pub platforms: Vec<Platform>,
    /// Its OCI annotations and labels; an annotation wins.
    pub labels: BTreeMap<String, String>,
}

impl ImageDetails {
    /// Adds what is not there yet.
    pub fn add_labels(&mut self, labels: &BTreeMap<String, String>) {
        for (key, value) in labels {
            self.labels
                .entry(key.clone())
                .or_insert_with(|| value.clone());
        }
    }
}

/// Why the registry did not answer as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistryError {
    /// There is no such repository.
    #[error(
        "repository `{repository}` does not exist in {registry}{}",
        did_you_mean(similar, "`repository`, the account and the region")
    )]
    RepositoryNotFound {
        /// What was asked for.
        repository: RepositoryName,
        /// Which registry was asked, for people.
        registry: String,
        /// Names of repositories that look like it.
        similar: Vec<String>,
    },
    /// The registry does not know, or does not trust, who asks.
    #[error("{problem}")]
    Credentials {
        /// What is wrong and what helps.
        problem: CredentialProblem,
        /// What the registry or the credential chain said.
        #[source]
        source: Said,
    },
    /// It is not clear which registry to ask.
    #[error(
        "no AWS region is set: set `registry.region` in the environment's file, AWS_REGION or the profile's `region`"
    )]
    NoRegion,
    /// The registry turned every attempt away.
    #[error("the registry turned {attempts} attempts away as too many requests: try again later")]
    Throttled {
        /// How often it was asked.
        attempts: u32,
        /// What it said last.
        #[source]
        source: Said,
    },
    /// The image was there, or was named, and is not any more.
    #[error(
        "image {digest} is no longer in repository `{repository}`: plan again to take the newest one"
    )]
    ImageGone {
        /// Where it was looked for.
        repository: RepositoryName,
        /// What was looked for.
        digest: Digest,
    },
    /// Nothing answered.
    #[error("failed to reach the registry: check the network, AWS_REGION and AWS_ENDPOINT_URL")]
    Unreachable {
        /// What stood in the way.
        #[source]
        source: Said,
    },
    /// Anything else.
    #[error("failed to {action}")]
    Other {
        /// What was attempted, with its subject.
        action: String,
        /// What the registry said.
        #[source]
        source: Said,
    },
}

/// What is wrong with the credentials, and what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CredentialProblem {
    /// The chain gave none.
    #[error(
        "failed to get AWS credentials: run `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
    )]
    Missing,
    /// They were good once.
    #[error("the AWS credentials have expired: run `aws sso login`, or renew the session token")]
    Expired,
    /// AWS does not know them.
    #[error(
        "AWS does not accept the credentials: check AWS_PROFILE and the AWS_ variables that are set"
    )]
    Invalid,
    /// They are good, but not for this.
    #[error("the AWS credentials lack a permission: have it granted to them")]
    Denied,
}

/// What an outside system said, as text.
///
/// Errors of clients may carry whole requests and answers; text is what is
/// left of them, so that no token can hide inside.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Said(pub String);

impl Said {
    /// An error and its sources on one line, each said once.
    pub fn of(error: &dyn std::error::Error) -> Self {
        let mut said = one_line(&error.to_string());
        let mut source = error.source();
        while let Some(error) = source {
            let text = one_line(&error.to_string());
            if !said.contains(&text) {
                said = format!("{said}: {text}");
            }
            source = error.source();
        }
        Self(said)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What may have been meant, or else what to check.
pub(super) fn did_you_mean(similar: &[String], check: &str) -> String {
    if similar.is_empty() {
        return format!(": check {check}");
    }
    let names: Vec<_> = similar.iter().map(|name| format!("`{name}`")).collect();
    format!(": did you mean {}?", names.join(" or "))
}
