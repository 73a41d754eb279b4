//! What a cloud account spends, as far as that keeps promotions back.

use async_trait::async_trait;
use thiserror::Error;

use super::registry::{CredentialProblem, Said};
use crate::group::cloudwatch::BudgetGuard;
use crate::promotion::restraint::GuardFound;

/// Tells what is spent.
#[async_trait]
pub trait Spending: Send + Sync {
    /// What a budget guard goes by, as it is now.
    async fn guard(&self, guard: &BudgetGuard) -> Result<GuardFound, SpendingError>;
}

/// Why nobody tells what is spent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpendingError {
    /// Whoever tells does not know, or does not trust, who asks.
    #[error("{problem}")]
    Credentials {
        /// What is wrong and what helps.
        problem: CredentialProblem,
        /// What was said, or is missing.
        #[source]
        source: Said,
    },
    /// Every attempt was turned away.
    #[error("CloudWatch turned {attempts} attempts away as too many requests: try again later")]
    Throttled {
        /// How often it was asked.
        attempts: u32,
        /// What it said last.
        #[source]
        source: Said,
    },
    /// Nothing answered.
    #[error("failed to reach CloudWatch: check the network, the region and AWS_ENDPOINT_URL")]
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
