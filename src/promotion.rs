//! One attempt to carry out a plan, as pure data and pure rules.
//!
//! [`next::next`] says what to do now, [`gate`] whether to promote,
//! [`verdict`] what a check's run means. Nothing here does I/O or reads a
//! clock: the engine observes, asks these rules, performs and records.

pub mod agenda;
pub mod cases;
pub mod check;
pub mod event;
pub mod gate;
pub mod id;
pub mod junit;
pub mod next;
pub mod observed;
pub mod pauses;
pub mod phase;
pub mod record;
pub mod request;
pub mod restraint;
pub mod tap;
pub mod trouble;
pub mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::group::name::{AppName, CheckName};
use crate::plan::color::Color;
use crate::plan::fingerprint::{Fingerprint, PlanId, ReleaseId};
use crate::plan::{Plan, Serving};
use check::CheckResult;
use id::PromotionId;
use phase::Phase;
use restraint::Override;

/// A time later; the end of time at most.
pub fn later(time: Timestamp, span: Duration) -> Timestamp {
    time.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// The checkpoint of one promotion: everything needed to drive it on.
///
/// With the plan it names, it is all that a promoter on another machine needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// Its identity, also in the names and labels of what it makes.
    pub id: PromotionId,
    /// The plan it carries out.
    pub plan: PlanId,
    /// The release that plan makes.
    pub release: ReleaseId,
    /// The plan's fingerprint.
    pub fingerprint: Fingerprint,
    /// The colour that is filled.
    pub candidate: Color,
    /// What served before. `None`: nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Serving>,
    /// Whether that stood before promoter came: it is taken over first, and given
    /// back unless this is promoted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopts: bool,
    /// Who asked, by which way.
    pub actor: Actor,
    /// When it began.
    pub started_at: Timestamp,
    /// Why they asked, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What it goes back from, because a person says so: the first digits of the
    /// fingerprint. It counts as found bad once this is promoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves: Option<String>,
    /// What it was begun in the face of, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Override>,
    /// Where it stands.
    pub phase: Phase,
    /// Since when it stands there; deadlines count from here.
    pub phase_since: Timestamp,
    /// When a promoter took over what another one had left. No deadline runs
    /// while nobody drives, so they count from here if this is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_at: Option<Timestamp>,
    /// Side effects known to be complete.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub marks: BTreeSet<Mark>,
    /// The candidate Deployments that were checked. Another uid or generation
    /// later on means that somebody changed what was tested.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tested: BTreeMap<AppName, Tested>,
    /// Deployments that are being given more pods, until that is confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raising: Vec<Raise>,
    /// What took work by itself in the old colour, and was stopped for the candidate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<Stopped>,
    /// The run each check is at; absent until it is started.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attempts: BTreeMap<CheckName, u32>,
    /// The uid of the Job of each check's present run. A run without one is
    /// lost: its promoter ended before it knew what it had made.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub runs: BTreeMap<CheckName, String>,
    /// Checks whose present run began before every node could be taken to know
    /// the candidate: it passes, or says nothing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub early: BTreeSet<CheckName>,
    /// Checks that have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<CheckResult>,
    /// What it has been waiting for for a while, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Whether traffic may have reached the candidate, so that it drains before
    /// it goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exposed: bool,
    /// When traffic was back at what served before; the drain counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned_at: Option<Timestamp>,
    /// Why it is being aborted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Whether the old colour goes without waiting out `keep_old`, because a
    /// newer promotion has work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hurry: bool,
}

/// A Deployment as it stood when its checks began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// Its uid.
    pub uid: String,
    /// Its generation, which any change of its spec moves.
    pub generation: i64,
    /// Pods it had ready: a member that falls below this has regressed.
    pub ready: u32,
}

/// A Deployment that gets more pods, and the only state it gets them in: it was
/// tested, so that any other change of it has to be told from this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raise {
    /// The app it runs.
    pub app: AppName,
    /// Its colour.
    pub color: Color,
    /// Its name.
    pub deployment: String,
    /// Its uid.
    pub uid: String,
    /// Its generation before; the raise moves it by one.
    pub generation: i64,
    /// Pods it asks for afterwards.
    pub replicas: u32,
}

/// What nobody has to call for it to work: a Deployment of a worker, or a `CronJob`.
/// It is stopped before its successor starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Pods it had; `None`: it is a `CronJob`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<u32>,
}

