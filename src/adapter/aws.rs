//! What the adapters for AWS have in common: the configuration, the session
//! that requests are sent in, and what AWS means when it says no.
//!
//! It knows no service: which requests there are, and what their answers say,
//! is its users' business. No credential leaves it in an error or log.

mod meaning;
mod session;
mod told;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader};

use crate::adapter::trust;
pub(in crate::adapter) use meaning::{Meaning, code, is_throttled};
pub(in crate::adapter) use session::{Session, Source};
pub(in crate::adapter) use told::Told;

/// Attempts per request, with exponential backoff and jitter between them.
///
/// The client's adaptive mode is no better here: after one throttled request
/// it sends the next ones at the rate it has seen so far, and a plan sends few,
/// so it was seen to wait half a minute for what backoff settles in seconds.
const ATTEMPTS: u32 = 7;

/// Attempts for who wants to know whether something answers at all.
const FEW_ATTEMPTS: u32 = 2;

/// Longest wait for one attempt, and for one request with all its attempts.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// How alike two names must be, and how many of them are offered.
const ALIKE: f64 = 0.8;
const OFFERED: usize = 3;

/// The AWS configuration of the environment, with patience as a plan has it.
pub fn loader() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(REQUEST_TIMEOUT)
        .build();
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts);
    match trust::client() {
        Some(client) => loader.http_client(client),
        None => loader,
    }
}

/// The same for who would rather be told soon that something does not answer.
pub fn hasty() -> ConfigLoader {
    loader().retry_config(RetryConfig::standard().with_max_attempts(FEW_ATTEMPTS))
}

/// The names that are most like one that does not exist, the nearest first.
pub(in crate::adapter) fn alike<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    let likeness = |name: &'a str| (strsim::jaro_winkler(wanted, name), name);
    let mut alike: Vec<_> = names
        .into_iter()
        .map(likeness)
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    let nearest = alike.into_iter().take(OFFERED);
    nearest.map(|(_, name)| name.to_owned()).collect()
}
