//! What an error of ECR means, in the port's words.
//!
//! Input: the client's error. Output: what failed, what helps, and what AWS
//! said, as short text.

use std::error::Error;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};

use super::{Ecr, PAGE};
use crate::adapter::aws::{self, Meaning};
use crate::group::image::RepositoryName;
use crate::port::registry::RegistryError;

impl Ecr {
    /// Says what a failed request means; may ask AWS for details.
    pub(super) async fn error<E>(
        &self,
        repository: &RepositoryName,
        action: String,
        error: SdkError<E>,
    ) -> RegistryError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if aws::code(&error) == Some("RepositoryNotFoundException") {
            return RegistryError::RepositoryNotFound {
                repository: repository.clone(),
                registry: self.name(),
                similar: self.similar(repository).await,
            };
        }
        self.failed(action, error).await
    }

    /// The same for a request that is about no repository.
    pub(super) async fn failed<E>(&self, action: String, error: SdkError<E>) -> RegistryError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match self.session.meaning(&error).await {
            Meaning::Throttled { attempts, source } => {
                RegistryError::Throttled { attempts, source }
            }
            Meaning::Credentials { problem, source } => {
                RegistryError::Credentials { problem, source }
            }
            Meaning::Unreachable { source } => RegistryError::Unreachable { source },
            Meaning::Other { source } => RegistryError::Other { action, source },
        }
    }

    /// Repositories whose names are like this one; none if that cannot be told.
    async fn similar(&self, repository: &RepositoryName) -> Vec<String> {
        let list = |client: &Client| {
            let request = client.describe_repositories().max_results(PAGE);
            request.set_registry_id(self.account.clone()).send()
        };
        let Ok(answer) = self.session.send(list).await else {
            return Vec::new();
        };
        let repositories = answer.repositories().iter();
        aws::alike(
            repository.as_str(),
            repositories.filter_map(|r| r.repository_name()),
        )
    }
}
