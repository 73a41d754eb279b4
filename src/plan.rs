//! From a validated group and what was found outside to a [`Plan`].
//!
//! A Plan holds every choice of one promotion: digests, rendered objects,
//! checks, rules. Whoever carries it out has nothing left to decide about
//! *what*; only [`crate::promotion`] decides *when*. Nothing here does I/O.

pub mod adopt;
pub mod autoscaler;
pub mod bearers;
pub mod capacity;
pub mod check;
pub mod color;
pub mod colored;
pub mod config;
pub mod cron;
pub mod diff;
pub mod fingerprint;
pub mod image;
pub mod init;
pub mod kind;
pub mod label;
pub mod links;
pub mod object;
pub mod paint;
pub mod pin;
pub mod planner;
pub mod policy;
pub mod proof;
pub mod refusal;
pub mod render;
pub mod require;
pub mod resolve;
pub mod source;
pub mod summary;
pub mod survey;
pub mod taking;
pub mod text;
pub mod wall;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::group::name::{AppName, CheckName, EnvironmentName, GroupName, Namespace};
use crate::group::{ENDPOINT_DELAY, Group, Isolation, OnRegression, Report, Start, Untested, When};
use autoscaler::Autoscaler;
use color::Color;
use fingerprint::{Fingerprint, PlanId, ReleaseId};
use image::ResolvedImage;
use object::{Object, ObjectRef};
use source::Source;
use taking::Adopted;

/// Everything one promotion will do, every choice made.
///
/// It is written to the cluster once, before the first side effect, and read
/// back from there by whoever carries it out, so its shape is versioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this shape; see [`Plan::FORMAT`].
    pub format: u32,
    /// The group it promotes.
    pub group: GroupName,
    /// The environment's name, for people.
    pub environment: EnvironmentName,
    /// The namespace all objects live in.
    pub namespace: Namespace,
    /// DNS domain of the cluster's Services.
    pub cluster_domain: String,
    /// What is released: the set of digests and the inputs they run from.
    pub release: ReleaseId,
    /// Hash of this promotion's inputs.
    pub fingerprint: Fingerprint,
    /// The colour that is filled.
    pub candidate: Color,
    /// What served when the plan was made. `None`: nothing did.
    pub replaces: Option<Serving>,
    /// Members, in the order of the group file.
    pub apps: Vec<AppPlan>,
    /// Checks that must all pass.
    pub checks: Vec<CheckPlan>,
    /// What runs once at a point of the promotion, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookPlan>,
    /// Whether promoting without any check is allowed here.
    pub untested_allowed: bool,
    /// How long the old colour stays after the switch.
    pub keep_old: Duration,
    /// How long a candidate that failed stays to be looked at.
    #[serde(default)]
    pub keep_failed: Duration,
    /// How long the candidate may take to become ready.
    pub deploy_timeout: Duration,
    /// How long after an address is published every node routes to it.
    #[serde(default = "endpoint_delay")]
    pub endpoint_delay: Duration,
    /// What happens when a member loses pods while the old colour is kept.
    #[serde(default)]
    pub on_regression: OnRegression,
    /// Checks that run at the same time at most.
    #[serde(default)]
    pub parallel_checks: usize,
    /// What keeps the two colours apart.
    #[serde(default)]
    pub isolation: Isolation,
    /// Groups that have to have passed first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Requirement>,
    /// What it was made from. `None`: it was only drawn up, or made before that was
    /// kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What of it stood before promoter came. `None`: promoter made all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<Adopted>,
}

/// Of plans that were stored before it could be set.
fn endpoint_delay() -> Duration {
    ENDPOINT_DELAY
}

/// What serves: a release in a colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    /// The active colour.
    pub color: Color,
    /// The release that runs in it.
    pub release: ReleaseId,
    /// The plan it was made from.
    pub plan: PlanId,
}

/// One member of the group, rendered for the candidate colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppPlan {
    /// The app.
    pub name: AppName,
    /// The image every choice was made for.
    pub image: ResolvedImage,
    /// Apps of the group it calls.
    pub needs: Vec<AppName>,
    /// `<app>-<color>`, not yet pinned to its colour (see [`pin`]).
    pub deployment: Object,
    /// Its Services.
    pub services: Vec<ServicePlan>,
    /// `ConfigMaps` and Secrets under their content-hashed names.
    pub config: Vec<Object>,
    /// Other objects made per colour, such as disruption budgets.
    pub colored: Vec<Object>,
    /// What scales its pods once the colour serves. Then no `replicas` stands in
    /// the Deployment: see [`AppPlan::count`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaler: Option<Autoscaler>,
    /// When its pods start. Until then its Deployment has none.
    #[serde(default, skip_serializing_if = "Start::is_default")]
    pub start: Start,
    /// Its `CronJob`s, as they are once the colour serves, not yet pinned to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crons: Vec<Object>,
    /// Objects both colours share, applied right before the switch.
    pub shared: Vec<Object>,
}

