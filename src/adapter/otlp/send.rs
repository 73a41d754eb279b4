//! How spans get to the collector: over the one HTTP client that the AWS clients
//! bring, so that there is no second one and no other TLS.
//!
//! Headers may hold a login: neither they nor the address get into an error.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::time::timeout;

use crate::adapter::trust;

/// Longest wait for the answer to one batch.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Nothing is done with an answer but to read whether all was taken.
const LARGEST: usize = 64 << 10;

/// The HTTP status that was answered last; 0: nobody answered.
#[derive(Debug, Clone, Default)]
pub(super) struct LastStatus(Arc<AtomicU16>);

impl LastStatus {
    pub(super) fn get(&self) -> u16 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sends what the exporter made.
pub(super) struct Sender {
    connector: SharedHttpConnector,
    status: LastStatus,
}

impl Sender {
    /// `None`: this build has no HTTP client.
    pub(super) fn new(status: LastStatus) -> Option<Self> {
        let connector = trust::connector()?;
        Some(Self { connector, status })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let mut own = HttpRequest::new(SdkBody::from(body.to_vec()));
        own.set_method(head.method.as_str())?;
        own.set_uri(head.uri.to_string())?;
        for (name, value) in &head.headers {
            let value = value.to_str()?.to_owned();
            own.headers_mut()
                .try_insert(name.as_str().to_owned(), value)?;
        }
        let answer = self.connector.call(own).await?;
        let status = answer.status().as_u16();
        self.status.0.store(status, Ordering::Relaxed);
        let mut stream = ByteStream::new(answer.into_body());
        let mut body = Vec::new();
        while let Some(part) = stream.next().await {
            body.extend_from_slice(&part?);
            if body.len() > LARGEST {
                return Err("its answer is too large".into());
            }
        }
        Ok(Response::builder().status(status).body(body.into())?)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.status.0.store(0, Ordering::Relaxed);
        timeout(TIMEOUT, self.send(request)).await?
    }
}
