//! Plain HTTP to the parts of the testbed on this machine.
//!
//! Never goes through a proxy and never waits long: everything it talks to
//! listens on loopback.

use std::time::Duration;

use anyhow::{Context, Result};
use ureq::Agent;

/// A client for one kind of use.
pub(crate) fn client(timeout: Duration) -> Agent {
    Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .build()
        .into()
}

/// Whether a URL answers with success within a moment.
pub(crate) fn answers(url: &str) -> bool {
    client(Duration::from_secs(2))
        .get(url)
        .call()
        .is_ok_and(|response| response.status().is_success())
}

/// The JSON that a URL answers with, and nothing if there is nothing at it.
pub(crate) fn json(url: &str) -> Result<Option<serde_json::Value>> {
    let mut response = client(Duration::from_secs(10))
        .get(url)
        .call()
        .with_context(|| format!("failed to reach {url}"))?;
    if response.status().as_u16() == 404 {
        return Ok(None);
    }
    let text = response.body_mut().read_to_string()?;
    anyhow::ensure!(
        response.status().is_success(),
        "{url} answered {}: {text}",
        response.status()
    );
    let value = serde_json::from_str(&text).with_context(|| format!("{url} gave no JSON"))?;
    Ok(Some(value))
}
