//! What of the cluster the rules look at, as plain facts.

mod cron;

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::group::name::{AppName, CheckName};
use crate::plan::color::Color;
use crate::plan::fingerprint::PlanId;
use crate::plan::object::Object;
use crate::plan::{Plan, ServicePlan};
use crate::promotion::request::Request;
use crate::promotion::restraint::Restraints;

pub use cron::{CronRun, CronState};

/// The group's corner of the cluster at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The group's Deployments.
    pub deployments: Vec<DeploymentState>,
    /// The group's pods: of apps, checks, hooks and `CronJob`s.
    pub pods: Vec<PodState>,
    /// Every Service of the namespace, by name.
    pub services: BTreeMap<String, Arc<Object>>,
    /// Every `NetworkPolicy` of the namespace, by name.
    pub policies: BTreeMap<String, Arc<Object>>,
    /// Endpoints of the group's Services, by Service name.
    pub endpoints: BTreeMap<String, Vec<Endpoint>>,
    /// The group's Jobs, for checks and hooks.
    pub jobs: Vec<JobState>,
    /// The group's `CronJob`s; only looked for where a plan under way has any.
    pub crons: Vec<CronState>,
    /// Jobs that those made.
    pub cron_runs: Vec<CronRun>,
    /// What a person asks for.
    pub request: Option<Request>,
    /// What keeps releases from users.
    pub restraints: Restraints,
    /// How often the API server's answers broke off since the promoter began to look.
    pub outages: u32,
    /// When they broke off last, as far as this promoter saw it.
    pub away_at: Option<Timestamp>,
}

/// A Deployment of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentState {
    /// `<app>-<color>`.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// The app it runs.
    pub app: AppName,
    /// Its colour.
    pub color: Color,
    /// The promotion that made it.
    pub promotion: String,
    /// The epoch of the lock it was written under last; 0: nothing says so.
    pub epoch: u64,
    /// The plan it was made from; `None`: nothing says so.
    pub plan: Option<PlanId>,
    /// Moved by every change of its spec.
    pub generation: i64,
    /// The generation its status speaks of.
    pub observed_generation: i64,
    /// Pods it asks for.
    pub wanted: u32,
    /// Pods of its newest template that are ready.
    pub ready: u32,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Why it cannot make pods, such as an exceeded quota.
    pub failure: Option<String>,
}

/// A pod of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodState {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// The app it runs; `None` for the pod of a Job.
    pub app: Option<AppName>,
    /// The check or hook it runs; `None` for other pods.
    pub check: Option<CheckName>,
    /// Its colour.
    pub color: Color,
    /// The promotion that made it.
    pub promotion: String,
    /// Uid of the object that owns it (a Job's, for checks).
    pub owner: Option<String>,
    /// `Pending`, `Running`, `Succeeded`, `Failed`.
    pub phase: String,
    /// Whether it takes requests.
    pub ready: bool,
    /// Whether it counts as not ready only because nothing was heard of its
    /// node for a while: its containers were ready when something was.
    pub unheard: bool,
    /// When that was so last, as far as this promoter saw it.
    pub unheard_at: Option<Timestamp>,
    /// The node it is on.
    pub node: Option<String>,
    /// Addresses that are its own, and not its node's.
    pub addresses: Vec<IpAddr>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Why it was disrupted, from its `DisruptionTarget` condition.
    pub disrupted: Option<String>,
    /// `status.reason`, such as `Evicted` or `DeadlineExceeded`.
    pub reason: Option<String>,
    /// Why no node takes it.
    pub unschedulable: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its containers, init containers first.
    pub containers: Vec<ContainerState>,
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerState {
    /// Its name.
    pub name: String,
    /// Whether it takes requests.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// Since when it runs.
    pub running_since: Option<Timestamp>,
    /// Why it does not run yet: reason and message.
    pub waiting: Option<(String, String)>,
    /// How it ended, or ended last.
    pub ended: Option<Ended>,
    /// When this promoter first saw a check's container ended.
    pub ended_at: Option<Timestamp>,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What it exited with.
    pub exit_code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// `Completed`, `Error`, `OOMKilled`, …
    pub reason: String,
    /// What the runtime says about it.
    pub message: String,
    /// When it had started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// One address behind a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The pod's name.
    pub pod: String,
    /// Whether it takes requests, or is said to before it does.
    pub ready: bool,
    /// Since when it is seen there.
    pub since: Timestamp,
}

