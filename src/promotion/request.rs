//! What a person asks of whoever drives a promotion.
//!
//! A request lies in the group's `DeploymentGroup`, where its promoter sees it
//! without being asked; it is bound to one promotion and never carried over.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::PromotionId;
use super::phase::Phase;

/// A wish about one promotion under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The promotion it is about.
    pub promotion: PromotionId,
    /// What is wished.
    pub action: Action,
    /// Who wishes it.
    pub actor: String,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was put, by the clock of who did.
    pub at: Timestamp,
}

impl Request {
    /// Whether it wishes this of that promotion.
    pub fn is_for(&self, action: Action, promotion: &PromotionId) -> bool {
        self.action == action && self.promotion == *promotion
    }

    /// Who wishes it, and why where they say so.
    pub fn asked_by(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{} ({reason})", self.actor),
            None => self.actor.clone(),
        }
    }
}

/// What can be wished of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is given up before any user is at its candidate.
    Abort,
    /// Traffic goes back to what served before, which stands until `keep_old` is over.
    Rollback,
}

impl Action {
    /// Whether it may still be done while a promotion is in that phase.
    pub fn is_possible(self, phase: Phase) -> bool {
        match self {
            Self::Abort => matches!(
                phase,
                Phase::Planned | Phase::Deploying | Phase::Checking | Phase::Promoting
            ),
            Self::Rollback => phase.leads_users(),
        }
    }
}
