//! What a person asks of whoever drives a promotion.
//!
//! A request lies in the group's `DeploymentGroup`, where its promoter sees it
//! without being asked; it is bound to one promotion and never carried over.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::PromotionId;

/// A wish about one promotion under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The promotion it is about.
    pub promotion: PromotionId,
    /// What is wished.
    pub action: Action,
    /// Who wishes it.
    pub actor: String,
    /// When it was put, by the clock of who did.
    pub at: Timestamp,
}

impl Request {
    /// Whether it wishes this promotion's traffic back.
    pub fn is_rollback_of(&self, promotion: &PromotionId) -> bool {
        self.action == Action::Rollback && self.promotion == *promotion
    }
}

/// What can be wished of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Traffic goes back to what served before, which stands until `keep_old` is over.
    Rollback,
}
