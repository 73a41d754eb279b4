//! What must never break, checked after every port call of every test.
//!
//! Written in other words than the code's, from the invariants in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use promoter::group::{Isolation, When};
use promoter::plan::label::{self, Role};
use promoter::plan::object::Object;
use promoter::plan::{CheckPlan, Plan};
use promoter::promotion::check::Verdict;
use promoter::promotion::phase::Phase;
use promoter::promotion::{Mark, Promotion, Raise};

use super::journal::Entry;
use super::world::State;

/// What has to be remembered to tell whether a promise is kept.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    /// Services that had endpoints which took requests.
    served: BTreeSet<String>,
    /// Promoters that were told that they lost the lock.
    fenced: BTreeSet<String>,
    /// Calls that were looked at.
    looked: usize,
    /// How often each hook of each promotion ran.
    pub(super) hooks: BTreeMap<(String, String), u32>,
    /// Jobs of `CronJob`s that went with these while they ran.
    pub(super) killed: Vec<String>,
    /// Services that users were at before promoter came.
    pub(crate) standing: BTreeSet<String>,
    /// A test broke production itself, so endpoints say nothing.
    pub(crate) outage_expected: bool,
}

impl State {
    /// Fails the test when anything is broken.
    pub(crate) fn check_promises(&mut self, cause: &str) {
        let mut broken: Vec<String> = Vec::new();
        let looked = self.promises.looked;
        let is_read = |entry: &Entry| entry.epoch.is_none();
        // Reading changes nothing; what the cluster does has no call.
        if looked == self.journal.0.len() || !self.journal.0[looked..].iter().all(is_read) {
            broken.extend(self.unserved());
        }
        broken.extend(self.works_twice());
        let killed = std::mem::take(&mut self.promises.killed).into_iter();
        broken.extend(killed.map(|job| format!("Job {job} was killed while it ran")));
        let repeated = self.promises.hooks.iter().filter(|(_, runs)| **runs > 1);
        broken.extend(repeated.map(|(hook, runs)| format!("a hook ran {runs} times: {hook:?}")));
        for place in self.promises.looked..self.journal.0.len() {
            let entry = self.journal.0[place].clone();
            broken.extend(self.look_at(&entry));
        }
        self.promises.looked = self.journal.0.len();
        assert!(
            broken.is_empty(),
            "after `{cause}`: {broken:?}\n{}",
            self.journal
        );
    }

    fn look_at(&mut self, entry: &Entry) -> Option<String> {
        // Calls that were under way together with the one that was turned away
        // are turned away as well; nobody looks for what to do next.
        if entry.call == "acquire" && entry.error.is_none() {
            self.promises.fenced.remove(&entry.process);
        }
        let ends = ["release", "acquire"].contains(&entry.call.as_str())
            || entry.call.starts_with("lines");
        if self.promises.fenced.contains(&entry.process) && entry.epoch.is_none() && !ends {
            return Some(format!("promise 4: it lost the lock and goes on: {entry}"));
        }
        let epoch = entry.epoch?;
        if entry.error.is_some() {
            if epoch < self.epoch {
                self.promises.fenced.insert(entry.process.clone());
            }
            return None;
        }
        if epoch != self.epoch {
            return Some(format!("promise 4: written under an old epoch: {entry}"));
        }
        let (verb, what) = entry.call.split_once(' ').unwrap_or_default();
        match verb {
            "create" | "apply" | "delete" | "raise" | "scale-down" | "alter" => {
                self.unintended(verb, what)
            }
            "set-work" => self.unintended(verb, what),
            "point" => self.unintended(verb, what).or_else(|| self.untested(what)),
            _ => None,
        }
    }

    /// Promise 1: what served goes on serving.
    fn unserved(&mut self) -> Option<String> {
        let endpoints = self.endpoints();
        let ready = |service: &Object| {
            let behind = endpoints.get(service.name()).into_iter().flatten();
            behind.filter(|endpoint| endpoint.ready).count()
        };
        let known = self.promises.served.union(&self.promises.standing);
        let known: BTreeSet<_> = known.cloned().collect();
        let active = |object: &&Object| {
            let is_active = object.label(label::ROLE) == Some(Role::Active.as_str());
            object.kind() == "Service" && (is_active || known.contains(object.name()))
        };
        let services = self.objects.values().filter(active);
        let serving: BTreeSet<_> = services
            .filter(|service| ready(service) > 0)
            .map(|service| service.name().to_owned())
            .collect();
        self.promises.served.extend(serving.iter().cloned());
        if self.promises.outage_expected {
            return None;
        }
        let empty = self.promises.served.difference(&serving);
        let is_standing = |name: &String| self.promises.standing.contains(name);
        let empty: Vec<_> = empty
            .filter(|name| is_standing(name) || self.must_serve(name))
            .collect();
        let exposed = self.exposed();
        if !exposed.is_empty() {
            return Some(format!(
                "promise 2: {exposed:?} lead to an untested candidate"
            ));
        }
        (!empty.is_empty()).then(|| format!("promise 1: nothing serves {empty:?} any more"))
    }

