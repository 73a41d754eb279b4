//! What the API server sends as the facts the rules look at.

mod pod;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus};
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{self as discovery, EndpointSlice};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt};
use serde::Deserialize;

use super::bans::Bans;
use super::kept::{self, Facts, Kept};
use super::ledger::record_of;
use super::resource;
use super::watch::Stores;
use super::whole::Whole;
use crate::group::name::{AppName, CheckName};
use crate::plan::color::Color;
use crate::plan::fingerprint::PlanId;
use crate::plan::label;
use crate::plan::object::Object;
use crate::plan::policy;
use crate::plan::text::cut;
use crate::promotion::observed::{CronRun, DeploymentState, Endpoint, JobState, Observed};
use crate::promotion::request::Request;
use crate::promotion::restraint::{Restraints, Standing, Statement};

/// Bytes of a note that somebody wrote by hand.
const LONGEST_NOTE: usize = 200;

/// Everything the stores know.
pub(super) fn observed(stores: &Stores, outages: u32) -> Observed {
    let mut observed = Observed {
        deployments: facts(&stores.deployments),
        pods: facts(&stores.pods),
        endpoints: endpoints(facts(&stores.slices)),
        request: stores.group().as_deref().and_then(request),
        restraints: restraints(stores),
        outages,
        ..Observed::default()
    };
    for service in facts::<Arc<Object>>(&stores.services) {
        observed.add_service(service);
    }
    for job in facts(&stores.jobs) {
        match job {
            AnyJob::OfPromotion(job) => observed.jobs.push(job),
            AnyJob::OfCron(run) => observed.cron_runs.push(run),
        }
    }
    let policies = facts::<Policy>(&stores.policies).into_iter();
    let by_name = policies.map(|Policy(policy)| (policy.name().to_owned(), policy));
    observed.policies.extend(by_name);
    observed
}

fn facts<T: Facts>(store: &Store<Kept<T>>) -> Vec<T> {
    let kept = store.state();
    kept.iter().filter_map(|kept| kept.facts.clone()).collect()
}

/// What somebody asks for; what cannot be read is no request.
fn request(found: &DynamicObject) -> Option<Request> {
    serde_json::from_value(found.data.pointer("/spec/request")?.clone()).ok()
}

/// What keeps releases of the group from users, by the stores.
pub(super) fn restraints(stores: &Stores) -> Restraints {
    let bans = facts::<Bans>(&stores.bans).into_iter();
    Restraints {
        hold: stores.group().as_deref().and_then(hold),
        bans: bans.flat_map(|Bans(bans)| bans).collect(),
        groups: standings(stores.groups().iter().map(AsRef::as_ref)),
    }
}

/// Where groups stand. Of a record that cannot be read nobody knows: it counts as one
/// of a group that was never promoted.
pub(super) fn standings<'a>(
    found: impl Iterator<Item = &'a DynamicObject>,
) -> BTreeMap<String, Standing> {
    let standings = found.map(|found| {
        let record = record_of(found).unwrap_or_default();
        (found.name_any(), Standing::of(&record))
    });
    standings.collect()
}

/// Who holds a group. One that somebody wrote by hand, so that it cannot be read,
/// holds as well.
pub(super) fn hold(found: &DynamicObject) -> Option<Statement> {
    let hold = found.data.pointer("/spec/hold")?;
    let by_hand = |_| Statement {
        actor: "a note made by hand".to_owned(),
        reason: cut(&hold.to_string(), LONGEST_NOTE),
        at: Timestamp::UNIX_EPOCH,
    };
    Some(serde_json::from_value(hold.clone()).unwrap_or_else(by_hand))
}

/// What is unpacked of an object.
#[derive(Deserialize)]
pub(super) struct Wire<Spec, Status> {
    #[serde(deserialize_with = "kept::metadata")]
    metadata: ObjectMeta,
    spec: Option<Spec>,
    status: Option<Status>,
}

