//! What tests of the adapters for outside systems have in common.

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_credential_types::Credentials;
use wiremock::MockServer;

/// What must be in no message.
pub(crate) const SECRET: &str = "not-to-be-seen";

/// An AWS configuration that leaves nothing to the environment of the test.
pub(crate) fn config(server: &MockServer) -> ConfigLoader {
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(1));
    let session = Some(SECRET.to_owned());
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .endpoint_url(server.uri())
        .credentials_provider(Credentials::new("AKIDTEST", SECRET, session, None, "test"))
        .retry_config(retries)
}

/// The error as a person gets it.
pub(crate) fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
