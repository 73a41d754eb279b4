//! What `promoter doctor` wants to know of a repository: whether all that planning
//! reads may be read, and which tags can be moved.
//!
//! Nothing is read to its end: an image that no repository has is asked for, as the
//! answer tells whether one could be.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{ImageTagMutability, Repository};

use super::Ecr;
use crate::adapter::aws::Meaning;
use crate::group::image::RepositoryName;
use crate::plan::image::Digest;
use crate::port::RegistryError;
use crate::port::chain::{RepositoryFound, Tags};
use crate::port::registry::CredentialProblem;

impl Ecr {
    /// Looks at a repository.
    ///
    /// # Errors
    /// It is not there, or its images may not be listed and read.
    pub async fn examine(
        &self,
        repository: &RepositoryName,
    ) -> Result<RepositoryFound, RegistryError> {
        let list = |client: &Client| {
            let request = client
                .describe_images()
                .set_registry_id(self.account.clone())
                .repository_name(repository.as_str())
                .max_results(1);
            request.send()
        };
        if let Err(error) = self.session.send(list).await {
            let action = format!("list the images of repository `{repository}`");
            return Err(self.error(repository, action, error).await);
        }
        let nothing = format!("sha256:{:064x}", 0);
        if let Ok(digest) = Digest::parse(&nothing) {
            self.manifest(repository, &digest).await?;
        }
        Ok(RepositoryFound {
            labels: self.may_read_labels(repository, &nothing).await,
            tags: self.tags(repository).await,
        })
    }

    /// Whether labels can be read, which are in a layer of their own. What else may
    /// be wrong with it keeps nothing from being promoted.
    async fn may_read_labels(&self, repository: &RepositoryName, digest: &str) -> bool {
        let read = |client: &Client| {
            let request = client
                .get_download_url_for_layer()
                .set_registry_id(self.account.clone())
                .repository_name(repository.as_str())
                .layer_digest(digest);
            request.send()
        };
        let Err(error) = self.session.send(read).await else {
            return true;
        };
        let denied = CredentialProblem::Denied;
        let meaning = self.session.meaning(&error).await;
        !matches!(meaning, Meaning::Credentials { problem, .. } if problem == denied)
    }

    /// Which tags can be moved; a further permission, without which it is not known.
    async fn tags(&self, repository: &RepositoryName) -> Option<Tags> {
        let describe = |client: &Client| {
            let request = client
                .describe_repositories()
                .set_registry_id(self.account.clone())
                .repository_names(repository.as_str());
            request.send()
        };
        let answer = self.session.send(describe).await.ok()?;
        answer.repositories().first().and_then(tags)
    }
}

fn tags(repository: &Repository) -> Option<Tags> {
    let filters = repository.image_tag_mutability_exclusion_filters();
    let except = || filters.iter().map(|filter| filter.filter().to_owned());
    let of = |immutable, except| Some(Tags { immutable, except });
    match repository.image_tag_mutability()? {
        ImageTagMutability::Immutable => of(true, Vec::new()),
        ImageTagMutability::ImmutableWithExclusion => of(true, except().collect()),
        ImageTagMutability::Mutable => of(false, Vec::new()),
        ImageTagMutability::MutableWithExclusion => of(false, except().collect()),
        _ => None,
    }
}
