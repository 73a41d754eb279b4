//! What the API server does with each read and write.

use promoter::plan::label::{self, Role};
use promoter::plan::object::{Object, ObjectRef, entry};
use promoter::plan::survey::{StandingDeployment, Survey, Trial, Trials};
use promoter::plan::taking::merged;
use promoter::port::cluster::{Pointing, Runs};
use promoter::port::{ClusterError, Epoch};
use promoter::promotion::Raise;
use serde_json::{Value, json};

use super::world::{Lease, Pod, State};

impl State {
    pub(super) fn survey(&self) -> Survey {
        let live = self.record.serving.as_ref();
        Survey {
            namespace: self.namespace.clone(),
            serving: self.record.serving.clone(),
            live: live.and_then(|serving| self.plans.get(&serving.plan).cloned()),
            services: self
                .objects
                .values()
                .filter(|o| o.kind() == "Service")
                .cloned()
                .collect(),
            policies: Some(
                self.objects
                    .values()
                    .filter(|o| o.kind() == "NetworkPolicy")
                    .cloned()
                    .collect(),
            ),
            unfinished: self.record.in_flight.is_some(),
            deployments: self.standing(),
            nodes: self.nodes.clone(),
            quotas: self.quotas.clone(),
            config_key: self.key.clone(),
        }
    }

    fn standing(&self) -> Vec<StandingDeployment> {
        let found = self.of_kinds(&[("apps/v1".to_owned(), "Deployment".to_owned())]);
        let standing = found.iter().map(|deployment| {
            let uid = deployment.uid();
            let mine = |pod: &&Pod| pod.state.owner.as_deref() == uid && pod.state.ready;
            let deleting = deployment.str_at("/metadata/deletionTimestamp");
            StandingDeployment {
                name: deployment.name().to_owned(),
                ready: self.pods.iter().filter(mine).count().try_into().unwrap(),
                deleting: deleting.is_some(),
            }
        });
        standing.collect()
    }

    pub(super) fn try_out(&self, objects: &[Object], adopted: &[ObjectRef]) -> Trials {
        let tried = objects.iter().map(Object::reference);
        tried
            .map(|object| (object.clone(), self.trial(&object, adopted)))
            .collect()
    }

    fn trial(&self, object: &ObjectRef, adopted: &[ObjectRef]) -> Trial {
        if self.is_foreign(object) && !adopted.contains(object) {
            return Trial::Foreign;
        }
        if let Some(who) = self.script.conflicts.get(object) {
            return Trial::Conflict(who.clone());
        }
        match self.script.refused.get(object) {
            Some(why) => Trial::Refused(why.clone()),
            None => Trial::Taken,
        }
    }

    fn is_foreign(&self, object: &ObjectRef) -> bool {
        let found = self.objects.get(object);
        found.is_some_and(|found| !found.is_owned_by(&self.group))
    }

    pub(super) fn acquire(&mut self, holder: &str) -> Result<Epoch, Lease> {
        let now = self.now;
        // Who has it may take it anew.
        let held =
            |lease: &&Lease| lease.until.is_none_or(|until| until > now) && lease.holder != holder;
        if let Some(lease) = self.lease.as_ref().filter(held) {
            return Err(lease.clone());
        }
        self.epoch += 1;
        self.lease = Some(Lease {
            holder: holder.to_owned(),
            since: now,
            until: None,
        });
        let epoch = self.epoch.to_string();
        for service in self.objects.values_mut() {
            if service.label(label::ROLE) == Some(Role::Active.as_str()) {
                service.set_annotation(label::FENCE, &epoch);
            }
        }
        Ok(Epoch(self.epoch))
    }

    pub(super) fn create(&mut self, object: &Object) -> Result<Object, ClusterError> {
        let reference = object.reference();
        if let Some(found) = self.objects.get(&reference) {
            let same = found.label(label::PROMOTION) == object.label(label::PROMOTION);
            if found.is_owned_by(&self.group) && same {
                return Ok(found.clone());
            }
            return Err(ClusterError::Foreign { object: reference });
        }
        Ok(self.insert(object.clone(), None))
    }

    pub(super) fn apply(&mut self, object: &Object, epoch: Epoch) -> Result<Object, ClusterError> {
        let reference = object.reference();
        match self.trial(&reference, &[]) {
            Trial::Taken => {}
            Trial::Foreign => return Err(ClusterError::Foreign { object: reference }),
            Trial::Conflict(reason) => {
                return Err(ClusterError::Conflict {
                    object: reference,
                    reason,
                });
            }
            Trial::Refused(reason) => {
                let action = format!("apply {reference}");
                return Err(ClusterError::Refused { action, reason });
            }
        }
        let before = self.objects.get(&reference).cloned();
        let mut object = object.clone();
        object.set_annotation(label::FENCE, &epoch.0.to_string());
        Ok(self.insert(object, before.as_ref()))
    }

