//! The AWS double, as far as tasks need it.
//!
//! Requests are not signed, which real AWS refuses: this is for the double.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::http;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A service of one region behind an endpoint.
pub(crate) struct Service {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    /// How it is named where credentials say what they are for.
    pub(crate) name: &'static str,
    /// What its actions are named by.
    pub(crate) target: &'static str,
    /// How its requests are written.
    pub(crate) content: &'static str,
}

impl Service {
    /// Asks for an action.
    pub(crate) fn call(&self, action: &str, asked: &Value) -> Result<Answer> {
        let credential = format!(
            "Credential=testbed/20260101/{}/{}/aws4_request",
            self.region, self.name
        );
        let mut response = http::client(TIMEOUT)
            .post(format!("{}/", self.endpoint))
            .header("content-type", self.content)
            .header("x-amz-target", format!("{}.{action}", self.target))
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=none"),
            )
            .send(asked.to_string())
            .with_context(|| format!("failed to reach AWS at {}", self.endpoint))?;
        let text = response.body_mut().read_to_string()?;
        let value: Value = serde_json::from_str(&text)
            .with_context(|| format!("AWS answered {action} with {text}"))?;
        if response.status().is_success() {
            return Ok(Answer::Success(value));
        }
        let kind = value["__type"].as_str().unwrap_or_default().to_owned();
        Ok(Answer::Refused(kind, text))
    }
}

/// What AWS answers.
pub(crate) enum Answer {
    Success(Value),
    /// The kind of error, and all that was said about it.
    Refused(String, String),
}

impl Answer {
    /// What came of it; an error if that is nothing.
    pub(crate) fn success(self) -> Result<Value> {
        match self {
            Self::Success(value) => Ok(value),
            Self::Refused(_, said) => bail!("AWS refused: {said}"),
        }
    }
}
