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
use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use tokio::sync::Mutex;
use tracing::debug;

use super::meaning::{Meaning, is_expired};
use super::{Told, loader};
use crate::port::Calls;
use crate::port::calls::Listener;

/// Who acts under a role that was assumed, in `CloudTrail`.
const SESSION: &str = "promoter";

/// Where the configuration comes from.
#[derive(Debug, Clone, Default)]
pub(in crate::adapter) struct Source {
    /// It was given whole; its credentials provider can be asked again. `None`:
    /// the environment and files of the process.
    pub(in crate::adapter) given: Option<SdkConfig>,
    /// Wins over what the environment says; what was given whole has its own.
    pub(in crate::adapter) region: Option<Region>,
    /// ARN of the role that is assumed with the credentials found.
    pub(in crate::adapter) role: Option<String>,
}

impl Source {
    pub(in crate::adapter) async fn read(&self) -> SdkConfig {
        // These futures are large, and so would be all that wait for them.
        let config = match (&self.given, &self.region) {
            (Some(config), _) => {
                let config = config.to_builder();
                config.identity_cache(IdentityCache::lazy().build()).build()
            }
            (None, Some(region)) => Box::pin(loader().region(region.clone()).load()).await,
            (None, None) => Box::pin(loader().load()).await,
        };
        match &self.role {
            Some(role) => Box::pin(assume(config, role)).await,
            None => config,
        }
    }
}

async fn assume(config: SdkConfig, role: &str) -> SdkConfig {
    let provider = AssumeRoleProvider::builder(role)
        .session_name(SESSION)
        .configure(&config)
        .build()
        .await;
    let provider = SharedCredentialsProvider::new(provider);
    config.into_builder().credentials_provider(provider).build()
}

/// Sends requests to one service.
#[derive(Debug)]
pub(in crate::adapter) struct Session<C> {
    service: &'static str,
    source: Source,
    client: fn(&SdkConfig, Told) -> C,
    listener: Listener,
    current: Mutex<Arc<Connection<C>>>,
}

/// A client and what it was made from.
#[derive(Debug)]
pub(in crate::adapter) struct Connection<C> {
    pub(in crate::adapter) client: C,
    pub(in crate::adapter) config: SdkConfig,
    /// Whether it may be replaced: the first one, and one that has worked. So
    /// credentials that nobody renews are asked for once more, not for every request.
    replaceable: AtomicBool,
}

impl<C> Connection<C> {
    fn new(client: C, config: SdkConfig, replaceable: bool) -> Arc<Self> {
        Arc::new(Self {
            client,
            config,
            replaceable: AtomicBool::new(replaceable),
        })
    }
}

impl<C> Session<C> {
    /// Starts with a configuration that was read from the source.
    pub(in crate::adapter) fn new(
        service: &'static str,
        source: Source,
        config: SdkConfig,
        client: fn(&SdkConfig, Told) -> C,
    ) -> Self {
        let listener = Listener::default();
        let told = Told(listener.clone());
        let first = Connection::new(client(&config, told), config, true);
        Self {
            service,
            source,
            client,
            listener,
            current: Mutex::new(first),
        }
    }

    /// From now on somebody is told of each attempt of a request.
    pub(in crate::adapter) fn listen(&self, calls: Arc<dyn Calls>) {
        self.listener.listen(calls);
    }

    /// What the service is called.
    pub(super) fn service(&self) -> &'static str {
        self.service
    }

    /// What requests are sent with now.
    pub(in crate::adapter) async fn connection(&self) -> Arc<Connection<C>> {
        Arc::clone(&*self.current.lock().await)
    }

    /// Sends a request, and once more with fresh credentials if its own have expired.
    pub(in crate::adapter) async fn send<T, E, F>(
        &self,
        request: impl Fn(&C) -> F,
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

    /// Credentials as they are now, of the role if there is one; read again,
    /// once, where they have expired.
    pub(in crate::adapter) async fn credentials(&self) -> Result<Credentials, Meaning> {
        let connection = self.connection().await;
        let found = credentials(&connection.config).await;
        if found.as_ref().is_err_and(Meaning::is_expired)
            && let Some(renewed) = self.renewed(&connection).await
        {
            return credentials(&renewed.config).await;
        }
        found
    }

    /// Reads the configuration again, as somebody refuses what it holds.
    pub(in crate::adapter) async fn renew(&self) {
        let mut current = self.current.lock().await;
        debug!("AWS credentials are not accepted, reading them again");
        *current = self.read(true).await;
    }

    /// A newer connection than one whose credentials have expired; `None`:
    /// there is no use in another one.
    async fn renewed(&self, expired: &Arc<Connection<C>>) -> Option<Arc<Connection<C>>> {
        let mut current = self.current.lock().await;
        if Arc::ptr_eq(&current, expired) {
            if !expired.replaceable.load(Ordering::Relaxed) {
                return None;
            }
            debug!("AWS credentials have expired, reading them again");
            *current = self.read(false).await;
        }
        Some(Arc::clone(&current))
    }

    async fn read(&self, replaceable: bool) -> Arc<Connection<C>> {
        let config = self.source.read().await;
        let told = Told(self.listener.clone());
        Connection::new((self.client)(&config, told), config, replaceable)
    }
}

async fn credentials(config: &SdkConfig) -> Result<Credentials, Meaning> {
    let Some(provider) = config.credentials_provider() else {
        return Err(Meaning::of_no_chain());
    };
    let found = provider.provide_credentials().await;
    found.map_err(|error| Meaning::of_missing(&error))
}