    /// What the server adds, and what another field manager owns, stays.
    fn insert(&mut self, mut object: Object, before: Option<&Object>) -> Object {
        // What others own of an object that was adopted stays theirs.
        let others = self.others.get(&object.reference());
        if let Some(others) = others.filter(|_| before.is_some()) {
            object = merged(others, &object.0);
            if object.kind() == "Service" {
                entry(&mut object.0, &["spec"]).remove("selector");
            }
        }
        let uid = before.and_then(|before| before.uid().map(str::to_owned));
        let uid = uid.unwrap_or_else(|| format!("uid-{}", self.unique()));
        object.0["metadata"]["uid"] = uid.into();
        if before.is_none() {
            object.0["metadata"]["generation"] = json!(1);
        }
        // Selector and ports of an active Service move with the switch only.
        let ports = before.and_then(|before| before.at("/spec/ports"));
        if let Some(ports) = ports
            && object.label(label::ROLE) == Some(Role::Active.as_str())
        {
            object.0["spec"]["ports"] = ports.clone();
        }
        let added = self.script.added.get(&object.reference());
        for (field, value) in added.and_then(Value::as_object).into_iter().flatten() {
            object.0["spec"][field] = value.clone();
        }
        if object.kind() == "Service" {
            for field in ["selector", "clusterIP", "clusterIPs"] {
                let kept = before.and_then(|before| before.at(&format!("/spec/{field}")));
                if let Some(kept) = kept
                    && object.at(&format!("/spec/{field}")).is_none()
                {
                    object.0["spec"][field] = kept.clone();
                }
            }
            if object.at("/spec/clusterIP").is_none() {
                let address = format!("10.0.0.{}", self.unique());
                object.0["spec"]["clusterIPs"] = json!([address]);
                object.0["spec"]["clusterIP"] = Value::String(address);
            }
        }
        self.objects.insert(object.reference(), object.clone());
        if before.is_none() {
            self.made(&object);
        }
        object
    }

    pub(super) fn delete(&mut self, object: &ObjectRef, uid: &str) {
        let same = |found: &&Object| found.uid() == Some(uid);
        if self.objects.get(object).as_ref().is_some_and(same) {
            self.unmade(&object.kind, &object.name, uid);
            self.others.remove(object);
            // Whoever owned something of it owns nothing of the next one.
            self.script.conflicts.remove(object);
            self.script.refused.remove(object);
            self.script.added.remove(object);
        }
    }

    pub(crate) fn delete_unchanged(&mut self, found: &Object) -> Result<(), ClusterError> {
        let reference = found.reference();
        if self.objects.get(&reference).is_some_and(|now| now != found) {
            let action = format!("delete {reference}");
            return Err(ClusterError::Moved { action });
        }
        self.delete(&reference, found.uid().unwrap_or_default());
        Ok(())
    }

    /// As the server does: by what the labels say, whatever else is there.
    pub(super) fn delete_runs(&mut self, runs: &Runs) {
        let selected = |object: &&Object| {
            object.kind() == "Job"
                && object.is_owned_by(&self.group)
                && object.label(label::PROMOTION) == Some(runs.promotion.as_str())
                && object.label(label::CHECK).is_some()
        };
        let selected: Vec<_> = self.objects.values().filter(selected).cloned().collect();
        for object in selected {
            self.delete(&object.reference(), object.uid().unwrap_or_default());
        }
    }

    pub(super) fn point(&mut self, change: &Pointing, epoch: Epoch) -> Result<(), ClusterError> {
        let moved = || ClusterError::Moved {
            action: format!("switch Service {}", change.service),
        };
        let reference = ObjectRef::new("v1", "Service", &change.service);
        let service = self.objects.get_mut(&reference).ok_or_else(moved)?;
        let selector = service.texts_at("/spec/selector");
        let selector = (!selector.is_empty()).then_some(selector);
        let stamped = service.annotation(label::FENCE) == Some(&epoch.0.to_string());
        if service.uid() != Some(&change.uid) || !stamped || selector != change.from {
            return Err(moved());
        }
        match &change.to {
            Some(to) => service.0["spec"]["selector"] = json!(to),
            None => drop(
                service.0["spec"]
                    .as_object_mut()
                    .unwrap()
                    .remove("selector"),
            ),
        }
        for (field, value) in &change.spec {
            service.0["spec"][field] = value.clone();
        }
        Ok(())
    }

    pub(super) fn raise(&mut self, raise: &Raise) -> Result<i64, ClusterError> {
        let moved = || ClusterError::Moved {
            action: format!("raise Deployment {}", raise.deployment),
        };
        let reference = ObjectRef::new("apps/v1", "Deployment", &raise.deployment);
        let found = self.objects.get(&reference).ok_or_else(moved)?;
        let generation = found.at("/metadata/generation").and_then(Value::as_i64);
        let next = raise.generation + 1;
        if found.uid() == Some(&raise.uid) && generation == Some(next) {
            let mine = found.annotation(label::RAISED) == Some(&raise.generation.to_string());
            return if mine { Ok(next) } else { Err(moved()) };
        }
        if found.uid() != Some(&raise.uid) || generation != Some(raise.generation) {
            return Err(moved());
        }
        let deployment = self.objects.get_mut(&reference).unwrap();
        deployment.set_annotation(label::RAISED, &raise.generation.to_string());
        self.scale(&raise.deployment, raise.replicas);
        Ok(next)
    }

    pub(super) fn scale_down(&mut self, autoscaler: &str, policy: Option<&str>) {
        let reference = ObjectRef::new("autoscaling/v2", "HorizontalPodAutoscaler", autoscaler);
        if let Some(found) = self.objects.get_mut(&reference) {
            found.0["spec"]["behavior"]["scaleDown"]["selectPolicy"] = json!(policy);
        }
    }

    pub(super) fn of_kinds(&self, kinds: &[(String, String)]) -> Vec<Object> {
        let kinds = kinds
            .iter()
            .map(|(api, kind)| (api.as_str(), kind.as_str()));
        let mut all = self.all(&kinds.collect::<Vec<_>>());
        all.retain(|object| object.label(label::GROUP) == Some(&self.group));
        all
    }

    /// A lock that nobody renewed is nobody's.
    pub(crate) fn drop_lock_that_ran_out(&mut self) {
        let now = self.now;
        self.lease = self.lease.take().filter(|lease| lease.is_held(now));
    }

    /// Somebody else takes the lock over, as after a long pause of its holder.
    pub(crate) fn take_over(&mut self) {
        self.lease = None;
        self.acquire("somebody else").unwrap();
    }
}
