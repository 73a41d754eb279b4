//! What keeps a release from users although its checks may pass: a hold on its
//! group, a ban on an image, a group that has to have passed first, an image that is
//! older than what serves, inputs that were found bad before, a budget that is spent.
//!
//! Planning asks [`Restraints::against`] before anything is made, and a promotion
//! under way asks it until users are moved; so whatever triggers a promotion is
//! bound alike (promise 6). What is spent is asked for while planning only
//! ([`Guarded`]). Nothing here knows who may override.

mod ban;
mod budget;
mod overriding;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::id::PromotionId;
use super::phase::Phase;
use super::record::GroupRecord;
use super::{Reason, ReasonKind};
use crate::group::name::{AppName, GroupName};
use crate::plan::Plan;
use crate::plan::fingerprint::{PlanId, hex};

pub use ban::{Ban, BannedImage, BannedImageError};
pub use budget::{Alarm, AlarmState, Budget, Charges, GuardFound, Guarded};
pub use overriding::{Known, Override};

/// Who says something, why and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Who.
    pub actor: String,
    /// Why, in their words.
    pub reason: String,
    /// When, by the clock of who said it.
    pub at: Timestamp,
}

/// What keeps releases of a group from users now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restraints {
    /// Who holds the group, and why.
    pub hold: Option<Statement>,
    /// The namespace's bans, lifted or not.
    pub bans: Vec<Ban>,
    /// Where the namespace's groups stand, by name.
    pub groups: BTreeMap<String, Standing>,
}

/// Where a group stands, for those that require it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The plan of what serves. `None`: nothing was ever promoted.
    pub serving: Option<PlanId>,
    /// The promotion under way.
    pub in_flight: Option<PromotionId>,
    /// How its last promotion ended.
    pub last: Option<Phase>,
}

impl Standing {
    /// Where a record says that its group stands.
    pub fn of(record: &GroupRecord) -> Self {
        Self {
            serving: record.serving.as_ref().map(|serving| serving.plan.clone()),
            in_flight: record
                .in_flight
                .as_ref()
                .map(|promotion| promotion.id.clone()),
            last: record.outcomes.first().map(|outcome| outcome.phase),
        }
    }

    /// Why who was planned beside that plan of it may not be promoted.
    fn refuses(&self, planned_beside: Option<&PlanId>) -> Option<String> {
        let Some(serving) = &self.serving else {
            return Some("it was never promoted here".to_owned());
        };
        if let Some(promotion) = &self.in_flight {
            return Some(format!("its promotion {promotion} is under way"));
        }
        // What was rebuilt knows no outcomes, and serves.
        if self.last.is_some_and(|last| last != Phase::Promoted) {
            return Some("its last promotion was not promoted".to_owned());
        }
        (Some(serving) != planned_beside)
            .then(|| "it was promoted since this was planned".to_owned())
    }
}

/// One thing that keeps one release from users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Restraint {
    /// Somebody holds the group.
    Held {
        /// Who, and why.
        by: Statement,
    },
    /// Somebody banned an image of the release.
    Banned {
        /// What runs it: `app hello-a`.
        subject: String,
        /// The digits by which it is banned.
        image: String,
        /// Who, and why.
        by: Statement,
    },
    /// A group that has to have passed first has not, or serves other images.
    Required {
        /// Which.
        group: GroupName,
        /// What is wrong with it.
        why: String,
    },
    /// An app's branch has an older image to offer than the one that serves: the
    /// newest was deleted, or what proved it good no longer does.
    Older {
        /// The app.
        app: AppName,
        /// The tag of what serves.
        serves: String,
        /// The tag of what would.
        offered: String,
    },
    /// The environment's budget guard keeps promotions back.
    Budget {
        /// What is spent, or that nobody can tell.
        why: String,
    },
    /// The same inputs were found bad before.
    Failed {
        /// By which promotion.
        promotion: PromotionId,
        /// What it said.
        why: String,
    },
}

impl Restraints {
    /// What of it is about a plan.
    pub fn against(&self, plan: &Plan) -> Vec<Restraint> {
        let held = self.hold.iter().cloned().map(|by| Restraint::Held { by });
        let bans = self.bans.iter().filter(|ban| ban.lifted.is_none());
        let banned = bans.flat_map(|ban| ban.subjects(plan).map(|subject| ban.of(subject)));
        let required = plan.requires.iter().filter_map(|required| {
            let none = Standing::default();
            let standing = self.groups.get(required.group.as_str()).unwrap_or(&none);
            let why = standing.refuses(required.plan.as_ref())?;
            let group = required.group.clone();
            Some(Restraint::Required { group, why })
        });
        held.chain(banned).chain(required).collect()
    }
}

impl Restraint {
    /// What tells it from anything else.
    fn id(&self) -> String {
        let text = serde_json::to_vec(self).expect("it is made of texts and times");
        hex(&Sha256::digest(text)[..8])
    }

    /// Whether it may go without anybody's word: who is not in a hurry waits for that.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Required { .. } | Self::Budget { .. } => true,
            Self::Held { .. } | Self::Banned { .. } | Self::Older { .. } | Self::Failed { .. } => {
                false
            }
        }
    }

    /// Why a promotion that was begun is aborted for it.
    pub fn reason(&self) -> Reason {
        let kind = match self {
            Self::Held { .. } => ReasonKind::Held,
            Self::Banned { .. } => ReasonKind::Banned,
            Self::Required { .. }
            | Self::Older { .. }
            | Self::Budget { .. }
            | Self::Failed { .. } => ReasonKind::Gate,
        };
        Reason::new(kind, self.to_string())
    }
}

impl fmt::Display for Restraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { by } => write!(f, "held by {by}"),
            Self::Banned { subject, image, by } => {
                write!(f, "{subject}: its image {image} is banned by {by}")
            }
            Self::Required { group, why } => write!(f, "requires group {group}: {why}"),
            Self::Older {
                app,
                serves,
                offered,
            } => write!(
                f,
                "app {app}: its newest image {offered} is older than {serves}, which serves"
            ),
            Self::Budget { why } => write!(f, "budget guard: {why}"),
            Self::Failed { promotion, why } => {
                write!(
                    f,
                    "these very inputs were found bad by promotion {promotion}: {why}"
                )
            }
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.actor, self.reason)
    }
}