    /// Services users were at before promoter came, and a candidate's pods behind
    /// them although it has not passed.
    fn exposed(&self) -> Vec<String> {
        let under_way = self.record.in_flight.as_ref();
        let untested = under_way.filter(|promotion| {
            let phases = [Phase::Deploying, Phase::Checking, Phase::Aborting];
            phases.contains(&promotion.phase) && !promotion.exposed
        });
        let Some(promotion) = untested else {
            return Vec::new();
        };
        let is_theirs = |pod: &str| {
            let mut pods = self.pods.iter();
            pods.any(|p| p.state.name == pod && p.state.promotion == promotion.id.as_ref())
        };
        let mut exposed = Vec::new();
        for (name, behind) in self.endpoints() {
            let leads = behind.iter().any(|endpoint| is_theirs(&endpoint.pod));
            if leads && self.promises.standing.contains(&name) {
                exposed.push(name);
            }
        }
        exposed
    }

    /// Whether users count on a Service: it belongs to what serves, and to
    /// what is to serve.
    fn must_serve(&self, service: &str) -> bool {
        let has = |plan: Option<&Plan>| {
            plan.is_some_and(|plan| plan.services().any(|s| s.active.name() == service))
        };
        match &self.record.in_flight {
            None => {
                let serving = self.record.serving.as_ref();
                serving.is_some_and(|serving| has(self.plans.get(&serving.plan)))
            }
            Some(promotion) => {
                let replaced = promotion.replaces.as_ref();
                let before = replaced.is_some_and(|r| has(self.plans.get(&r.plan)));
                let after = promotion.phase < Phase::Settling || promotion.phase > Phase::Promoted;
                before && (after || has(self.plans.get(&promotion.plan)))
            }
        }
    }

    fn in_flight(&self) -> Option<(&Promotion, &Plan)> {
        let promotion = self.record.in_flight.as_ref()?;
        Some((promotion, self.plans.get(&promotion.plan)?))
    }

    /// Promise 3: intent is on record before anything is changed.
    fn unintended(&self, verb: &str, what: &str) -> Option<String> {
        let broken = |why: &str| Some(format!("promise 3: {verb} {what}: {why}"));
        let serves = self.record.serving.as_ref().map(|s| s.color.as_str());
        if verb == "point" && serves.is_some_and(|color| what.ends_with(&format!(" to {color}"))) {
            // What serves by the record may be put right at any time.
            return None;
        }
        let made_again = what.strip_prefix("Service ").filter(|_| verb == "apply");
        if made_again.is_some_and(|service| self.must_serve(service)) {
            return None;
        }
        if verb == "delete"
            && self.record.removing.is_some()
            && !what.starts_with("PersistentVolumeClaim")
        {
            return None;
        }
        let adopted = self
            .record
            .serving
            .as_ref()
            .filter(|_| self.in_flight().is_none());
        let adopted = adopted.and_then(|serving| self.plans.get(&serving.plan));
        let gives_back = ["alter", "apply", "delete"].contains(&verb);
        if gives_back && adopted.is_some_and(|plan| plan.adopted.is_some()) {
            // What is given back is on record as what is adopted.
            return None;
        }
        if verb == "set-work" && (self.record.removing.is_some() || self.in_flight().is_none()) {
            // What serves by the record may be put right at any time.
            let serves = serves.is_some_and(|color| what.contains(&format!("-{color} to ")));
            let stops = what.ends_with(" to suspended") || what.ends_with(" to 0 pods");
            // A schedule of what does not serve is nobody's.
            let strays = !serves && what.ends_with(" to suspended");
            let fits = if self.record.removing.is_some() {
                stops
            } else {
                !stops && serves || strays
            };
            return (!fits).then(|| broken("at rest"))?;
        }
        let Some((promotion, plan)) = self.in_flight() else {
            return broken("no promotion with a kept plan is on record");
        };
        let (kind, name) = what.split_once(' ').unwrap_or_default();
        let phase = promotion.phase;
        match (verb, kind) {
            ("create", _) => broken(&self.unintended_object(promotion, plan, kind, name)?),
            ("delete", "Deployment") => {
                let serving = self.record.serving.as_ref();
                let serving = serving.and_then(|serving| self.plans.get(&serving.plan));
                let mut apps = serving.into_iter().flat_map(|plan| &plan.apps);
                let serves = apps.any(|app| app.deployment.name() == name);
                serves.then(|| broken("it serves"))?
            }
            ("delete", "PersistentVolumeClaim") => broken("is never deleted"),
            ("point", _) => {
                let fits = matches!(phase, Phase::Promoting | Phase::Aborting);
                (!fits).then(|| broken(&format!("in phase {phase}")))?
            }
            ("alter", _) => {
                let ends = [Phase::Promoting, Phase::Promoted, Phase::Aborted];
                let fits = promotion.adopts && !ends.contains(&phase);
                (!fits).then(|| broken(&format!("in phase {phase}")))?
            }
            ("raise", _) => {
                let named = |raise: &Raise| format!("{} to {}", raise.deployment, raise.replicas);
                let mut told = promotion.raising.iter().any(|raise| named(raise) == what);
                // That it was done is on record: nobody heard the answer to that.
                let (name, replicas) = what.split_once(" to ")?;
                let uid = self.get("Deployment", name)?.uid();
                told |= promotion.tested.values().any(|tested| {
                    Some(tested.uid.as_str()) == uid && tested.ready.to_string() == replicas
                });
                let fits = matches!(phase, Phase::Promoting | Phase::Aborting);
                (!told || !fits).then(|| broken(&format!("in phase {phase}")))?
            }
            ("set-work", _) => {
                // What an earlier promotion left of this colour is stopped at any time.
                let candidate = format!("-{} to suspended", promotion.candidate);
                let is_time = matches!(phase, Phase::Deploying | Phase::Aborting);
                let clears = is_time && what.ends_with(&candidate);
                let old = format!("-{} to ", promotion.candidate.other());
                let goes_back = phase == Phase::Aborting && what.contains(&old);
                let handing_over = promotion.marks.contains(&Mark::HandingOver);
                let begun = handing_over || clears || goes_back;
                let fits = phase.leads_users() || phase == Phase::Aborting || clears;
                (!begun || !fits).then(|| broken(&format!("in phase {phase}")))?
            }
            ("scale-down", _) => {
                let begun = promotion.marks.contains(&Mark::SharedBegun);
                let fits = matches!(phase, Phase::Promoting | Phase::Aborting);
                (!begun || !fits).then(|| broken(&format!("in phase {phase}")))?
            }
            _ => None,
        }
    }

