//! What is seen of the cluster: endpoints and the group's objects as facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use promoter::group::name::AppName;
use promoter::plan::color::Color;
use promoter::plan::fingerprint::PlanId;
use promoter::plan::label;
use promoter::plan::object::Object;
use promoter::plan::paint::is_subset;
use promoter::promotion::observed::{DeploymentState, Endpoint, Observed};
use serde_json::Value;

use super::simulate::AppFate;
use super::world::{Pod, State};

impl State {
    /// What stands behind every Service, by the pods' labels.
    pub(crate) fn endpoints(&self) -> BTreeMap<String, Vec<Endpoint>> {
        let services = self.objects.values().filter(|o| o.kind() == "Service");
        let behind = |service: &Object| -> Vec<Endpoint> {
            let selector = service.texts_at("/spec/selector");
            let frozen = self.script.frozen.get(service.name());
            let selected = |pod: &&Pod| match frozen {
                Some(pods) => pods.contains(&pod.state.name),
                None => !selector.is_empty() && is_subset(&selector, &pod.labels),
            };
            let pods = self.pods.iter().filter(selected);
            pods.map(|pod| Endpoint {
                pod: pod.state.name.clone(),
                ready: pod.state.ready && !pod.state.deleting,
                since: pod.state.created_at,
            })
            .collect()
        };
        services.map(|s| (s.name().to_owned(), behind(s))).collect()
    }

    /// Pods of the group, without those a stranger's Deployment made.
    pub(crate) fn observed(&self) -> Observed {
        let ours = |object: &&Object| object.label(label::GROUP) == Some(&self.group);
        let objects = || self.objects.values().filter(ours);
        let deployments = objects().filter(|object| object.kind() == "Deployment");
        let mut endpoints = self.endpoints();
        endpoints.retain(|name, _| {
            let service = self.get("Service", name);
            service.is_some_and(|service| ours(&service))
        });
        let group = |pod: &&Pod| pod.labels.get(label::GROUP) == Some(&self.group);
        let mut observed = Observed {
            deployments: deployments.filter_map(|d| self.deployment(d)).collect(),
            pods: self
                .pods
                .iter()
                .filter(group)
                .map(|pod| pod.state.clone())
                .collect(),
            endpoints,
            jobs: self.jobs.clone(),
            cron_runs: self.cron_runs.clone(),
            request: self.request.clone(),
            restraints: self.restraints.clone(),
            outages: self.outages,
            ..Observed::default()
        };
        let services = self.objects.values().filter(|o| o.kind() == "Service");
        services.for_each(|service| observed.add_service(service.clone()));
        let policies = self
            .objects
            .values()
            .filter(|o| o.kind() == "NetworkPolicy");
        let by_name = policies.map(|found| (found.name().to_owned(), Arc::new(found.clone())));
        observed.policies = by_name.collect();
        observed
    }

    fn deployment(&self, object: &Object) -> Option<DeploymentState> {
        let app = object.label(label::APP)?;
        let uid = object.uid()?;
        let mine = |pod: &&Pod| pod.state.owner.as_deref() == Some(uid) && pod.state.ready;
        let ready = self.pods.iter().filter(mine).count();
        let ready = if self.script.late_status { 0 } else { ready };
        let replicas = object.at("/spec/replicas").and_then(Value::as_u64);
        let generation = object.at("/metadata/generation").and_then(Value::as_i64);
        let failure = match self.script.apps.get(app) {
            Some(AppFate::Quota(text)) => Some((*text).to_owned()),
            _ => None,
        };
        Some(DeploymentState {
            name: object.name().to_owned(),
            uid: uid.to_owned(),
            app: AppName::parse(app).ok()?,
            color: Color::parse(object.label(label::COLOR)?)?,
            promotion: object
                .label(label::PROMOTION)
                .unwrap_or_default()
                .to_owned(),
            epoch: object
                .annotation(label::FENCE)
                .and_then(|epoch| epoch.parse().ok())
                .unwrap_or(0),
            plan: object.annotation(label::PLAN_ID).and_then(PlanId::parse),
            generation: generation.unwrap_or(1),
            observed_generation: generation.unwrap_or(1),
            wanted: u32::try_from(replicas.unwrap_or(1)).unwrap(),
            ready: u32::try_from(ready).unwrap(),
            deleting: false,
            failure,
        })
    }
}