/// What is unpacked of a Deployment's spec.
#[derive(Deserialize)]
pub(super) struct DeploymentSpec {
    replicas: Option<i32>,
}

impl Facts for DeploymentState {
    type Of = Deployment;
    type Wire = Wire<DeploymentSpec, DeploymentStatus>;

    fn read(wire: Self::Wire) -> (ObjectMeta, Option<Self>) {
        let state = deployment(&wire.metadata, wire.spec, wire.status.unwrap_or_default());
        (wire.metadata, state)
    }
}

fn deployment(
    metadata: &ObjectMeta,
    spec: Option<DeploymentSpec>,
    status: DeploymentStatus,
) -> Option<DeploymentState> {
    let updated = count(status.updated_replicas);
    let conditions = status.conditions.unwrap_or_default();
    let failure = conditions
        .into_iter()
        .find(|c| c.type_ == "ReplicaFailure" && c.status == "True");
    let annotations = metadata.annotations.as_ref();
    let plan = annotations.and_then(|all| all.get(label::PLAN_ID));
    Some(DeploymentState {
        name: metadata.name.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
        app: app_of(metadata)?,
        color: color_of(metadata)?,
        promotion: promotion_of(metadata),
        epoch: resource::stamp_in(metadata).unwrap_or(0),
        plan: plan.and_then(|id| PlanId::parse(id)),
        generation: metadata.generation.unwrap_or(0),
        observed_generation: status.observed_generation.unwrap_or(0),
        wanted: spec.map_or(1, |spec| count(spec.replicas.or(Some(1)))),
        ready: count(status.ready_replicas).min(updated),
        deleting: metadata.deletion_timestamp.is_some(),
        failure: failure.and_then(|condition| condition.message),
    })
}

/// Services are read as they are: rules look at fields only users know of.
impl Facts for Arc<Object> {
    type Of = Service;
    type Wire = Whole;

    fn read(wire: Whole) -> (ObjectMeta, Option<Self>) {
        let metadata = wire.meta().clone();
        (metadata, Some(Self::new(wire.into_object("v1", "Service"))))
    }
}

/// A `NetworkPolicy`, as it is.
#[derive(Debug, Clone)]
pub(super) struct Policy(pub(super) Arc<Object>);

impl Facts for Policy {
    type Of = NetworkPolicy;
    type Wire = Whole;

    fn read(wire: Whole) -> (ObjectMeta, Option<Self>) {
        let metadata = wire.meta().clone();
        let policy = wire.into_object(policy::API_VERSION, policy::KIND);
        (metadata, Some(Self(Arc::new(policy))))
    }
}

/// The pods behind a Service that one slice names.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    service: String,
    endpoints: Vec<Endpoint>,
}

/// What is unpacked of a slice.
#[derive(Deserialize)]
pub(super) struct SliceWire {
    #[serde(deserialize_with = "kept::metadata")]
    metadata: ObjectMeta,
    endpoints: Option<Vec<discovery::Endpoint>>,
}

impl Facts for Slice {
    type Of = EndpointSlice;
    type Wire = SliceWire;

    fn read(wire: SliceWire) -> (ObjectMeta, Option<Self>) {
        let since = created_at(&wire.metadata);
        let endpoint = |found: discovery::Endpoint| {
            let ready = found.conditions.and_then(|conditions| conditions.ready);
            Some(Endpoint {
                pod: found.target_ref?.name?,
                ready: ready.unwrap_or(true),
                since,
            })
        };
        let endpoints = wire.endpoints.into_iter().flatten();
        let slice = label_of(&wire.metadata, "kubernetes.io/service-name").map(|service| Self {
            service: service.to_owned(),
            endpoints: endpoints.filter_map(endpoint).collect(),
        });
        (wire.metadata, slice)
    }
}

