//! The registry port over Amazon ECR.
//!
//! Input: the standard AWS configuration (credential chain, `AWS_REGION`,
//! `AWS_PROFILE`, `AWS_ENDPOINT_URL`) and what the environment says of its
//! registry. Output: listings and image details. It only reads, it chooses
//! nothing, and no credential or signed address leaves it in an error or log.

mod blob;
mod error;
mod examine;
mod manifest;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::Builder;
use aws_sdk_ecr::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_ecr::error::SdkError;
use aws_sdk_ecr::operation::describe_images::DescribeImagesError;
use aws_sdk_ecr::types::{
    DescribeImagesFilter, ImageDetail, ImageFailureCode, ImageIdentifier, ImageStatus, TagStatus,
};
use jiff::Timestamp;
use tracing::debug;

use crate::adapter::aws::{Session, Source, Told};
use crate::group::RegistryRef;
use crate::group::image::RepositoryName;
use crate::plan::image::{Digest, RegistryImage};
use crate::plan::init::Repositories;
use crate::port::Calls;
use crate::port::registry::{ImageDetails, Listing, Registry, RegistryError, Said};
use blob::Blobs;
use manifest::Manifest;

/// Most images that ECR lists in one answer.
const PAGE: i32 = 1000;

/// An ECR registry: one account in one region.
#[derive(Debug, Clone)]
pub struct Ecr {
    session: Arc<Session<Client>>,
    blobs: Blobs,
    region: String,
    /// `None`: the account of the credentials.
    account: Option<String>,
}

impl Ecr {
    /// Reads the AWS configuration. Nothing is asked yet, and credentials are
    /// looked for when the first request needs them.
    pub async fn connect(registry: &RegistryRef) -> Result<Self, RegistryError> {
        let source = Source {
            region: registry.region.clone().map(Region::new),
            ..Source::default()
        };
        let config = source.read().await;
        Self::over(source, config, registry.account.clone())
    }

    /// Uses a configuration as it is.
    pub fn new(config: SdkConfig, account: Option<String>) -> Result<Self, RegistryError> {
        let source = Source {
            given: Some(config.clone()),
            ..Source::default()
        };
        Self::over(source, config, account)
    }

    fn over(
        source: Source,
        config: SdkConfig,
        account: Option<String>,
    ) -> Result<Self, RegistryError> {
        let region = config.region().ok_or(RegistryError::NoRegion)?.to_string();
        Ok(Self {
            session: Arc::new(Session::new("ECR", source, config, client)),
            blobs: Blobs::new(),
            region,
            account,
        })
    }

    /// From now on somebody is told of each request.
    pub fn listen(&self, calls: Arc<dyn Calls>) {
        self.session.listen(calls);
    }

    /// Which registry is asked, for people.
    fn name(&self) -> String {
        match &self.account {
            Some(account) => format!("ECR of account {account} in {}", self.region),
            None => format!("ECR of the credentials' account in {}", self.region),
        }
    }

    fn add(&self, listing: &mut Listing, images: &[ImageDetail]) {
        for image in images {
            if let Some(account) = image.registry_id().filter(|_| listing.registry.is_empty()) {
                listing.registry = host(account, &self.region);
            }
            listing.images.extend(registry_image(image));
        }
    }

    /// The manifest or index of an image. `None`: the image is gone.
    async fn manifest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Manifest>, RegistryError> {
        let image = ImageIdentifier::builder().image_digest(digest.as_str());
        let get = |client: &Client| {
            let request = client
                .batch_get_image()
                .set_registry_id(self.account.clone())
                .repository_name(repository.as_str())
                .image_ids(image.clone().build())
                .set_accepted_media_types(Some(manifest::MEDIA_TYPES.map(str::to_owned).to_vec()));
            request.send()
        };
        let answer = self.session.send(get).await;
        let action = || format!("read image {digest} of repository `{repository}`");
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(self.error(repository, action(), error).await),
        };
        let text = answer
            .images()
            .first()
            .and_then(|image| image.image_manifest());
        if let Some(text) = text {
            return Ok(Some(Manifest::parse(text)));
        }
        let failure = answer.failures().first();
        match failure.and_then(|failure| failure.failure_code()) {
            None | Some(ImageFailureCode::ImageNotFound) => Ok(None),
            Some(code) => Err(RegistryError::Other {
                action: action(),
                source: Said(code.to_string()),
            }),
        }
    }

    /// Labels of one platform's image: its annotations, and the labels in its
    /// configuration.
    async fn add_configuration(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
        details: &mut ImageDetails,
    ) {
        details.add_labels(&manifest.annotations);
        let Some(blob) = &manifest.config else { return };
        let read = self
            .blobs
            .read(&self.session, self.account.as_deref(), repository, blob)
            .await;
        match read {
            Ok(text) => manifest::Configuration::parse(&text).add_to(details),
            Err(reason) => {
                debug!(%repository, digest = blob.digest, reason, "image configuration not read");
            }
        }
    }
}

/// A request has its attempts and its time, and few are sent at once. The SDK's
/// quota of retries would on top of that end the attempts of all once a large
/// group has been throttled some hundred times.
fn client(config: &SdkConfig, told: Told) -> Client {
    let patient = RetryPartition::custom("promoter")
        .token_bucket(TokenBucket::unlimited())
        .build();
    let own = Builder::from(config)
        .retry_partition(patient)
        .interceptor(told);
    Client::from_conf(own.build())
}

