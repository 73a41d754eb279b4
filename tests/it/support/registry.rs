//! A registry in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use promoter::group::image::{Branch, RepositoryName, TagPattern};
use promoter::plan::image::{Digest, Platform, RegistryImage};
use promoter::plan::init::Repositories;
use promoter::port::registry::{ImageDetails, Listing, Registry, RegistryError};
use sha2::{Digest as _, Sha256};

/// How many images of a repository are kept where old ones are forgotten.
const KEPT: usize = 10;

/// Repositories with their images.
#[derive(Debug, Default)]
pub(crate) struct FakeRegistry {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone)]
struct State {
    images: BTreeMap<RepositoryName, Vec<RegistryImage>>,
    error: Option<RegistryError>,
    platforms: Vec<Platform>,
    labels: BTreeMap<String, String>,
    slow: Duration,
    builds: u64,
    listed: usize,
}

impl FakeRegistry {
    /// Another one with the same images.
    pub(crate) fn twin(&self) -> Self {
        let state = Mutex::new(self.state.lock().unwrap().clone());
        Self { state }
    }

    /// CI pushes a further build of a branch.
    pub(crate) fn push(&self, repository: &str, branch: &str) -> Digest {
        let build = self.state.lock().unwrap().builds + 1;
        let digest = digest(&format!("{repository} {branch} {build}"));
        let commit = &digest.as_str()["sha256:".len()..][..7];
        let branch = Branch::parse(branch).unwrap();
        let tag = TagPattern::default().tag(&branch, build, commit);
        self.add(repository, digest.clone(), &tag);
        digest
    }

    /// Somebody pushes an image with these tags, between spaces.
    pub(crate) fn push_as(&self, repository: &str, tags: &str) {
        self.add(repository, digest(&format!("{repository} {tags}")), tags);
    }

    fn add(&self, repository: &str, digest: Digest, tags: &str) {
        let mut state = self.state.lock().unwrap();
        state.builds += 1;
        let second = i64::try_from(1_790_000_000 + state.builds).unwrap();
        let image = RegistryImage {
            digest,
            tags: tags.split(' ').map(str::to_owned).collect(),
            pushed_at: Timestamp::from_second(second).unwrap(),
        };
        let repository = RepositoryName::parse(repository).unwrap();
        state.images.entry(repository).or_default().push(image);
    }

    /// Somebody deletes what was pushed last to a repository.
    pub(crate) fn delete_newest(&self, repository: &str) {
        let repository = RepositoryName::parse(repository).unwrap();
        let mut state = self.state.lock().unwrap();
        state.images.get_mut(&repository).unwrap().pop().unwrap();
    }

    /// Keeps the newest images of each repository alone, as a lifecycle policy does.
    pub(crate) fn forget(&self) {
        let mut state = self.state.lock().unwrap();
        for images in state.images.values_mut() {
            let old = images.len().saturating_sub(KEPT);
            images.drain(..old);
        }
    }

    /// From now on it answers nothing else.
    pub(crate) fn fail(&self, error: RegistryError) {
        self.state.lock().unwrap().error = Some(error);
    }

    /// From now on it answers again.
    pub(crate) fn works_again(&self) {
        self.state.lock().unwrap().error = None;
    }

    /// How often a repository was listed.
    pub(crate) fn listings(&self) -> usize {
        self.state.lock().unwrap().listed
    }

    /// From now on it takes so long to list a repository.
    pub(crate) fn takes(&self, slow: Duration) {
        self.state.lock().unwrap().slow = slow;
    }

    /// A label that all images have from now on.
    pub(crate) fn label(&self, key: &str, value: &str) {
        let mut state = self.state.lock().unwrap();
        state.labels.insert(key.to_owned(), value.to_owned());
    }

    /// What all images run on; `linux/amd64` unless told.
    pub(crate) fn runs_on(&self, os: &str, architecture: &str) {
        self.state.lock().unwrap().platforms = vec![platform(os, architecture)];
    }
}

fn digest(content: &str) -> Digest {
    let hash = Sha256::digest(content);
    let hex: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Digest::parse(&format!("sha256:{}", hex.concat())).unwrap()
}

/// A platform by its parts.
pub(crate) fn platform(os: &str, architecture: &str) -> Platform {
    Platform {
        os: os.to_owned(),
        architecture: architecture.to_owned(),
    }
}

#[async_trait]
impl Registry for FakeRegistry {
    async fn images(&self, repository: &RepositoryName) -> Result<Listing, RegistryError> {
        let slow = self.state.lock().unwrap().slow;
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
        let mut state = self.state.lock().unwrap();
        state.listed += 1;
        if let Some(error) = &state.error {
            return Err(error.clone());
        }
        let images = state.images.get(repository);
        let images = images.ok_or_else(|| RegistryError::RepositoryNotFound {
            repository: repository.clone(),
            registry: "registry.test".to_owned(),
            similar: Vec::new(),
        })?;
        Ok(Listing {
            registry: "registry.test".to_owned(),
            images: images.clone(),
        })
    }

    async fn tagged(
        &self,
        repository: &RepositoryName,
        tag: &str,
    ) -> Result<Listing, RegistryError> {
        let mut listing = self.images(repository).await?;
        listing.images.retain(|i| i.tags.iter().any(|t| t == tag));
        Ok(listing)
    }

    async fn repositories(&self) -> Result<Repositories, RegistryError> {
        let state = self.state.lock().unwrap();
        if let Some(error) = &state.error {
            return Err(error.clone());
        }
        Ok(Repositories {
            host: "registry.test".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            names: state.images.keys().cloned().collect(),
        })
    }

    async fn inspect(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ImageDetails, RegistryError> {
        let state = self.state.lock().unwrap();
        let images = state.images.get(repository).into_iter().flatten();
        if !images.into_iter().any(|image| image.digest == *digest) {
            return Err(RegistryError::ImageGone {
                repository: repository.clone(),
                digest: digest.clone(),
            });
        }
        let platforms = if state.platforms.is_empty() {
            vec![platform("linux", "amd64")]
        } else {
            state.platforms.clone()
        };
        Ok(ImageDetails {
            platforms,
            labels: state.labels.clone(),
        })
    }
}
