//! Handing over what takes work by itself: workers that start when they are promoted,
//! and `CronJob`s. Nobody calls them, so no Service keeps two colours of them apart.
//!
//! The old ones stop before the new ones start, and the new ones before the old ones
//! start again: never both. Workers are handed over right before the switch. The new
//! version has to cope with what the old one left in a queue anyway; the old one never
//! meets what the new one wrote, and a worker that does not start costs no user
//! anything. `CronJob`s start last, as nothing takes a Job back that has run.

use super::deploying::reason;
use super::{Mark, Next, Situation, Step, abort, names};
use crate::group::name::AppName;
use crate::plan::color::Color;
use crate::plan::cron::is_suspended;
use crate::plan::object::Object;
use crate::plan::{AppPlan, Plan};
use crate::promotion::observed::{CronState, DeploymentState, Observed};
use crate::promotion::trouble::{Trouble, troubles};
use crate::promotion::{Raise, Stopped};

impl<'a> Situation<'a> {
    /// A `CronJob` of the candidate, if this promotion made it.
    pub fn made_cron(&self, name: &str) -> Option<&'a CronState> {
        let mut crons = self.crons(self.promotion.candidate);
        crons.find(|cron| cron.name == name && self.is_ours(&cron.promotion))
    }

    /// `CronJob`s of a colour, except those this promotion made.
    pub(super) fn strange_crons(&self, color: Color) -> impl Iterator<Item = &'a CronState> {
        let ours = self.promotion.id.as_ref();
        self.crons(color).filter(move |cron| cron.promotion != ours)
    }

    fn old(&self) -> Color {
        self.promotion.candidate.other()
    }

    fn is_worker(&self, app: &AppName) -> bool {
        self.plan.workers().any(|worker| worker.name == *app)
    }

    /// What of the old colour stands still, and is to work by its plan.
    pub fn idle(&self) -> Vec<Stopped> {
        let crons = &self.observed.crons;
        let of = |replaced| idle(replaced, self.observed, crons);
        self.replaced.map(of).unwrap_or_default()
    }

    fn hands_over(&self) -> bool {
        let plan = self.plan;
        let has_any = plan.workers().next().is_some() || plan.crons().next().is_some();
        has_any || self.crons(self.old()).next().is_some()
    }
}

/// What of a plan's colour stands still, and is to work by it.
pub fn idle(plan: &Plan, observed: &Observed, crons: &[CronState]) -> Vec<Stopped> {
    let workers = plan.workers().filter_map(|app| {
        let found = observed.deployment(&app.name, plan.candidate)?;
        (found.wanted == 0 && !found.deleting).then(|| Stopped {
            name: found.name.clone(),
            uid: found.uid.clone(),
            pods: Some(app.replicas()),
        })
    });
    let planned = plan.crons().filter(|cron| !is_suspended(cron));
    let crons = planned.filter_map(|planned| {
        let mut found = crons.iter();
        let found = found.find(|found| found.name == planned.name())?;
        (found.suspended && !found.deleting).then(|| Stopped {
            name: found.name.clone(),
            uid: found.uid.clone(),
            pods: None,
        })
    });
    workers.chain(crons).collect()
}

fn is_over(situation: Situation<'_>) -> bool {
    !situation.hands_over() || situation.is_marked(Mark::HandedOver)
}

/// What comes before the switch. `None`: nothing, or no more.
pub(super) fn next(situation: Situation<'_>) -> Option<Next> {
    if is_over(situation) {
        return None;
    }
    let running = running(situation);
    if !running.is_empty() || !situation.is_marked(Mark::HandingOver) {
        return Some(Next::Do(Step::StopOld(running)));
    }
    let left = pods_of_workers(situation, situation.old());
    if !left.is_empty() {
        let what = format!("{} pods to end: {}", situation.old(), names(&left));
        return Some(situation.wait(what));
    }
    let lacking: Vec<_> = situation
        .plan
        .workers()
        .filter_map(|app| start(situation, app))
        .collect();
    if !lacking.is_empty() {
        return Some(Next::Do(Step::Raise(lacking)));
    }
    let unready = unready(situation);
    let troubles = troubles_of(situation);
    if troubles.iter().any(|trouble| trouble.hopeless) {
        return Some(abort(troubles.iter().map(reason).collect()));
    }
    let wait = || {
        situation.wait(format!(
            "pods of {} to be ready before the switch",
            names(&unready)
        ))
    };
    (!unready.is_empty()).then(wait)
}

/// Workers that were started and do not run yet.
fn unready(situation: Situation<'_>) -> Vec<&AppName> {
    let mut unready = situation.unready();
    unready.retain(|app| situation.is_worker(app));
    unready
}

/// Why these do not.
pub(super) fn troubles_of(situation: Situation<'_>) -> Vec<Trouble> {
    let color = situation.promotion.candidate;
    let of_app = |app: &AppName| troubles(situation.observed, app, color);
    unready(situation).into_iter().flat_map(of_app).collect()
}

/// What comes once all users are at the candidate.
pub(super) fn last(situation: Situation<'_>) -> Option<Step> {
    (!is_over(situation) && next(situation).is_none()).then_some(Step::Schedule)
}

/// What is left of it once there is no way back.
pub(super) fn rest(situation: Situation<'_>) -> Option<Step> {
    match next(situation) {
        Some(Next::Do(step)) => Some(step),
        Some(_) => None,
        None => last(situation),
    }
}