/// The Job of a check or a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// The check it runs.
    pub check: CheckName,
    /// The promotion that made it.
    pub promotion: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it was made suspended and never let run.
    pub suspended: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Reason of its `Failed` or `FailureTarget` condition, or `Complete`.
    pub ended: Option<String>,
}

impl Observed {
    /// Puts a Service there, in the place of one of its name.
    pub fn add_service(&mut self, service: impl Into<Arc<Object>>) {
        let service = service.into();
        self.services.insert(service.name().to_owned(), service);
    }

    /// The Service of that name.
    pub fn service(&self, name: &str) -> Option<&Object> {
        self.services.get(name).map(AsRef::as_ref)
    }

    /// Pods behind a Service that take requests.
    pub fn ready_endpoints(&self, service: &str) -> impl Iterator<Item = &Endpoint> {
        self.endpoints
            .get(service)
            .into_iter()
            .flatten()
            .filter(|endpoint| endpoint.ready)
    }

    /// An app's Deployment of a colour.
    pub fn deployment(&self, app: &AppName, color: Color) -> Option<&DeploymentState> {
        let mut deployments = self.deployments.iter();
        deployments.find(|d| d.app == *app && d.color == color)
    }

    /// An app's pods of a colour.
    pub fn app_pods<'a>(
        &'a self,
        app: &'a AppName,
        color: Color,
    ) -> impl Iterator<Item = &'a PodState> {
        self.pods
            .iter()
            .filter(move |pod| pod.app.as_ref() == Some(app) && pod.color == color)
    }

    /// How many pods that a promotion made of an app take requests.
    pub fn ready_pods(&self, app: &AppName, promotion: &str) -> u32 {
        let pods = self.pods.iter().filter(|pod| {
            pod.ready
                && !pod.deleting
                && pod.app.as_ref() == Some(app)
                && pod.promotion == promotion
        });
        u32::try_from(pods.count()).unwrap_or(u32::MAX)
    }

    /// Whether a plan's colour stands as it did when it served: every Deployment
    /// whole, behind its Services, and not asked to go. Those that `is_stopped` are
    /// there without pods.
    pub fn is_whole(&self, plan: &Plan, is_stopped: impl Fn(&AppName) -> bool) -> bool {
        plan.apps.iter().all(|app| {
            let color = plan.candidate;
            let ready = self
                .app_pods(&app.name, color)
                .filter(|pod| pod.ready && !pod.deleting);
            // What follows the pods is a moment late.
            let ready = u32::try_from(ready.count()).unwrap_or(u32::MAX);
            let stands = |d: &DeploymentState| {
                let runs = d.is_ready() && d.wanted > 0 && ready >= d.wanted;
                runs || is_stopped(&app.name) && !d.deleting
            };
            let routed = |service: &ServicePlan| self.is_served(service);
            self.deployment(&app.name, color).is_some_and(stands) && app.services.iter().all(routed)
        })
    }

    /// Whether any pod takes requests behind the colour's own Service.
    pub fn is_served(&self, service: &ServicePlan) -> bool {
        let name = service.colored.name();
        self.ready_endpoints(name).next().is_some()
    }

    /// The pod of that name.
    pub fn pod(&self, name: &str) -> Option<&PodState> {
        self.pods.iter().find(|pod| pod.name == name)
    }
}

impl PodState {
    /// Whether all its containers have ended for good.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&ContainerState> {
        let mut containers = self.containers.iter();
        containers.find(|container| container.name == name)
    }
}

impl DeploymentState {
    /// Whether its newest template runs in full.
    pub fn is_ready(&self) -> bool {
        !self.deleting && self.observed_generation >= self.generation && self.ready >= self.wanted
    }
}
