//! What the cluster remembers of a group: the status of its `DeploymentGroup`.
//!
//! Bounded on purpose (design: at most 64 kB, ten outcomes); history belongs
//! into a store, not into etcd.

mod bound;
mod ending;
pub mod rebuild;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::check::{CaseOutcome, CheckResult, Verdict};
use super::id::PromotionId;
use super::next::{astray, gone};
use super::phase::Phase;
use super::restraint::{Override, Restraint};
use super::{Actor, Promotion, Reason};
use crate::group::name::{AppName, CheckName};
use crate::plan::color::Color;
use crate::plan::fingerprint::{Fingerprint, ReleaseId};
use crate::plan::object::Object;
use crate::plan::{AppPlan, Plan, Serving};
pub use bound::Unreadable;
#[cfg(test)]
pub(crate) use bound::tests;
pub use ending::Ending;

/// Outcomes that are kept.
const OUTCOMES: usize = 10;
/// Failed test cases named per check.
const FAILED_CASES: usize = 5;
/// Releases that are kept beyond the one that served before.
const EARLIER: usize = 3;

/// What the cluster remembers of a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRecord {
    /// What serves. `None`: nothing was ever promoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving: Option<Serving>,
    /// What served before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Serving>,
    /// What served before that, newest first: it can be promoted again as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Serving>,
    /// The promotion under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<Promotion>,
    /// The promotion that has ended, as long as it may not have been told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<PromotionId>,
    /// Up to where its schedule is met. `None`: no moment of it was yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<Met>,
    /// Who began to remove the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removing: Option<String>,
    /// Active Services that somebody changed, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub astray: Vec<String>,
    /// The last outcomes, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
}

/// That a moment of a group's schedule led to a promotion, or to the answer that there
/// is nothing to promote: all that may act on the schedule know that it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// The schedule, as [`crate::group::schedule::Schedule`] shows itself: a moment
    /// of another one says nothing.
    pub schedule: String,
    /// The moment.
    pub at: Timestamp,
}

impl Met {
    /// Whether whoever wants to act on `other` has nothing to do any more.
    pub fn covers(&self, other: &Self) -> bool {
        self.schedule == other.schedule && self.at >= other.at
    }
}

/// How one promotion ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The promotion.
    pub promotion: PromotionId,
    /// Its final phase.
    pub phase: Phase,
    /// The release it was about.
    pub release: ReleaseId,
    /// The inputs it was about.
    pub fingerprint: Fingerprint,
    /// The colour it filled.
    pub color: Color,
    /// Who asked.
    pub actor: Actor,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why they asked, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What it went back from, because a person said so: the first digits of the
    /// fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves: Option<String>,
    /// What it was begun in the face of, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Override>,
    /// Why it was not promoted, or what was left over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// What it ran, app by app.
    pub apps: Vec<AppVersion>,
    /// What its checks said. Empty: nothing was tested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSummary>,
    /// What its hooks said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<CheckSummary>,
    /// What the two lists lack, where the record had no room for all.
    #[serde(default, skip_serializing_if = "LeftOut::is_nothing")]
    pub left_out: LeftOut,
}

/// How much is left out of an outcome's lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftOut {
    /// Apps.
    pub apps: usize,
    /// Checks, by what they said.
    pub checks: BTreeMap<Verdict, usize>,
}

/// The image of an app in a release, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppVersion {
    /// The app.
    pub app: AppName,
    /// The tag its image was found by.
    pub tag: String,
}

impl AppVersion {
    /// What an app of a plan runs.
    pub fn of(app: &AppPlan) -> Self {
        Self {
            app: app.name.clone(),
            tag: app.image.tag.clone(),
        }
    }
}

/// A check's result in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckSummary {
    /// The check.
    pub check: CheckName,
    /// How it ended.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Test cases that passed.
    pub passed: usize,
    /// Test cases that failed.
    pub failed: usize,
    /// The first of those that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_cases: Vec<String>,
}

impl CheckSummary {
    /// Sums up a result.
    pub fn of(result: &CheckResult) -> Self {
        let count = |outcome| {
            let kept = result.cases.iter().filter(|case| case.outcome == outcome);
            kept.count() + result.left_out.get(&outcome).copied().unwrap_or_default()
        };
        let failed = result
            .cases
            .iter()
            .filter(|case| case.outcome == CaseOutcome::Failed);
        Self {
            check: result.check.clone(),
            verdict: result.verdict,
            reason: result.reason.clone(),
            passed: count(CaseOutcome::Passed),
            failed: count(CaseOutcome::Failed),
            failed_cases: failed
                .take(FAILED_CASES)
                .map(|case| case.name.clone())
                .collect(),
        }
    }
}

impl Outcome {
    /// That it went back from what served before it.
    fn went_back(&self) -> String {
        let why = self
            .why
            .as_ref()
            .map_or_else(String::new, |why| format!(" ({why})"));
        format!(
            "{} went back to release {} from it{why}",
            self.actor.name, self.release
        )
    }