/// One Service of an app: the user's own and the one made for the colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServicePlan {
    /// The user's Service without its selector.
    pub active: Object,
    /// What its selector becomes at the switch.
    pub selector: BTreeMap<String, String>,
    /// `<service>-<color>`.
    pub colored: Object,
}

impl ServicePlan {
    /// The Service that a colour has for the user's Service of that name.
    pub fn colored_name(active: &str, color: Color) -> String {
        format!("{active}-{color}")
    }

    /// Whether that may be the name of a colour's Service.
    pub fn is_colored_name(name: &str, color: Color) -> bool {
        let before = name.strip_suffix(color.as_str());
        before.is_some_and(|before| before.ends_with('-'))
    }

    /// Whether the active Service, as it was found, points at this plan's colour.
    pub fn is_followed_by(&self, active: &Object) -> bool {
        active.texts_at("/spec/selector") == self.selector
    }
}

/// One check, rendered for the candidate colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckPlan {
    /// The check.
    pub name: CheckName,
    /// Full reference of the image it runs in.
    pub image: String,
    /// Branch and tag it was resolved from, for people; empty for a fixed image.
    pub source: String,
    /// The Job, not yet pinned and not yet named after a promotion.
    pub job: Object,
    /// From the container's start to its end.
    pub timeout: Duration,
    /// From the making of the Job to the container's start.
    pub start_timeout: Duration,
    /// What it says beside its exit code.
    pub report: Report,
}

/// A group of the same namespace that has to have passed first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Which.
    pub group: GroupName,
    /// The plan of what served of it when this one was made. `None`: nothing did.
    pub plan: Option<PlanId>,
}

/// A hook, rendered for the candidate colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HookPlan {
    /// At which point it runs.
    pub when: When,
    /// What is run.
    pub job: CheckPlan,
}

impl Plan {
    /// The version of the stored shape that this build writes and reads.
    pub const FORMAT: u32 = 1;

    /// The plan's identity: the hash of its content.
    pub fn id(&self) -> PlanId {
        PlanId::of(self)
    }

    /// One of a group that consists of nothing yet, for these inputs.
    fn empty(
        group: &Group,
        candidate: Color,
        (fingerprint, release): (Fingerprint, ReleaseId),
    ) -> Self {
        let (environment, strategy) = (&group.environment, &group.strategy);
        Self {
            format: Self::FORMAT,
            group: group.name.clone(),
            environment: environment.name.clone(),
            namespace: environment.namespace.clone(),
            cluster_domain: environment.cluster_domain.clone(),
            release,
            fingerprint,
            candidate,
            replaces: None,
            apps: Vec::new(),
            checks: Vec::new(),
            hooks: Vec::new(),
            untested_allowed: environment.untested == Untested::Allowed,
            keep_old: strategy.keep_old,
            keep_failed: strategy.keep_failed,
            deploy_timeout: strategy.deploy_timeout,
            endpoint_delay: strategy.endpoint_delay,
            on_regression: strategy.on_regression,
            parallel_checks: strategy.parallel_checks,
            isolation: strategy.isolation,
            requires: Vec::new(),
            source: None,
            adopted: None,
        }
    }

    /// The names of its apps.
    pub fn app_names(&self) -> Vec<AppName> {
        self.apps.iter().map(|app| app.name.clone()).collect()
    }

    /// The app of that name.
    pub fn app(&self, name: &AppName) -> Option<&AppPlan> {
        self.apps.iter().find(|app| app.name == *name)
    }

    /// The check or hook of that name.
    pub fn check(&self, name: &CheckName) -> Option<&CheckPlan> {
        self.jobs().find(|check| check.name == *name)
    }

    /// Everything that runs as a Job: checks, then hooks.
    pub fn jobs(&self) -> impl Iterator<Item = &CheckPlan> {
        let hooks = self.hooks.iter().map(|hook| &hook.job);
        self.checks.iter().chain(hooks)
    }

    /// The hooks of a point, in their order.
    pub fn hooks_at(&self, when: When) -> impl Iterator<Item = &CheckPlan> {
        let hooks = self.hooks.iter().filter(move |hook| hook.when == when);
        hooks.map(|hook| &hook.job)
    }

    /// Whether a Job of that name is a hook's.
    pub fn is_hook(&self, name: &CheckName) -> bool {
        self.hooks.iter().any(|hook| hook.job.name == *name)
    }

    /// What a Job of that name is called before people.
    pub fn called(&self, name: &CheckName) -> String {
        let kind = if self.is_hook(name) { "hook" } else { "check" };
        format!("{kind} {name}")
    }

    /// How long the hooks of a point may take.
    pub fn hook_time(&self, when: When) -> Duration {
        let hooks = self.hooks_at(when);
        hooks.map(|hook| hook.timeout + hook.start_timeout).sum()
    }

    /// Every Service of every app.
    pub fn services(&self) -> impl Iterator<Item = &ServicePlan> {
        self.apps.iter().flat_map(|app| &app.services)
    }