#[async_trait]
impl Registry for Ecr {
    async fn images(&self, repository: &RepositoryName) -> Result<Listing, RegistryError> {
        let filter = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged);
        let mut listing = Listing::default();
        let mut next = None;
        // Not the SDK's pages, as credentials may have to be renewed between two.
        loop {
            let list = |client: &Client| {
                let request = client
                    .describe_images()
                    .set_registry_id(self.account.clone())
                    .repository_name(repository.as_str())
                    .filter(filter.clone().build())
                    .max_results(PAGE)
                    .set_next_token(next.clone());
                request.send()
            };
            let page = match self.session.send(list).await {
                Ok(page) => page,
                Err(error) => {
                    let action = format!("list the images of repository `{repository}`");
                    return Err(self.error(repository, action, error).await);
                }
            };
            self.add(&mut listing, page.image_details());
            match page.next_token {
                Some(token) if !token.is_empty() => next = Some(token),
                _ => return Ok(listing),
            }
        }
    }

    async fn tagged(
        &self,
        repository: &RepositoryName,
        tag: &str,
    ) -> Result<Listing, RegistryError> {
        let image = ImageIdentifier::builder().image_tag(tag);
        let describe = |client: &Client| {
            let request = client
                .describe_images()
                .set_registry_id(self.account.clone())
                .repository_name(repository.as_str())
                .image_ids(image.clone().build());
            request.send()
        };
        let mut listing = Listing::default();
        match self.session.send(describe).await {
            Ok(answer) => self.add(&mut listing, answer.image_details()),
            Err(error) if is_image_not_found(&error) => {}
            Err(error) => {
                let action = format!("look up tag `{tag}` of repository `{repository}`");
                return Err(self.error(repository, action, error).await);
            }
        }
        Ok(listing)
    }

    async fn repositories(&self) -> Result<Repositories, RegistryError> {
        let mut found = Repositories {
            region: self.region.clone(),
            account: self.account.clone().unwrap_or_default(),
            ..Repositories::default()
        };
        let mut next = None;
        loop {
            let list = |client: &Client| {
                let request = client
                    .describe_repositories()
                    .set_registry_id(self.account.clone())
                    .max_results(PAGE)
                    .set_next_token(next.clone());
                request.send()
            };
            let page = match self.session.send(list).await {
                Ok(page) => page,
                Err(error) => {
                    return Err(self.failed("list the repositories".to_owned(), error).await);
                }
            };
            for repository in page.repositories() {
                if let Some(account) = repository.registry_id() {
                    account.clone_into(&mut found.account);
                }
                let name = repository.repository_name();
                let name = name.and_then(|name| RepositoryName::parse(name).ok());
                found.names.extend(name);
            }
            match page.next_token {
                Some(token) if !token.is_empty() => next = Some(token),
                _ => break,
            }
        }
        found.host = host(&found.account, &self.region);
        Ok(found)
    }

    async fn inspect(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ImageDetails, RegistryError> {
        let manifest = self.manifest(repository, digest).await?;
        let manifest = manifest.ok_or_else(|| RegistryError::ImageGone {
            repository: repository.clone(),
            digest: digest.clone(),
        })?;
        let mut details = ImageDetails::default();
        let platforms = manifest.platforms();
        let Some((_, first)) = platforms.first() else {
            self.add_configuration(repository, &manifest, &mut details)
                .await;
            return Ok(details);
        };
        details.add_labels(&manifest.annotations);
        // The platforms of one build have the same labels.
        if let Some(child) = self.manifest(repository, first).await? {
            self.add_configuration(repository, &child, &mut details)
                .await;
        }
        details.platforms = platforms
            .into_iter()
            .map(|(platform, _)| platform)
            .collect();
        Ok(details)
    }
}

/// Whether ECR says that the repository has no such image.
fn is_image_not_found(error: &SdkError<DescribeImagesError>) -> bool {
    let error = error.as_service_error();
    error.is_some_and(DescribeImagesError::is_image_not_found_exception)
}

/// What the port wants to know of an image; `None` if it cannot be used.
fn registry_image(image: &ImageDetail) -> Option<RegistryImage> {
    let active = matches!(image.image_status(), None | Some(ImageStatus::Active));
    let pushed_at = image.image_pushed_at()?;
    let nanoseconds = i32::try_from(pushed_at.subsec_nanos()).ok()?;
    Some(RegistryImage {
        digest: Digest::parse(image.image_digest()?).ok()?,
        tags: image.image_tags().to_vec(),
        pushed_at: Timestamp::new(pushed_at.secs(), nanoseconds).ok()?,
    })
    .filter(|image| active && !image.tags.is_empty())
}

/// The host of an account's registry. It follows from account and region;
/// `DescribeRepositories` would tell it too, at the price of one more request
/// and one more permission.
fn host(account: &str, region: &str) -> String {
    let suffix = match region.rsplit_once('-').map_or(region, |(area, _)| area) {
        "us-iso-east" | "us-iso-west" => "c2s.ic.gov",
        "us-isob-east" | "us-isob-west" => "sc2s.sgov.gov",
        "us-isof-east" | "us-isof-south" => "csp.hci.ic.gov",
        "eu-isoe-west" => "cloud.adc-e.uk",
        area if area.starts_with("cn-") => "amazonaws.com.cn",
        area if area.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("{account}.dkr.ecr.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn hosts() {
        for (region, expected) in [
            ("eu-west-1", "1.dkr.ecr.eu-west-1.amazonaws.com"),
            ("us-gov-west-1", "1.dkr.ecr.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "1.dkr.ecr.cn-north-1.amazonaws.com.cn"),
            ("us-iso-east-1", "1.dkr.ecr.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "1.dkr.ecr.us-isob-east-1.sc2s.sgov.gov"),
            ("eusc-de-east-1", "1.dkr.ecr.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(host("1", region), expected);
        }
    }
}