/// The way back, once users are where they were. `None`: nothing, or no more.
pub(super) fn back(situation: Situation<'_>) -> Option<Next> {
    // An earlier way back may have left something standing still.
    let is_due = situation.is_marked(Mark::HandingOver) || !situation.idle().is_empty();
    if !is_due || situation.is_marked(Mark::HandedBack) {
        return None;
    }
    let color = situation.promotion.candidate;
    // Before anything that may take its time.
    if works(situation, color) {
        return Some(Next::Do(Step::StopNew));
    }
    // Deleted, no request that is late starts them.
    let deployments = situation.observed.deployments.iter();
    let workers = deployments.filter(|d| d.color == color && situation.is_worker(&d.app));
    let (going, standing): (Vec<_>, Vec<_>) = workers.partition(|d| d.deleting);
    if !standing.is_empty() {
        let standing = standing.iter().map(|d| (d.name.clone(), d.uid.clone()));
        return Some(Next::Do(Step::DeleteDeployments(standing.collect())));
    }
    let mut left = pods_of_workers(situation, color);
    left.extend(going.iter().map(|d| d.name.as_str()));
    Some(if left.is_empty() {
        Next::Do(Step::StartOld)
    } else {
        situation.wait(format!("{color} pods to end: {}", names(&left)))
    })
}

/// Workers that were started again and do not run yet.
pub(super) fn unready_again(situation: Situation<'_>) -> Vec<&str> {
    if !situation.is_marked(Mark::HandedBack) {
        return Vec::new();
    }
    let stopped = situation.promotion.stopped.iter();
    let waits = |stopped: &&Stopped| {
        let mut deployments = situation.observed.deployments.iter();
        let found = deployments.find(|d| d.uid == stopped.uid && !d.deleting);
        found.is_some_and(|found| !found.is_ready())
    };
    stopped.filter(waits).map(|s| s.name.as_str()).collect()
}

/// Whether an app of the old colour has no pods because its successor runs, or is to.
pub(super) fn is_stopped(situation: Situation<'_>, app: &AppName) -> bool {
    situation.is_marked(Mark::HandingOver) && situation.is_worker(app)
}

/// Jobs of a colour's `CronJob`s that have not ended.
pub(super) fn runs(situation: Situation<'_>, color: Color) -> Vec<String> {
    let runs = situation.observed.cron_runs.iter();
    let runs = runs.filter(|run| run.color == color && !run.ended);
    runs.map(|run| run.name.clone()).collect()
}

/// Whether such Jobs are of an earlier promotion.
pub(super) fn has_strange_runs(situation: Situation<'_>, color: Color) -> bool {
    let mut runs = situation.observed.cron_runs.iter();
    runs.any(|run| run.color == color && !run.ended && !situation.is_ours(&run.promotion))
}

/// The wait for these. They call others of their colour.
pub(super) fn wait_for_runs(situation: Situation<'_>, color: Color) -> Option<Next> {
    let runs = runs(situation, color);
    (!runs.is_empty()).then(|| situation.wait(format!("Jobs of {color} to end: {}", names(&runs))))
}

/// `CronJob`s of the candidate that somebody changed or deleted, in words.
pub(super) fn changed(situation: Situation<'_>) -> Vec<String> {
    if situation.is_marked(Mark::HandedOver) {
        return Vec::new();
    }
    let is_changed = |name: &str| {
        let Some(now) = situation.made_cron(name).filter(|now| !now.deleting) else {
            return true;
        };
        // That it makes Jobs is the one change.
        let may_run = situation.is_marked(Mark::HandingOver);
        now.generation != 1 && !(may_run && now.generation == 2 && !now.suspended)
    };
    let names = situation.plan.crons().map(Object::name);
    let changed = names.filter(|name| is_changed(name));
    changed
        .map(|name| format!("somebody changed CronJob {name} after it was made"))
        .collect()
}

/// Whether `CronJob`s of a colour make Jobs.
fn works(situation: Situation<'_>, color: Color) -> bool {
    let mut crons = situation.crons(color);
    crons.any(CronState::works)
}

/// What of the old colour takes work still.
fn running(situation: Situation<'_>) -> Vec<Stopped> {
    let old = situation.old();
    let deployments = situation.observed.deployments.iter();
    let workers = deployments
        .filter(|d| d.color == old && d.wanted > 0 && !d.deleting && situation.is_worker(&d.app));
    let workers = workers.map(|d: &DeploymentState| Stopped {
        name: d.name.clone(),
        uid: d.uid.clone(),
        pods: Some(d.wanted),
    });
    let crons = situation.crons(old).filter(|cron| cron.works());
    let crons = crons.map(|cron| Stopped {
        name: cron.name.clone(),
        uid: cron.uid.clone(),
        pods: None,
    });
    workers.chain(crons).collect()
}

fn pods_of_workers(situation: Situation<'_>, color: Color) -> Vec<&str> {
    let pods = situation.observed.pods.iter();
    let is_theirs =
        |app: &Option<AppName>| app.as_ref().is_some_and(|app| situation.is_worker(app));
    let pods = pods.filter(|pod| pod.color == color && is_theirs(&pod.app));
    pods.filter(|pod| !pod.has_ended())
        .map(|pod| pod.name.as_str())
        .collect()
}

/// The pods that a worker's candidate has not got yet.
fn start(situation: Situation<'_>, app: &AppPlan) -> Option<Raise> {
    let candidate = situation.candidate(&app.name)?;
    super::raising::raise(candidate, app.replicas())
}
