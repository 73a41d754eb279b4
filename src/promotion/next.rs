//! What to do now: the pure heart of a promotion.
//!
//! `(Plan, Promotion, Observed, now) -> Next`, one file per phase. A step is
//! safe to perform again; whether it worked is only ever concluded from what
//! is observed next, never from having asked for it.

mod aborting;
mod adopting;
mod against;
mod checking;
mod deploying;
mod handover;
mod hooks;
mod promoting;
mod raising;
mod routing;
mod settling;
mod step;
mod teardown;
mod walling;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::observed::{CronState, DeploymentState, Endpoint, JobState, Observed, PodState};
use super::phase::Phase;
use super::{Mark, Promotion, Reason, ReasonKind, Tested, later};
use crate::group::When;
use crate::group::name::AppName;
use crate::plan::bearers::Bearers;
use crate::plan::color::Color;
use crate::plan::colored::is_as_planned;
use crate::plan::label::Role;
use crate::plan::object::Object;
use crate::plan::{Plan, ServicePlan};

pub use checking::facts;
pub use handover::idle;
pub use step::{Next, Step};

/// What a promotion is judged by at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The plan that is carried out.
    pub plan: &'a Plan,
    /// The plan of what served before, if anything did.
    pub replaced: Option<&'a Plan>,
    /// The checkpoint.
    pub promotion: &'a Promotion,
    /// The cluster.
    pub observed: &'a Observed,
    /// The time.
    pub now: Timestamp,
}

/// What to do now.
pub fn next(situation: Situation<'_>) -> Next {
    // What has begun comes to its end: half a migration is worse than either.
    if let Some(hook) = situation.hook_under_way() {
        let wall = walling::due(situation);
        return wall.map_or_else(|| hooks::run(situation, hook), Next::Do);
    }
    let stopped = situation.stopped();
    if !stopped.is_empty() {
        return abort(stopped);
    }
    let phase = situation.promotion.phase;
    if matches!(phase, Phase::Deploying | Phase::Checking)
        && let Some(step) = adopting::unlabelled(situation)
    {
        return Next::Do(step);
    }
    match phase {
        Phase::Planned => enter(Phase::Deploying),
        Phase::Deploying => deploying::next(situation),
        Phase::Checking => checking::next(situation),
        Phase::Promoting => promoting::next(situation),
        Phase::Settling => settling::next(situation),
        Phase::Aborting => aborting::next(situation),
        Phase::Promoted | Phase::Aborted | Phase::Failed => Next::End,
    }
}

/// Deletes what of these Jobs is not going already; `None`: nothing is left to delete.
fn delete_jobs<'a>(jobs: impl Iterator<Item = &'a JobState>) -> Option<Step> {
    let jobs = jobs.filter(|job| !job.deleting);
    let jobs: Vec<_> = jobs
        .map(|job| (job.name.clone(), job.uid.clone()))
        .collect();
    (!jobs.is_empty()).then_some(Step::DeleteJobs(jobs))
}

fn enter(phase: Phase) -> Next {
    enter_for(phase, Vec::new())
}

fn abort(reasons: Vec<Reason>) -> Next {
    enter_for(Phase::Aborting, reasons)
}

fn enter_for(phase: Phase, reasons: Vec<Reason>) -> Next {
    Next::Enter {
        phase,
        reasons,
        tested: Vec::new(),
    }
}

impl<'a> Situation<'a> {
    /// When the phase has to be over.
    pub fn deadline(&self) -> Timestamp {
        let phase = self.promotion.phase;
        let limit = phase.time_limit(self.plan, self.replaced);
        let mut limit = limit.unwrap_or_default();
        // The candidate's own time begins once they have ended.
        if phase == Phase::Deploying && hooks::is_open(*self, When::BeforeDeploy) {
            limit = limit.saturating_add(self.plan.hook_time(When::BeforeDeploy));
        }
        let since = self.promotion.driven_since();
        later(since, limit)
    }

    /// Whether that is over.
    pub fn is_overdue(&self) -> bool {
        self.now >= self.deadline()
    }

