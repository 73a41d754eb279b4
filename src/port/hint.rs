//! Hints that an image was pushed.
//!
//! A hint says no more than that it is worth to look at a repository again: what
//! is there, the registry tells. So it does not matter whether hints come twice,
//! late, in another order or not at all.

use async_trait::async_trait;
use thiserror::Error;

use super::registry::{CredentialProblem, Said};
use crate::group::image::RepositoryName;

/// A queue of hints.
#[async_trait]
pub trait Hints: Send + Sync {
    /// Waits for hints, half a minute at most (and a minute more if nobody answers);
    /// those of one repository come as one.
    /// To give up waiting loses none.
    async fn next(&self) -> Result<Heard, HintError>;

    /// A hint was followed: the repository was looked at. One for which this is not
    /// said within a minute of its coming comes again.
    async fn done(&self, hint: &Hint) -> Result<(), HintError>;
}

/// What came out of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// One for each repository.
    pub hints: Vec<Hint>,
    /// Messages that were of no use, and are gone.
    pub dropped: usize,
}

/// That something was pushed to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Twelve-digit AWS account of the registry.
    pub account: String,
    /// The registry's region.
    pub region: String,
    /// The repository.
    pub repository: RepositoryName,
    /// What was pushed, for the log only.
    pub pushed: String,
    /// What the queue knows its messages by: one or several, as they came.
    pub receipts: Vec<Receipt>,
}

/// What a queue knows a message by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt(pub String);

/// Why no hints come.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HintError {
    /// That is no address of a queue. It is not repeated, as there may be a login in it.
    #[error(
        "PROMOTER_PUSH_QUEUE is not the URL of an SQS queue: give it as `terraform output` shows it, with an account of twelve digits and a name at its end"
    )]
    Url,
    /// It is not clear where the queue is.
    #[error("the URL of queue `{0}` names no AWS region: set AWS_REGION")]
    NoRegion(String),
    /// There is no such queue.
    #[error(
        "queue `{queue}` does not exist in {region}: check PROMOTER_PUSH_QUEUE, or unset it to poll only"
    )]
    Missing {
        /// Its name.
        queue: String,
        /// Where it was looked for.
        region: String,
    },
    /// SQS does not know, or does not trust, who asks.
    #[error("{problem}")]
    Credentials {
        /// What is wrong and what helps.
        problem: CredentialProblem,
        /// What was said, or is missing.
        #[source]
        source: Said,
    },
    /// Every attempt was turned away.
    #[error("SQS turned {attempts} attempts away as too many requests: try again later")]
    Throttled {
        /// How often it was asked.
        attempts: u32,
        /// What it said last.
        #[source]
        source: Said,
    },
    /// Nothing answered.
    #[error("failed to reach SQS: check the network, the region and AWS_ENDPOINT_URL")]
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
        /// What was said.
        #[source]
        source: Said,
    },
}
