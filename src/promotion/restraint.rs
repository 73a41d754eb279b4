//! What keeps a release from users although its checks may pass: a hold on its
//! group, a ban on an image, inputs that were found bad before.
//!
//! Planning asks [`Restraints::against`] before anything is made, and a promotion
//! under way asks it until users are moved; so whatever triggers a promotion is
//! bound alike (promise 6). Nothing here knows who may override.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::id::PromotionId;
use super::phase::Phase;
use super::record::GroupRecord;
use super::{Reason, ReasonKind};
use crate::group::name::{AppName, GroupName};
use crate::plan::Plan;
use crate::plan::fingerprint::{PlanId, hex};
use crate::plan::image::Digest;

/// Fewest digits by which an image is banned: as many as are shown of a digest.
const FEWEST: usize = 12;

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

/// An image that no group of the namespace promotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Which.
    pub image: BannedImage,
    /// Who bans it, and why.
    pub by: Statement,
    /// Who lifted that since. It stays on record.
    pub lifted: Option<Statement>,
}

/// The first digits of an image's digest, twelve at least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BannedImage(String);

/// The text does not name an image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{}` names no image; give its digest, or the first {FEWEST} digits of it or more, as `promoter plan` \
     and `promoter diff` show them",
    .0.chars().take(80).collect::<String>()
)]
pub struct BannedImageError(String);

impl BannedImage {
    /// Takes a digest or its first digits, with or without `sha256:` and whatever
    /// stands before an `@`.
    ///
    /// # Errors
    /// It has fewer than twelve digits, more than a digest, or other letters.
    pub fn parse(text: &str) -> Result<Self, BannedImageError> {
        let digest = text.rsplit_once('@').map_or(text, |(_, digest)| digest);
        let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if (FEWEST..=64).contains(&hex.len()) && hex.bytes().all(is_digit) {
            Ok(Self(hex.to_owned()))
        } else {
            Err(BannedImageError(text.to_owned()))
        }
    }

    /// Whether it names that image.
    pub fn is(&self, digest: &Digest) -> bool {
        digest.hex().starts_with(&self.0)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BannedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
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
    /// The same inputs were found bad before.
    Failed {
        /// By which promotion.
        promotion: PromotionId,
        /// What it said.
        why: String,
    },
}

/// That somebody promotes nevertheless, and in the face of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Why, in their words.
    pub reason: String,
    /// What kept the release from users when they said so. What comes later
    /// still does.
    pub known: Vec<Known>,
}

/// Something that was overridden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What tells it from anything else: 16 hexadecimal digits.
    pub id: String,
    /// What it is, in words; empty where a record had no room for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
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

impl Ban {
    /// What of a plan runs the image.
    fn subjects<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = String> + 'a {
        let is_named = |reference: &str| {
            let digest = Digest::of_reference(reference);
            digest.is_some_and(|digest| self.image.is(&digest))
        };
        let apps = plan.apps.iter().filter(move |app| {
            let containers = app.deployment.containers();
            let mut beside = containers.filter_map(|container| container.get("image")?.as_str());
            self.image.is(&app.image.digest) || beside.any(is_named)
        });
        let jobs = plan.jobs().filter(move |job| is_named(&job.image));
        let apps = apps.map(|app| format!("app {}", app.name));
        apps.chain(jobs.map(|job| plan.called(&job.name)))
    }

    fn of(&self, subject: String) -> Restraint {
        Restraint::Banned {
            subject,
            image: self.image.to_string(),
            by: self.by.clone(),
        }
    }
}

impl Restraint {
    /// What tells it from anything else.
    fn id(&self) -> String {
        let text = serde_json::to_vec(self).expect("it is made of texts and times");
        hex(&Sha256::digest(text)[..8])
    }

    /// Why a promotion that was begun is aborted for it.
    pub fn reason(&self) -> Reason {
        let kind = match self {
            Self::Held { .. } => ReasonKind::Held,
            Self::Banned { .. } => ReasonKind::Banned,
            Self::Required { .. } | Self::Older { .. } | Self::Failed { .. } => ReasonKind::Gate,
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

impl Override {
    /// What can be overridden at once: the record has to have room for it.
    pub const MOST: usize = 20;

    /// One in the face of these.
    pub fn of(restraints: &[Restraint], reason: String) -> Self {
        let known = restraints.iter().map(|restraint| Known {
            id: restraint.id(),
            what: restraint.to_string(),
        });
        Self {
            reason,
            known: known.collect(),
        }
    }

    /// Whether it was made in the face of that.
    pub fn knew(&self, restraint: &Restraint) -> bool {
        let id = restraint.id();
        self.known.iter().any(|known| known.id == id)
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.known.iter().map(|known| known.what.as_str());
        let texts: Vec<_> = texts.filter(|what| !what.is_empty()).collect();
        write!(f, "{} ({})", self.reason, texts.join("; "))?;
        match self.known.len() - texts.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_they_are_shown() {
        let hex = "5b6d09d7db3f9fa4".repeat(4);
        let digest = Digest::parse(&format!("sha256:{hex}")).unwrap();
        for written in [
            hex.clone(),
            format!("sha256:{hex}"),
            format!("registry.test/hello-b@sha256:{hex}"),
            hex[..12].to_owned(),
            hex[..40].to_owned(),
        ] {
            let image = BannedImage::parse(&written).unwrap();
            assert!(image.is(&digest), "{written}");
            let other = Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap();
            assert!(!image.is(&other), "{written}");
        }
        for wrong in [
            "",
            "latest",
            "5b6d09d7db3",
            "5B6D09D7DB3F",
            &format!("{hex}0"),
        ] {
            assert!(BannedImage::parse(wrong).is_err(), "{wrong}");
        }
    }
}