    /// Why an object was not to be made, if it was not.
    fn unintended_object(
        &self,
        promotion: &Promotion,
        plan: &Plan,
        kind: &str,
        name: &str,
    ) -> Option<String> {
        let phase = promotion.phase;
        let label = self.get(kind, name)?.label(label::PROMOTION);
        if label != Some(promotion.id.as_ref()) {
            return Some("does not carry its promotion".to_owned());
        }
        let wall = format!("{}-{}", plan.group, promotion.candidate);
        let stands = self.get("NetworkPolicy", &wall).is_some();
        let has_pods = ["Deployment", "Job"].contains(&kind);
        let is_walled = plan.isolation == Isolation::NetworkPolicy;
        if has_pods && is_walled && phase < Phase::Settling && !stands {
            return Some("has no wall around it".to_owned());
        }
        let fits = match kind {
            "Deployment" | "ConfigMap" | "CronJob" => {
                phase == Phase::Deploying && have_passed(promotion, plan, &[When::BeforeDeploy])
            }
            "Job" => {
                let run = self.jobs.iter().find(|job| job.name == name);
                let started = run.and_then(|run| promotion.attempt(&run.check));
                let hooks = [Phase::Deploying, Phase::Settling];
                let is_hook = run.is_some_and(|run| plan.is_hook(&run.check));
                let is_time = phase == Phase::Checking || is_hook && hooks.contains(&phase);
                is_time && (run.is_none() || started.is_some())
            }
            _ => false,
        };
        (!fits).then(|| format!("in phase {phase}"))
    }

    /// Promise 2: only what passed every check is switched to.
    fn untested(&self, what: &str) -> Option<String> {
        let (promotion, plan) = self.in_flight()?;
        let (_, color) = what.split_once(" to ")?;
        if color != promotion.candidate.as_str() {
            return None;
        }
        let missing: Vec<_> = plan
            .checks
            .iter()
            .filter(|c| !has_passed(promotion, c))
            .collect();
        let hooks = have_passed(promotion, plan, &[When::BeforeDeploy, When::BeforeSwitch]);
        let is_tested = !plan.checks.is_empty() || plan.untested_allowed;
        let all = missing.is_empty() && hooks && is_tested;
        (!all).then(|| format!("promise 2: point {what} without {} passes", missing.len()))
    }
}

fn has_passed(promotion: &Promotion, check: &CheckPlan) -> bool {
    promotion.results.iter().any(|result| {
        result.check == check.name
            && result.verdict == Verdict::Passed
            && result.promotion == promotion.id.to_string()
            && result.plan == promotion.plan.as_ref()
    })
}

/// Whether all hooks of these points passed.
fn have_passed(promotion: &Promotion, plan: &Plan, points: &[When]) -> bool {
    let hooks = points.iter().flat_map(|when| plan.hooks_at(*when));
    let mut hooks = hooks.into_iter();
    hooks.all(|hook| has_passed(promotion, hook))
}

impl Promises {
    /// What has to be remembered where nothing is under way.
    pub(super) fn of_rest(&self) -> Self {
        Self {
            served: self.served.clone(),
            standing: self.standing.clone(),
            ..Self::default()
        }
    }
}

impl State {
    /// Forgets the journal.
    pub(crate) fn forget_calls(&mut self) {
        self.journal.0.clear();
        self.promises.looked = 0;
    }
}
