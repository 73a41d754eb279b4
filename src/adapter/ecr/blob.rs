//! Reads the configuration of an image, which ECR gives out by address only.
//!
//! Input: a blob's digest. Output: its bytes, checked against the digest, or
//! why not. The address is signed: whoever has it can read the blob. So it
//! never gets into an error or a log, and neither do the client's own errors,
//! which may quote it.

use std::time::Duration;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::http::HttpRequest;
use aws_sdk_ecr::config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_types::byte_stream::ByteStream;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::manifest::Blob;
use crate::adapter::aws::{Session, is_throttled};
use crate::adapter::trust;
use crate::group::image::RepositoryName;

/// Real configurations have some kilobytes.
const LARGEST: u64 = 4 << 20;

/// Longest wait for the blob, its address not included.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Longest wait before asking for the address a second time.
const BACKOFF: Duration = Duration::from_millis(200);

/// A client that follows the addresses ECR gives out.
#[derive(Debug, Clone)]
pub(super) struct Blobs(Option<SharedHttpConnector>);

impl Blobs {
    pub(super) fn new() -> Self {
        Self(trust::connector())
    }

    pub(super) async fn read(
        &self,
        session: &Session<Client>,
        account: Option<&str>,
        repository: &RepositoryName,
        blob: &Blob,
    ) -> Result<Vec<u8>, &'static str> {
        let request = |client: &Client| {
            client
                .get_download_url_for_layer()
                .set_registry_id(account.map(str::to_owned))
                .repository_name(repository.as_str())
                .layer_digest(&blob.digest)
        };
        // What is left out when this fails is not worth many attempts, unless
        // there would be an answer later: labels decide whose an image is.
        let retries = RetryConfig::standard()
            .with_max_attempts(2)
            .with_initial_backoff(BACKOFF);
        let few = aws_sdk_ecr::Config::builder().retry_config(retries);
        let hasty = |client: &Client| {
            let request = request(client).customize();
            request.config_override(few.clone()).send()
        };
        let patient = |client: &Client| request(client).send();
        let answer = match session.send(hasty).await {
            Err(error) if is_throttled(&error) => session.send(patient).await,
            answer => answer,
        };
        let answer = answer.map_err(|_| "ECR gives no address for it")?;
        let address = answer.download_url().ok_or("ECR gives no address for it")?;
        let bytes = timeout(TIMEOUT, self.get(address));
        let bytes = bytes
            .await
            .map_err(|_| "its address does not answer in time")??;
        let hash = Sha256::digest(&bytes);
        let found = hash
            .iter()
            .fold("sha256:".to_owned(), |text, b| format!("{text}{b:02x}"));
        if found == blob.digest {
            Ok(bytes)
        } else {
            Err("its content has another digest")
        }
    }

    async fn get(&self, address: &str) -> Result<Vec<u8>, &'static str> {
        let connector = self
            .0
            .as_ref()
            .ok_or("this build has no HTTP client for it")?;
        let request = HttpRequest::get(address).map_err(|_| "its address is none")?;
        let answer = connector.call(request).await;
        let answer = answer.map_err(|_| "its address does not answer")?;
        if !answer.status().is_success() {
            return Err("its address does not lead to it");
        }
        let mut stream = ByteStream::new(answer.into_body());
        let mut bytes = Vec::new();
        while let Some(part) = stream.next().await {
            bytes.extend_from_slice(&part.map_err(|_| "its transfer broke off")?);
            if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
                return Err("it is too large");
            }
        }
        Ok(bytes)
    }
}