    /// Every object that both colours share, except the active Services.
    pub fn shared(&self) -> impl Iterator<Item = &Object> {
        self.apps.iter().flat_map(|app| &app.shared)
    }

    /// The `CronJob`s of its apps.
    pub fn crons(&self) -> impl Iterator<Item = &Object> {
        self.apps.iter().flat_map(|app| &app.crons)
    }

    /// Apps whose pods start when the group is promoted.
    pub fn workers(&self) -> impl Iterator<Item = &AppPlan> {
        self.apps.iter().filter(|app| app.start == Start::OnPromote)
    }

    /// How long Jobs of its `CronJob`s are waited for; nothing where it has none.
    pub fn cron_time(&self) -> Duration {
        self.crons()
            .map(cron::time_to_end)
            .max()
            .unwrap_or_default()
    }

    /// The autoscalers of its apps.
    pub fn autoscalers(&self) -> impl Iterator<Item = &Autoscaler> {
        self.apps.iter().filter_map(|app| app.autoscaler.as_ref())
    }

    /// Every object the plan's colour consists of, except its Jobs.
    pub fn inventory(&self) -> Vec<ObjectRef> {
        self.apps
            .iter()
            .flat_map(planner::objects)
            .map(Object::reference)
            .collect()
    }

    /// The Services of the other colour, for the same apps.
    pub fn idle_services(&self) -> impl Iterator<Item = ObjectRef> {
        let idle = self.candidate.other();
        self.services().map(move |service| {
            let name = ServicePlan::colored_name(service.active.name(), idle);
            ObjectRef::new(service.colored.api_version(), service.colored.kind(), &name)
        })
    }

    /// How long the pods of all apps may take to end, one level of
    /// [`Plan::teardown_order`] after the other (`terminationGracePeriodSeconds`).
    pub fn teardown_time(&self) -> Duration {
        let grace = |name: &AppName| self.app(name).map(AppPlan::grace);
        let of_level = |level: &Vec<AppName>| level.iter().filter_map(grace).max();
        let levels = self.teardown_order();
        levels.iter().filter_map(of_level).sum()
    }

    /// Apps in the order in which their old pods may go: callers first.
    ///
    /// Each inner list may go together once all before it are gone. An app
    /// goes before the apps it needs (design: teardown by `needs`). Without
    /// any `needs`, apps with an entrance from outside go first.
    pub fn teardown_order(&self) -> Vec<Vec<AppName>> {
        if self.apps.iter().all(|app| app.needs.is_empty()) {
            let (outer, inner): (Vec<_>, Vec<_>) =
                self.apps.iter().partition(|app| app.has_outside_entrance());
            let names = |apps: Vec<&AppPlan>| apps.iter().map(|a| a.name.clone()).collect();
            return [names(outer), names(inner)]
                .into_iter()
                .filter(|level: &Vec<AppName>| !level.is_empty())
                .collect();
        }
        let mut left: Vec<&AppPlan> = self.apps.iter().collect();
        let mut levels = Vec::new();
        while !left.is_empty() {
            let (called, free): (Vec<_>, Vec<_>) = left
                .iter()
                .partition(|app| left.iter().any(|other| other.needs.contains(&app.name)));
            // Validation refuses cycles; a cycle read from elsewhere goes as one level.
            let (level, rest) = if free.is_empty() {
                (called, Vec::new())
            } else {
                (free, called)
            };
            levels.push(
                level
                    .iter()
                    .map(|app: &&AppPlan| app.name.clone())
                    .collect(),
            );
            left = rest;
        }
        levels
    }
}

impl AppPlan {
    /// Whether people outside the cluster reach it: a `NodePort` or
    /// `LoadBalancer` Service, or an Ingress in its manifest.
    fn has_outside_entrance(&self) -> bool {
        let outside = |s: &ServicePlan| {
            matches!(
                s.active.str_at("/spec/type"),
                Some("NodePort" | "LoadBalancer")
            )
        };
        self.services.iter().any(outside) || self.shared.iter().any(|o| o.kind() == "Ingress")
    }

    /// Pods it has once it serves, beside `serving` pods of it that take requests;
    /// `None`: nothing serves.
    pub fn count(&self, serving: Option<u32>) -> u32 {
        match &self.autoscaler {
            Some(autoscaler) => autoscaler.count(serving),
            None => self.replicas(),
        }
    }

    /// How long a pod of it has to end; Kubernetes' default is 30 s.
    fn grace(&self) -> Duration {
        let path = "/spec/template/spec/terminationGracePeriodSeconds";
        let seconds = self.deployment.at(path).and_then(serde_json::Value::as_u64);
        Duration::from_secs(seconds.unwrap_or(30))
    }

    /// Pods its Deployment asks for; Kubernetes' default is one.
    pub fn replicas(&self) -> u32 {
        self.deployment
            .at("/spec/replicas")
            .and_then(serde_json::Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(1)
    }
}
