//! How one gets in to a cluster that a cloud provider runs.
//!
//! The provider says where the cluster is, and vouches for who asks with tokens
//! that are good for some minutes. A token lets whoever has it in: it never gets
//! into a log, an error or a `Debug` output.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use thiserror::Error;

use super::registry::{CredentialProblem, Said, did_you_mean};

/// Where a cluster is, and how one knows that it is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// How people know the cluster.
    pub cluster: String,
    /// URL of its API server.
    pub server: String,
    /// Certificates that vouch for the server: PEM in base64, as a kubeconfig has it.
    pub authority: String,
}

/// Lets whoever has it in.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: String,
    /// From when on it is good.
    pub signed: Timestamp,
    /// Until when it may be sent.
    pub expires: Timestamp,
}

impl Token {
    /// A token and when it is good.
    pub fn new(secret: String, signed: Timestamp, expires: Timestamp) -> Self {
        Self {
            secret,
            signed,
            expires,
        }
    }

    /// The token itself, to be sent to the cluster and nowhere else.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether it may be sent then.
    pub fn is_good(&self, at: Timestamp) -> bool {
        self.signed <= at && at < self.expires
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Token {{ signed: {}, expires: {} }}",
            self.signed, self.expires
        )
    }
}

/// Gives out tokens for one cluster.
#[async_trait]
pub trait Login: Send + Sync {
    /// A token that is good now. Waits for one only if there is none.
    async fn token(&self) -> Result<Token, LoginError>;

    /// Another one than a token that the cluster refused. `None`: there is no use
    /// in another one.
    async fn instead_of(&self, refused: &Token) -> Result<Option<Token>, LoginError>;

    /// The cluster took a token.
    fn accepted(&self, token: &Token);

    /// What it means that the cluster takes no token.
    fn refused(&self) -> LoginError;
}

/// Why one does not get in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoginError {
    /// There is no such cluster.
    #[error(
        "cluster `{cluster}` does not exist in EKS in {region}{}",
        did_you_mean(similar, "the cluster's name, the region and the credentials' account")
    )]
    NotFound {
        /// What was asked for.
        cluster: String,
        /// Where.
        region: String,
        /// Names of clusters that look like it.
        similar: Vec<String>,
    },
    /// It is there and cannot be used.
    #[error("cluster `{cluster}` {state}")]
    NotReady {
        /// Which.
        cluster: String,
        /// What is the matter, and what to do.
        state: String,
    },
    /// The provider does not know, or does not trust, who asks.
    #[error("{problem}")]
    Credentials {
        /// What is wrong and what helps.
        problem: CredentialProblem,
        /// What the provider or the credential chain said.
        #[source]
        source: Said,
    },
    /// The cluster takes none of the tokens.
    #[error(
        "cluster `{cluster}` does not let the AWS credentials in: log in with others, or give their IAM identity an access entry in the cluster"
    )]
    Refused {
        /// Which.
        cluster: String,
    },
    /// It is not clear where to look for it.
    #[error(
        "no AWS region is set: give the cluster's `region`, AWS_REGION or the profile's `region`"
    )]
    NoRegion,
    /// The provider turned every attempt away.
    #[error("EKS turned {attempts} attempts away as too many requests: try again later")]
    Throttled {
        /// How often it was asked.
        attempts: u32,
        /// What it said last.
        #[source]
        source: Said,
    },
    /// Nothing answered.
    #[error("failed to reach EKS: check the network, the region and AWS_ENDPOINT_URL")]
    Unreachable {
        /// What stood in the way.
        #[source]
        source: Said,
    },
    /// Anything else.
    #[error("failed to {action}")]
    Other {
        /// What was attempted, with its subject.
        action: String,
        /// What the provider said.
        #[source]
        source: Said,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_is_good_for_a_while_and_not_shown() {
        let (signed, expires) = (at("2026-11-21T09:00:00Z"), at("2026-11-21T09:14:00Z"));
        let token = Token::new("k8s-aws-v1.c2VjcmV0".to_owned(), signed, expires);
        for (moment, good) in [
            ("2026-11-21T08:59:59Z", false),
            ("2026-11-21T09:00:00Z", true),
            ("2026-11-21T09:13:59.999Z", true),
            ("2026-11-21T09:14:00Z", false),
        ] {
            assert_eq!(token.is_good(at(moment)), good, "{moment}");
        }
        assert_eq!(
            format!("{token:?}"),
            "Token { signed: 2026-11-21T09:00:00Z, expires: 2026-11-21T09:14:00Z }"
        );
    }
}