    /// The outcome of a promotion that has reached a final phase.
    pub fn of(promotion: &Promotion, plan: &Plan, now: Timestamp) -> Self {
        let results = promotion.results.iter();
        let (hooks, checks): (Vec<_>, Vec<_>) =
            results.partition(|result| plan.is_hook(&result.check));
        Self {
            promotion: promotion.id.clone(),
            phase: promotion.phase,
            release: promotion.release.clone(),
            fingerprint: promotion.fingerprint.clone(),
            color: promotion.candidate,
            actor: promotion.actor.clone(),
            started_at: promotion.started_at,
            ended_at: now,
            why: promotion.why.clone(),
            leaves: promotion.leaves.clone(),
            overrides: promotion.overrides.clone(),
            reasons: promotion.reasons.clone(),
            apps: plan.apps.iter().map(AppVersion::of).collect(),
            checks: checks.into_iter().map(CheckSummary::of).collect(),
            hooks: hooks.into_iter().map(CheckSummary::of).collect(),
            left_out: LeftOut::default(),
        }
    }
}

impl GroupRecord {
    /// Takes note of where a promotion stands.
    pub fn take(&mut self, promotion: &Promotion, plan: &Plan, now: Timestamp) {
        match promotion.phase {
            Phase::Settling | Phase::Promoted => self.serve(promotion),
            // What is adopted serves, from before it is changed.
            Phase::Planned | Phase::Deploying | Phase::Checking | Phase::Promoting
                if promotion.adopts =>
            {
                self.serving.clone_from(&promotion.replaces);
            }
            Phase::Planned | Phase::Deploying | Phase::Checking | Phase::Promoting => {}
            Phase::Aborting | Phase::Aborted | Phase::Failed => self.serve_again(promotion),
        }
        match promotion.phase {
            // Nothing of it is left that could be promoted again.
            Phase::Promoted if promotion.adopts => self.previous = None,
            // It is nobody's again.
            Phase::Aborted if promotion.adopts => self.serving = None,
            _ => {}
        }
        if promotion.phase.is_final() {
            self.in_flight = None;
            self.untold = Some(promotion.id.clone());
            self.outcomes
                .retain(|outcome| outcome.promotion != promotion.id);
            self.outcomes.insert(0, Outcome::of(promotion, plan, now));
            self.outcomes.truncate(OUTCOMES);
        } else {
            let mut kept = promotion.clone();
            kept.results.iter_mut().for_each(bound);
            self.in_flight = Some(kept);
        }
    }

    /// That a promotion found these inputs bad, or went back from them, and none has
    /// promoted them since (promise 5).
    pub fn found_bad(&self, inputs: &Fingerprint) -> Option<Restraint> {
        let mut said = self.outcomes.iter().filter_map(|outcome| {
            let is_promoted = outcome.phase == Phase::Promoted;
            if is_promoted && outcome.leaves.as_deref() == Some(inputs.short()) {
                return Some(Err((outcome, outcome.went_back())));
            }
            let mut reasons = outcome.reasons.iter();
            let blamed = reasons.find(|reason| reason.kind.blames_release());
            match (outcome.fingerprint == *inputs, is_promoted, blamed) {
                (true, true, _) => Some(Ok(())),
                (true, false, Some(blamed)) => Some(Err((outcome, blamed.text.clone()))),
                _ => None,
            }
        });
        let (outcome, why) = said.next()?.err()?;
        Some(Restraint::Failed {
            promotion: outcome.promotion.clone(),
            why,
        })
    }

    /// What served before, newest first, as far as it is kept: it can be promoted
    /// again as it was.
    pub fn kept(&self) -> impl Iterator<Item = &Serving> {
        self.previous.iter().chain(&self.earlier)
    }

    /// What of the active Services does not point where the plan of what serves has
    /// them, in words. Nothing while a promotion moves them: that is for whoever
    /// drives it to tell.
    pub fn strays(&self, serving: &Plan, services: &[Object]) -> Vec<String> {
        let phase = self.in_flight.as_ref().map(|promotion| promotion.phase);
        if matches!(phase, Some(Phase::Promoting | Phase::Aborting)) {
            return Vec::new();
        }
        let strays = serving.services().filter_map(|planned| {
            let name = planned.active.name();
            match services.iter().find(|found| found.name() == name) {
                None => Some(gone(name)),
                Some(found) => (!planned.is_followed_by(found)).then(|| astray(name)),
            }
        });
        strays.collect()
    }

    /// The candidate serves from now on.
    fn serve(&mut self, promotion: &Promotion) {
        let serving = Serving {
            color: promotion.candidate,
            release: promotion.release.clone(),
            plan: promotion.plan.clone(),
        };
        if self.serving.as_ref() != Some(&serving) {
            let before = std::mem::replace(&mut self.previous, promotion.replaces.clone());
            self.serving = Some(serving);
            self.remember(before);
        }
    }

    /// What served once, each release once.
    fn remember(&mut self, before: Option<Serving>) {
        self.earlier.splice(0..0, before);
        let nearer = [self.serving.clone(), self.previous.clone()];
        let mut seen: BTreeSet<_> = nearer.into_iter().flatten().map(|s| s.release).collect();
        self.earlier
            .retain(|earlier| seen.insert(earlier.release.clone()));
        self.earlier.truncate(EARLIER);
    }

    /// What the promotion would have replaced serves, whatever was noted meanwhile.
    fn serve_again(&mut self, promotion: &Promotion) {
        if self
            .serving
            .as_ref()
            .is_some_and(|serving| serving.plan == promotion.plan)
        {
            self.serving.clone_from(&promotion.replaces);
            self.previous = None;
            self.remember(None);
        }
    }
}

/// A checkpoint names the first cases that failed; the rest are only counted for people.
fn bound(result: &mut CheckResult) {
    result.keep_failed(FAILED_CASES);
    result.tail.clear();
}