/// A side effect known to be complete; done again after a crash, it changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mark {
    /// What stood before promoter came is the group's.
    TakenOver,
    /// Configuration, budgets and colour Services of the candidate exist.
    Prepared,
    /// A policy keeps the candidate and the other colour from calling each other.
    Walled,
    /// Only ready pods are behind the candidate's Services.
    Unpublished,
    /// Shared objects are about to change: an abort restores them from here on.
    SharedBegun,
    /// Shared objects have the plan's shape.
    Shared,
    /// What takes work by itself in the old colour is about to be stopped: an abort
    /// starts it again from here on.
    HandingOver,
    /// What takes work by itself does so in the candidate's colour alone.
    HandedOver,
    /// It does so in the old colour alone again.
    HandedBack,
    /// The candidate's autoscalers are about to be applied: they may change it.
    Autoscaled,
    /// Active Services have the plan's shape, and autoscalers rule the candidate.
    Services,
    /// The old colour is about to be taken down: there is no way back any more.
    LetGo,
    /// Shared objects and active Services have their previous shape again.
    Restored,
    /// What no living plan needs any more is gone.
    Pruned,
    /// What stood before promoter came is as it was found.
    GivenBack,
}

/// Who asked for a promotion, by which way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `user@host`, or a key's or login's name.
    pub name: String,
    /// How it was asked for.
    pub trigger: Trigger,
}

/// The way by which a promotion was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// A person at a terminal, or a script of theirs.
    Cli,
    /// The group's schedule, by the daemon.
    Cron,
    /// New images, by the daemon.
    Push,
}

impl Trigger {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Cli, Self::Cron, Self::Push];
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cli => "cli",
            Self::Cron => "cron",
            Self::Push => "push",
        })
    }
}

/// Why a promotion is aborted or needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// What kind of reason; decides the exit code.
    pub kind: ReasonKind,
    /// One line that can be read alone.
    pub text: String,
    /// The last lines of the container it is about, where it crashed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_lines: Vec<String>,
}

/// The kinds of reasons that exit codes and metrics tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonKind {
    /// A check failed or timed out.
    Check,
    /// A check gave no verdict.
    CheckErrored,
    /// The gate refused for another reason than a check.
    Gate,
    /// The candidate did not become ready, or not stay so until its switch.
    Deploy,
    /// An object could not be applied or switched.
    Apply,
    /// A person stopped it.
    Interrupted,
    /// It was promoted, and lost pods inside `keep_old`.
    Regressed,
    /// It was promoted, and a person moved traffic back inside `keep_old`.
    RolledBack,
    /// A person holds the group.
    Held,
    /// A person banned an image of it.
    Banned,
}

impl ReasonKind {
    /// Whether it says that the release is bad: what it was made from is not
    /// promoted again by itself (promise 5). What may have failed for what surrounds
    /// it is.
    pub fn blames_release(self) -> bool {
        matches!(self, Self::Check | Self::Regressed | Self::RolledBack)
    }
}

impl Reason {
    /// A reason of a kind.
    pub fn new(kind: ReasonKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            last_lines: Vec::new(),
        }
    }
}

impl Promotion {
    /// A promotion that has not done anything yet.
    pub fn new(id: PromotionId, plan: &Plan, actor: Actor, now: Timestamp) -> Self {
        Self {
            id,
            plan: plan.id(),
            release: plan.release.clone(),
            fingerprint: plan.fingerprint.clone(),
            candidate: plan.candidate,
            replaces: plan.replaces.clone(),
            adopts: false,
            actor,
            why: None,
            leaves: None,
            overrides: None,
            started_at: now,
            phase: Phase::Planned,
            phase_since: now,
            resumed_at: None,
            marks: BTreeSet::new(),
            tested: BTreeMap::new(),
            raising: Vec::new(),
            stopped: Vec::new(),
            attempts: BTreeMap::new(),
            runs: BTreeMap::new(),
            early: BTreeSet::new(),
            results: Vec::new(),
            waits_for: None,
            exposed: false,
            returned_at: None,
            reasons: Vec::new(),
            hurry: false,
        }
    }

    /// The run a check is at, counted from one; `None` until it is started.
    pub fn attempt(&self, check: &CheckName) -> Option<u32> {
        self.attempts.get(check).copied()
    }

    /// The result of a check, once it has ended.
    pub fn result(&self, check: &CheckName) -> Option<&CheckResult> {
        self.results.iter().find(|result| result.check == *check)
    }

    /// Since when somebody drives it in its phase; deadlines count from here.
    pub fn driven_since(&self) -> Timestamp {
        let since = self.phase_since;
        self.resumed_at.map_or(since, |resumed| since.max(resumed))
    }

    /// Goes on with another promoter, whose clock is the one that counts from
    /// now on: nothing has happened later than now.
    pub fn take_over(&mut self, now: Timestamp) {
        self.resumed_at = Some(now);
        self.phase_since = self.phase_since.min(now);
        self.returned_at = self.returned_at.map(|at| at.min(now));
    }

    /// Moves to a phase.
    pub fn enter(&mut self, phase: Phase, reasons: Vec<Reason>, now: Timestamp) {
        self.exposed |= self.phase.leads_users() && phase == Phase::Aborting;
        self.phase = phase;
        self.phase_since = now;
        self.waits_for = None;
        self.reasons.extend(reasons);
    }
}
