//! The client requests are sent with, made anew when its credentials expire.
//!
//! The SDK renews credentials before the time at which they say they expire.
//! Where they do not say, or are taken back early, it keeps them: for 15
//! minutes in its identity cache, and what stands in a profile for as long as
//! the process lives. So when AWS calls them expired, the configuration is read
//! again and the request is sent once more. What AWS says otherwise is handed
//! on as it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::identity::IdentityCache;
use aws_config::{Region, SdkConfig};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::Builder;
use aws_sdk_ecr::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};
use tokio::sync::Mutex;
use tracing::debug;

use super::error::is_expired;
use super::loader;

/// Where the configuration comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// The environment and files of the process; a region that is given wins.
    Environment(Option<Region>),
    /// It was given whole; its credentials provider can be asked again.
    Given(Box<SdkConfig>),
}

impl Source {
    pub(super) async fn read(&self) -> SdkConfig {
        match self {
            Self::Environment(None) => loader().load().await,
            Self::Environment(Some(region)) => loader().region(region.clone()).load().await,
            Self::Given(config) => {
                let config = config.to_builder();
                config.identity_cache(IdentityCache::lazy().build()).build()
            }
        }
    }
}

/// Sends requests.
#[derive(Debug)]
pub(super) struct Session {
    source: Source,
    current: Mutex<Arc<Connection>>,
}

/// A client and what it was made from.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) config: SdkConfig,
    /// Whether it may be replaced: the first one, and one that has worked. So
    /// credentials that nobody renews are asked for once more, not for every request.
    replaceable: AtomicBool,
}

impl Connection {
    fn new(config: SdkConfig, replaceable: bool) -> Arc<Self> {
        // A request has its attempts and its time, and few are sent at once.
        // The SDK's quota of retries would on top of that end the attempts of
        // all once a large group has been throttled some hundred times.
        let patient = RetryPartition::custom("promoter")
            .token_bucket(TokenBucket::unlimited())
            .build();
        let own = Builder::from(&config).retry_partition(patient).build();
        Arc::new(Self {
            client: Client::from_conf(own),
            config,
            replaceable: AtomicBool::new(replaceable),
        })
    }
}

impl Session {
    /// Starts with a configuration that was read from the source.
    pub(super) fn new(source: Source, config: SdkConfig) -> Self {
        Self {
            source,
            current: Mutex::new(Connection::new(config, true)),
        }
    }

    /// What requests are sent with now.
    pub(super) async fn connection(&self) -> Arc<Connection> {
        Arc::clone(&*self.current.lock().await)
    }

    /// Sends a request, and once more with fresh credentials if its own have expired.
    pub(super) async fn send<T, E, F>(
        &self,
        request: impl Fn(&Client) -> F,
    ) -> Result<T, SdkError<E>>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        let mut connection = self.connection().await;
        let mut answer = request(&connection.client).await;
        if answer.as_ref().is_err_and(is_expired)
            && let Some(renewed) = self.renewed(&connection).await
        {
            connection = renewed;
            answer = request(&connection.client).await;
        }
        if answer.is_ok() {
            connection.replaceable.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// A newer connection than one whose credentials have expired; `None`:
    /// there is no use in another one.
    async fn renewed(&self, expired: &Arc<Connection>) -> Option<Arc<Connection>> {
        let mut current = self.current.lock().await;
        if Arc::ptr_eq(&current, expired) {
            if !expired.replaceable.load(Ordering::Relaxed) {
                return None;
            }
            debug!("AWS credentials have expired, reading them again");
            *current = Connection::new(self.source.read().await, false);
        }
        Some(Arc::clone(&current))
    }
}
