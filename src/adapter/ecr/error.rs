//! What an error of the AWS client means, in the port's words.
//!
//! Input: the client's error. Output: what failed, what helps, and what AWS
//! said, as short text. The client's own error is not passed on, since it holds
//! the whole answer and sometimes the request.

use std::error::Error;

use aws_config::retry::RetryConfig;
use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::ProvideCredentials as _;
use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};

use super::{ATTEMPTS, Ecr, PAGE};
use crate::group::image::RepositoryName;
use crate::port::registry::{CredentialProblem, RegistryError, Said};

/// Longest text that is kept of an answer.
const LONGEST: usize = 400;

/// How alike two repositories must be, and how many of them are offered.
const ALIKE: f64 = 0.8;
const OFFERED: usize = 3;

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
        let SdkError::ServiceError(answer) = &error else {
            return self.no_answer(action, &error).await;
        };
        let status = answer.raw().status().as_u16();
        let code = answer.err().code().unwrap_or_default();
        let source = if code.is_empty() {
            Said(format!(
                "an answer with HTTP status {status} that is not ECR's"
            ))
        } else {
            said(code, answer.err().message())
        };
        if code == "RepositoryNotFoundException" {
            return RegistryError::RepositoryNotFound {
                repository: repository.clone(),
                registry: self.name(),
                similar: self.similar(repository).await,
            };
        }
        if is_throttled(&error) {
            let connection = self.session.connection().await;
            let attempts = connection
                .config
                .retry_config()
                .map_or(ATTEMPTS, RetryConfig::max_attempts);
            return RegistryError::Throttled { attempts, source };
        }
        match credential_problem(code) {
            Some(problem) => RegistryError::Credentials { problem, source },
            None => RegistryError::Other { action, source },
        }
    }

    /// AWS did not answer, or was not asked for want of credentials.
    async fn no_answer<E>(&self, action: String, error: &SdkError<E>) -> RegistryError
    where
        E: Error + 'static,
    {
        let source = Said(chain(error));
        match error {
            SdkError::TimeoutError(_) => RegistryError::Unreachable { source },
            SdkError::DispatchFailure(f) if f.is_io() || f.is_timeout() => {
                RegistryError::Unreachable { source }
            }
            _ => match self.credentials_missing().await {
                Some(source) => {
                    let text = source.0.to_lowercase();
                    let problem = if text.contains("expired") {
                        CredentialProblem::Expired
                    } else {
                        CredentialProblem::Missing
                    };
                    RegistryError::Credentials { problem, source }
                }
                None => RegistryError::Other { action, source },
            },
        }
    }

    /// Why there are no credentials, if that is so.
    async fn credentials_missing(&self) -> Option<Said> {
        let connection = self.session.connection().await;
        match connection.config.credentials_provider() {
            None => Some(Said("no credential provider is configured".to_owned())),
            Some(provider) => {
                let error = provider.provide_credentials().await.err()?;
                Some(Said(chain(&error)))
            }
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
        let names = answer
            .repositories()
            .iter()
            .filter_map(|r| r.repository_name());
        let mut alike: Vec<_> = names
            .map(|name| (strsim::jaro_winkler(repository.as_str(), name), name))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .collect();
        alike.sort_by(|a, b| b.0.total_cmp(&a.0));
        alike
            .into_iter()
            .take(OFFERED)
            .map(|(_, name)| name.to_owned())
            .collect()
    }
}

/// Whether AWS says that what the request was signed with has expired.
pub(super) fn is_expired<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let code = error.as_service_error().and_then(E::code);
    code.and_then(credential_problem) == Some(CredentialProblem::Expired)
}

/// Whether AWS turned the request away as one too many.
pub(super) fn is_throttled<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let code = error.as_service_error().and_then(E::code);
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    code.is_some_and(is_throttling) || status == Some(429)
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

/// An error and everything behind it, each text once, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = error.source();
    }
    shorten(&text.split_whitespace().collect::<Vec<_>>().join(" "))
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