    /// A time if it has not come yet; the phase's deadline if that comes first.
    fn pending(&self, time: Option<Timestamp>) -> Option<Timestamp> {
        let time = time.filter(|time| self.now < *time)?;
        Some(time.min(self.deadline()))
    }

    fn wait(&self, wait_for: impl Into<String>) -> Next {
        Next::Wait {
            wait_for: wait_for.into(),
            until: self.deadline(),
        }
    }

    fn is_marked(&self, mark: Mark) -> bool {
        self.promotion.marks.contains(&mark)
    }

    /// The candidate Deployment of an app, if this promotion made it.
    fn candidate(&self, app: &AppName) -> Option<&'a DeploymentState> {
        self.observed.deployments.iter().find(|deployment| {
            deployment.app == *app
                && deployment.color == self.promotion.candidate
                && self.is_ours(&deployment.promotion)
        })
    }

    fn is_ours(&self, promotion: &str) -> bool {
        promotion == self.promotion.id.as_ref()
    }

    /// Deployments of a colour, except those this promotion made.
    fn strangers(&self, color: Color) -> impl Iterator<Item = &'a DeploymentState> {
        let ours = self.promotion.id.as_ref();
        self.observed
            .deployments
            .iter()
            .filter(move |d| d.color == color && d.promotion != ours)
    }

    /// `CronJob`s of a colour.
    fn crons(&self, color: Color) -> impl Iterator<Item = &'a CronState> {
        let crons = self.observed.crons.iter();
        crons.filter(move |cron| cron.color == color)
    }

    fn our_jobs(&self) -> impl Iterator<Item = &'a JobState> {
        let ours = self.promotion.id.as_ref();
        self.observed
            .jobs
            .iter()
            .filter(move |job| job.promotion == ours)
    }

    /// Apps whose candidate is not fully ready, or not yet behind its colour
    /// Services. Its pods say so themselves: what the Deployment says of them
    /// comes later, in a large group by many seconds (measured).
    fn unready(&self) -> Vec<&'a AppName> {
        let ready = |app: &crate::plan::AppPlan| {
            let Some(deployment) = self.candidate(&app.name) else {
                return false;
            };
            let ours = self.observed.ready_pods(&app.name, &deployment.promotion);
            let wanted = usize::try_from(deployment.wanted).unwrap_or(usize::MAX);
            let served = |service: &crate::plan::ServicePlan| {
                self.our_endpoints(service.colored.name()).count() >= wanted
            };
            !deployment.deleting && ours >= deployment.wanted && app.services.iter().all(served)
        };
        self.plan
            .apps
            .iter()
            .filter(|app| !ready(app))
            .map(|app| &app.name)
            .collect()
    }

    /// Pods of this promotion that stand behind a Service. Those of an earlier one
    /// may still be listed there.
    fn our_endpoints(&self, service: &str) -> impl Iterator<Item = &'a Endpoint> {
        let endpoints = self.observed.ready_endpoints(service);
        endpoints.filter(|endpoint| {
            let pod = self.observed.pod(&endpoint.pod);
            pod.is_some_and(|pod| self.is_ours(&pod.promotion))
        })
    }

    /// Services of the candidate's colour that are not exactly as planned: what an
    /// earlier promotion made for its own apps, or somebody changed. They could reach
    /// this one's pods, or lead them elsewhere. Their names tell them from those by
    /// which pods that serve are led, and from those of users, as labels can be changed.
    fn left_services(&self) -> impl Iterator<Item = &'a Object> {
        let candidate = self.promotion.candidate;
        let plans = [Some(self.plan), self.replaced].into_iter().flatten();
        let used: BTreeSet<_> = plans
            .flat_map(Plan::services)
            .map(|service| service.active.name())
            .collect();
        let planned: BTreeMap<_, _> = self
            .plan
            .services()
            .map(|service| (service.colored.name(), &service.colored))
            .collect();
        let services = self.observed.services.values().map(Arc::as_ref);
        services.filter(move |found| {
            let is_planned = |planned: &&Object| is_as_planned(planned, found);
            found.is_of(self.plan.group.as_ref(), Role::Colored)
                && ServicePlan::is_colored_name(found.name(), candidate)
                && !used.contains(found.name())
                && !planned.get(found.name()).is_some_and(is_planned)
        })
    }

    /// Whatever the checks ran against, or ran through, that was changed since.
    fn changed_since_tested(&self) -> Vec<Reason> {
        let changed = self.promotion.tested.iter().filter(|(app, tested)| {
            self.candidate(app).is_none_or(|now| {
                let is_same = now.generation == tested.generation
                    || self.is_raised(now)
                    || self.is_autoscaled(app);
                now.uid != tested.uid || !is_same
            })
        });
        let apps = changed.map(|(app, _)| {
            format!("app {app}: somebody changed its candidate after its checks began")
        });
        let rerouted = self.plan.services().filter(|service| {
            let colored = self.observed.service(service.colored.name());
            colored.is_none_or(|now| {
                now.texts_at("/spec/selector") != service.colored.texts_at("/spec/selector")
            })
        });
        let services =
            rerouted.map(|service| format!("somebody changed {}", service.colored.reference()));
        apps.chain(services)
            .chain(handover::changed(*self))
            .map(|text| Reason::new(ReasonKind::Gate, text))
            .chain(walling::breached(*self))
            .collect()
    }

    /// Whether an app's autoscaler may have been applied, and so may change it.
    fn is_autoscaled(&self, app: &AppName) -> bool {
        let app = self.plan.app(app);
        self.is_marked(Mark::Autoscaled) && app.is_some_and(|app| app.autoscaler.is_some())
    }

    /// Apps of which fewer pods are ready than were when they were tested, in
    /// words. Pods whose node is silent count as ready where what served before
    /// runs on the same node: it is hit alike, so that there is no better place
    /// to go back to. What counts is the pods themselves, as all else follows
    /// them a moment later.
    fn regressed(&self) -> Vec<String> {
        let fallen = self.promotion.tested.iter().filter_map(|(app, tested)| {
            let now = self.candidate(app);
            // An autoscaler that asks for fewer pods knows what their users need.
            let wanted = now
                .filter(|_| self.is_autoscaled(app))
                .map(|now| now.wanted);
            let expected = wanted.map_or(tested.ready, |wanted| tested.ready.min(wanted).max(1));
            let ready = now
                .filter(|now| !now.deleting)
                .map_or(0, |_| self.presumed_ready(app));
            (ready < expected)
                .then(|| format!("app {app}: only {ready} of {expected} pods are ready"))
        });
        fallen.collect()
    }

    /// Candidate pods of an app that take requests, as far as is known of them.
    fn presumed_ready(&self, app: &AppName) -> u32 {
        let pods = self.observed.app_pods(app, self.promotion.candidate);
        let ours = pods.filter(|pod| self.is_ours(&pod.promotion) && !pod.deleting);
        let beside_old = |pod: &&PodState| {
            let mut others = self
                .observed
                .pods
                .iter()
                .filter(|other| other.app.is_some());
            pod.node.is_some()
                && others.any(|other| other.color != pod.color && other.node == pod.node)
        };
        let ready = ours.filter(|pod| pod.ready || (pod.unheard && beside_old(pod)));
        u32::try_from(ready.count()).unwrap_or(u32::MAX)
    }

    /// Active Services that are gone, or point neither at what served before nor
    /// at the candidate, in words: somebody changed them.
    pub fn astray(&self) -> Vec<String> {
        let before = self.replaced.into_iter().flat_map(Plan::services);
        let before: BTreeMap<_, _> = before.map(|old| (old.active.name(), old)).collect();
        let serves = matches!(self.promotion.phase, Phase::Settling | Phase::Promoted);
        let strays = self.plan.services().filter_map(|service| {
            let name = service.active.name();
            let before = before.get(name);
            let Some(found) = self.observed.service(name) else {
                // A new one is made right before the switch.
                return (serves || before.is_some()).then(|| gone(name));
            };
            let is_where_it_was = match before {
                Some(old) => old.is_followed_by(found) || self.is_being_taken(old, found),
                None => found.texts_at("/spec/selector").is_empty(),
            };
            let is_right = service.is_followed_by(found) || !serves && is_where_it_was;
            (!is_right).then(|| astray(name))
        });
        strays.collect()
    }

    /// Active Services of the group that point at a colour.
    fn serves(&self, color: Color) -> Vec<String> {
        let group = self.plan.group.as_str();
        let services = self.observed.services.values();
        let serving = services.filter(|found| {
            found.active_color(group) == Some(color) || self.leads_to_adopted(found, color)
        });
        serving.map(|service| service.name().to_owned()).collect()
    }

    /// Active Services of the plan that point at a colour. One that left the
    /// group with its app does not keep that app's pods.
    fn led_to(&self, color: Color) -> Vec<String> {
        let planned = |name: &String| {
            let mut services = self.plan.services();
            services.any(|service| service.active.name() == name)
        };
        self.serves(color).into_iter().filter(planned).collect()
    }

    /// Waits until nobody is sent any more to a colour that is to go.
    fn wait_to_leave(&self, serving: &[String], color: Color) -> Next {
        self.wait(format!(
            "Service {} to leave {color}, where somebody pointed it; \
             `promoter deploy` or `promoter resume` puts it back",
            names(serving)
        ))
    }

    /// Services, other than the candidate's own, that would send callers to the
    /// candidate while it is not promoted.
    fn exposing(&self) -> Vec<Reason> {
        let own: BTreeSet<_> = self
            .plan
            .services()
            .map(|service| service.colored.name())
            .collect();
        let bearers = Bearers::of(&self.plan.apps);
        let others = self.observed.services.values();
        let others = others.filter(|service| !own.contains(service.name()));
        others
            .flat_map(|service| bearers.selected_by(service).map(move |app| (service, app)))
            .map(|(service, app)| {
                let text = format!(
                    "Service {} selects the untested candidate of app {}",
                    service.name(),
                    app.name
                );
                Reason::new(ReasonKind::Gate, text)
            })
            .collect()
    }

    /// Whether what served before stands as it did, and was not let go.
    fn has_way_back(&self) -> bool {
        let whole = |before| {
            self.observed
                .is_whole(before, |app| handover::is_stopped(*self, app))
        };
        !self.is_marked(Mark::LetGo) && self.replaced.is_some_and(whole)
    }

    /// Whether all users are at the candidate, which passed its checks, and
    /// there is nothing whole to take them back to.
    pub fn is_past_return(&self) -> bool {
        self.has_switched() && !self.has_way_back()
    }

    /// Whether every active Service follows the candidate, and there are some;
    /// before what is shared was applied, that is somebody else's doing.
    fn has_switched(&self) -> bool {
        let follow = self.leads_any() && self.switched() == Some(true);
        follow && self.is_marked(Mark::Shared)
    }

    /// Whether any active Service may follow the candidate. A group without
    /// Services has none.
    fn leads_any(&self) -> bool {
        self.plan.services().next().is_some() && self.switched() != Some(false)
    }

    /// Whether an active Service points at the plan's colour.
    fn follows(&self, service: &ServicePlan) -> bool {
        let active = self.observed.service(service.active.name());
        active.is_some_and(|active| service.is_followed_by(active))
    }

    /// Whether every active Service points at the plan's colour; `None` while they differ.
    pub fn switched(&self) -> Option<bool> {
        let points: BTreeSet<bool> = self
            .plan
            .services()
            .map(|service| self.follows(service))
            .collect();
        match points.len() {
            0 => Some(true),
            1 => points.first().copied(),
            _ => None,
        }
    }
}

/// What is said of an active Service that points where it should not.
pub fn astray(service: &str) -> String {
    format!("somebody changed the selector of Service {service}")
}

/// What is said of an active Service that is not there.
pub fn gone(service: &str) -> String {
    format!("somebody deleted Service {service}")
}

fn names<'a, T: std::fmt::Display + ?Sized + 'a>(items: impl IntoIterator<Item = &'a T>) -> String {
    items
        .into_iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