fn endpoints(slices: Vec<Slice>) -> BTreeMap<String, Vec<Endpoint>> {
    let mut found: BTreeMap<String, Vec<Endpoint>> = BTreeMap::new();
    for slice in slices {
        let endpoints = found.entry(slice.service).or_default();
        for endpoint in slice.endpoints {
            // A dual-stack Service has a slice per family; a pod counts once.
            if !endpoints.iter().any(|known| known.pod == endpoint.pod) {
                endpoints.push(endpoint);
            }
        }
    }
    found
}

/// What is unpacked of a Job's spec.
#[derive(Deserialize)]
pub(super) struct JobSpec {
    suspend: Option<bool>,
}

/// A Job of the group, whoever made it.
#[derive(Debug, Clone)]
pub(super) enum AnyJob {
    /// A promotion, for a check or a hook.
    OfPromotion(JobState),
    /// A `CronJob`.
    OfCron(CronRun),
}

impl Facts for AnyJob {
    type Of = Job;
    type Wire = Wire<JobSpec, JobStatus>;

    fn read(wire: Self::Wire) -> (ObjectMeta, Option<Self>) {
        let suspended = wire.spec.and_then(|spec| spec.suspend).unwrap_or_default();
        // Whoever suspends it later makes it another generation.
        let suspended = suspended && wire.metadata.generation.is_none_or(|first| first == 1);
        let status = wire.status.unwrap_or_default();
        let state = if label_of(&wire.metadata, label::CRON).is_some() {
            cron_run(&wire.metadata, status).map(Self::OfCron)
        } else {
            job(&wire.metadata, suspended, status).map(Self::OfPromotion)
        };
        (wire.metadata, state)
    }
}

/// Where its `CronJob`'s controller notes the time of the schedule that a Job meets.
const MET: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// It has ended once no pod of it is left that runs.
fn cron_run(metadata: &ObjectMeta, status: JobStatus) -> Option<CronRun> {
    let conditions = status.conditions.unwrap_or_default();
    let is_end = |kind: &str| matches!(kind, "Failed" | "Complete");
    Some(CronRun {
        name: metadata.name.clone().unwrap_or_default(),
        color: color_of(metadata)?,
        promotion: promotion_of(metadata),
        ended: conditions
            .iter()
            .any(|c| c.status == "True" && is_end(&c.type_)),
        met: metadata
            .annotations
            .as_ref()
            .and_then(|found| found.get(MET)?.parse().ok()),
    })
}

fn job(metadata: &ObjectMeta, suspended: bool, status: JobStatus) -> Option<JobState> {
    let conditions = status.conditions.unwrap_or_default();
    let ended = conditions
        .into_iter()
        .filter(|c| c.status == "True")
        .find_map(|c| match c.type_.as_str() {
            "Failed" | "FailureTarget" => Some(c.reason.unwrap_or_default()),
            "Complete" => Some(c.type_),
            _ => None,
        });
    Some(JobState {
        name: metadata.name.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
        check: check_of(metadata)?,
        promotion: promotion_of(metadata),
        created_at: created_at(metadata),
        suspended,
        deleting: metadata.deletion_timestamp.is_some(),
        ended,
    })
}

fn label_of<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn app_of(metadata: &ObjectMeta) -> Option<AppName> {
    label_of(metadata, label::APP).and_then(|name| AppName::parse(name).ok())
}

fn check_of(metadata: &ObjectMeta) -> Option<CheckName> {
    label_of(metadata, label::CHECK).and_then(|name| CheckName::parse(name).ok())
}

fn color_of(metadata: &ObjectMeta) -> Option<Color> {
    label_of(metadata, label::COLOR).and_then(Color::parse)
}

fn promotion_of(metadata: &ObjectMeta) -> String {
    label_of(metadata, label::PROMOTION)
        .unwrap_or_default()
        .to_owned()
}

fn created_at(metadata: &ObjectMeta) -> Timestamp {
    metadata
        .creation_timestamp
        .as_ref()
        .map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}

fn count(number: Option<i32>) -> u32 {
    number
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(0)
}
