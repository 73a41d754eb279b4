//! What an error of the AWS client means, whichever service it is about.
//!
//! Input: the client's error. Output: what kind of failure it is, and what AWS
//! said, as short text. The client's own error is not passed on, since it holds
//! the whole answer and sometimes the request.

use std::error::Error;
use std::iter;

use aws_config::retry::RetryConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::{ATTEMPTS, Session};
use crate::port::registry::{CredentialProblem, Said};

/// Longest text that is kept of an answer.
const LONGEST: usize = 400;

/// What a request failed for.
pub(in crate::adapter) enum Meaning {
    /// AWS turned every attempt away.
    Throttled { attempts: u32, source: Said },
    /// AWS does not know, or does not trust, who asks.
    Credentials {
        problem: CredentialProblem,
        source: Said,
    },
    /// Nothing answered.
    Unreachable { source: Said },
    /// What only the service can tell.
    Other { source: Said },
}

impl<C> Session<C> {
    /// Says what a failed request means; may ask for credentials.
    pub(in crate::adapter) async fn meaning<E>(&self, error: &SdkError<E>) -> Meaning
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let SdkError::ServiceError(answer) = error else {
            return self.no_answer(error).await;
        };
        let status = answer.raw().status().as_u16();
        let code = answer.err().code().unwrap_or_default();
        let source = if code.is_empty() {
            let service = self.service();
            Said(format!(
                "an answer with HTTP status {status} that is not {service}'s"
            ))
        } else {
            said(code, answer.err().message())
        };
        if is_throttled(error) {
            let connection = self.connection().await;
            let retries = connection.config.retry_config();
            let attempts = retries.map_or(ATTEMPTS, RetryConfig::max_attempts);
            return Meaning::Throttled { attempts, source };
        }
        match credential_problem(code) {
            Some(problem) => Meaning::Credentials { problem, source },
            None => Meaning::Other { source },
        }
    }

    /// AWS did not answer, or was not asked for want of credentials.
    async fn no_answer<E: Error + 'static>(&self, error: &SdkError<E>) -> Meaning {
        let source = said_by(error);
        match error {
            SdkError::TimeoutError(_) => Meaning::Unreachable { source },
            SdkError::DispatchFailure(f) if f.is_io() || f.is_timeout() => {
                Meaning::Unreachable { source }
            }
            _ => match self.credentials().await {
                Err(missing) => missing,
                Ok(_) => Meaning::Other { source },
            },
        }
    }
}

/// What AWS said, on one line that is not longer than people read.
fn said_by(error: &dyn Error) -> Said {
    Said(shorten(&Said::of(error).0))
}

impl Meaning {
    /// Why the chain gave no credentials.
    pub(super) fn of_missing(error: &CredentialsError) -> Self {
        let source = said_by(error);
        if is_unreachable(error) {
            return Self::Unreachable { source };
        }
        let text = source.0.to_lowercase();
        let problem = if text.contains("expired") {
            CredentialProblem::Expired
        } else if text.contains("accessdenied") {
            CredentialProblem::Denied
        } else {
            CredentialProblem::Missing
        };
        Self::Credentials { problem, source }
    }

    /// There is no chain to ask.
    pub(super) fn of_no_chain() -> Self {
        Self::Credentials {
            problem: CredentialProblem::Missing,
            source: Said("no credential provider is configured".to_owned()),
        }
    }

    pub(super) fn is_expired(&self) -> bool {
        let expired = CredentialProblem::Expired;
        matches!(self, Self::Credentials { problem, .. } if *problem == expired)
    }
}

/// Whether nobody answered who was to give out credentials.
fn is_unreachable(error: &CredentialsError) -> bool {
    let mut causes = iter::successors(error.source(), |cause| (*cause).source());
    causes.any(|cause| {
        let connector = cause.downcast_ref::<ConnectorError>();
        connector.is_some_and(|error| error.is_io() || error.is_timeout())
    })
}

/// What AWS calls the error that it answered with.
pub(in crate::adapter) fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(E::code)
}

/// Whether AWS says that what the request was signed with has expired.
pub(super) fn is_expired<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    code(error).and_then(credential_problem) == Some(CredentialProblem::Expired)
}

/// Whether AWS turned the request away as one too many.
pub(in crate::adapter) fn is_throttled<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    code(error).is_some_and(is_throttling) || status == Some(429)
}

fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "SlowDown"
    )
}

fn credential_problem(code: &str) -> Option<CredentialProblem> {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            Some(CredentialProblem::Expired)
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "AuthFailure"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => Some(CredentialProblem::Invalid),
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "BlockedByOrganizationPolicyException" => Some(CredentialProblem::Denied),
        _ => None,
    }
}

/// Code and message of an answer. Messages about signatures quote the signed
/// request with its session token, so of those only the code is kept.
fn said(code: &str, message: Option<&str>) -> Said {
    match message {
        Some(message) if !code.contains("Signature") && !message.is_empty() => {
            Said(shorten(&format!("{code}: {message}")))
        }
        _ => Said(code.to_owned()),
    }
}

/// The first line, within bounds.
fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_request_is_not_quoted() {
        let message = "The Canonical String should have been 'POST x-amz-security-token:SECRET'";
        for code in ["InvalidSignatureException", "SignatureDoesNotMatch"] {
            assert_eq!(said(code, Some(message)), Said(code.to_owned()));
        }
        assert_eq!(said("A", Some("b")), Said("A: b".to_owned()));
        assert_eq!(said("A", None), Said("A".to_owned()));
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(shorten("one\ntwo"), "one");
        assert_eq!(shorten(""), "");
        assert_eq!(
            shorten(&"é".repeat(1000)),
            format!("{}...", "é".repeat(LONGEST))
        );
    }
}
