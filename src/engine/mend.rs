//! Putting right what somebody changed: active Services that were led
//! elsewhere or deleted, and a record that was lost.
//!
//! Only ever towards what passed its checks and serves by the record, and only
//! when a person asks for a deploy or a resume.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::lock::Lock;
use super::switch::switched_field;
use super::{Engine, EngineError};
use crate::plan::label::SWITCHED_FIELDS;
use crate::plan::object::Object;
use crate::plan::{Plan, ServicePlan};
use crate::port::cluster::Pointing;
use crate::port::{ClusterError, Epoch};
use crate::promotion::event::Fact;
use crate::promotion::next::{astray, gone};
use crate::promotion::observed::Observed;
use crate::promotion::record::GroupRecord;
use crate::promotion::record::rebuild::{is_lost, rebuild};

impl Engine {
    /// As [`Engine::mend`], for what serves by the record now.
    pub(super) async fn mend_serving(&self, lock: &Lock) -> Result<(), EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        let Some(serving) = record.serving else {
            return Ok(());
        };
        let plan = self.ledger.plan(&serving.plan).await;
        // Without its plan nothing is known; planning refuses it and says what to do.
        if let Some(plan) = plan.map_err(EngineError::Cluster)? {
            let observed = self.cluster.observe().await.map_err(EngineError::Cluster)?;
            self.mend(lock.epoch, &plan, &observed).await?;
            if record.in_flight.is_none() {
                let mended = self.mend_workers(lock.epoch, &plan, &observed).await;
                mended.map_err(EngineError::Cluster)?;
            }
        }
        Ok(())
    }

    /// Points every active Service of a plan that serves at its colour again, one
    /// that is gone included, where that has pods which take requests. Says whether
    /// any was changed.
    pub(super) async fn mend(
        &self,
        epoch: Epoch,
        plan: &Plan,
        observed: &Observed,
    ) -> Result<bool, EngineError> {
        let mut repaired = 0;
        let mut left = Vec::new();
        for service in plan.services() {
            let name = service.active.name();
            let found = observed.service(name);
            if found.is_some_and(|active| service.is_followed_by(active)) {
                continue;
            }
            let done = self.put_right(epoch, plan, service, found, observed).await;
            match (done.map_err(EngineError::Cluster)?, found) {
                (true, _) => repaired += 1,
                (false, Some(_)) => left.push(astray(name)),
                (false, None) => left.push(gone(name)),
            }
        }
        let mut record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if record.astray != left {
            record.astray.clone_from(&left);
            let written = self.ledger.write(epoch, &record).await;
            written.map_err(EngineError::Cluster)?;
        }
        if !left.is_empty() {
            self.record(None, Fact::Astray { found: left });
        }
        Ok(repaired > 0)
    }

    /// Whether it was made again if it is gone, and led back: not where no pod would
    /// take its requests, nor over another change at this moment.
    async fn put_right(
        &self,
        epoch: Epoch,
        plan: &Plan,
        service: &ServicePlan,
        found: Option<&Object>,
        observed: &Observed,
    ) -> Result<bool, ClusterError> {
        if !observed.is_served(service) {
            return Ok(false);
        }
        let made;
        let active = if let Some(active) = found {
            active
        } else {
            made = self.cluster.apply(epoch, &service.active).await?;
            &made
        };
        let change = Pointing {
            service: active.name().to_owned(),
            uid: active.uid().unwrap_or_default().to_owned(),
            from: Some(active.texts_at("/spec/selector")).filter(|selector| !selector.is_empty()),
            to: Some(service.selector.clone()),
            // A promotion that failed may have left those of its own.
            spec: changed_fields(&service.active, active),
        };
        match self.cluster.point(epoch, &change).await {
            Ok(()) => {}
            Err(ClusterError::Moved { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        let fact = Fact::Repaired {
            service: change.service,
            color: plan.candidate,
        };
        self.record(None, fact);
        Ok(true)
    }

    /// The record, put together again from Services, labels and kept plans if
    /// the `DeploymentGroup` that held it is gone.
    pub(super) async fn record_or_rebuilt(&self, lock: &Lock) -> Result<GroupRecord, EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if !is_lost(&record) {
            return Ok(record);
        }
        let observed = self.cluster.observe().await.map_err(EngineError::Cluster)?;
        let mut plans = BTreeMap::new();
        let named: BTreeSet<_> = observed
            .deployments
            .iter()
            .filter_map(|d| d.plan.clone())
            .collect();
        for id in named {
            let plan = self.ledger.plan(&id).await.map_err(EngineError::Cluster)?;
            plans.extend(plan.map(|plan| (id, plan)));
        }
        let Some(rebuilt) = rebuild(&self.group, &observed, &plans, self.clock.now()) else {
            return Ok(record);
        };
        let written = self.ledger.write(lock.epoch, &rebuilt).await;
        written.map_err(EngineError::Cluster)?;
        self.record(None, Fact::rebuilt(&rebuilt));
        Ok(rebuilt)
    }
}

/// Fields that moved with the selector, as planned, where what is there is another.
fn changed_fields(planned: &Object, found: &Object) -> BTreeMap<String, Value> {
    let differs = |name: &&str| match *name {
        "ports" => ports(planned) != ports(found),
        name => switched_field(planned, name) != switched_field(found, name),
    };
    let changed = SWITCHED_FIELDS.into_iter().filter(differs);
    changed
        .map(|name| (name.to_owned(), switched_field(planned, name)))
        .collect()
}

/// A Service's ports without what the server adds of its own.
fn ports(service: &Object) -> Vec<[Value; 4]> {
    let ports = service.at("/spec/ports").and_then(Value::as_array);
    let said = |port: &Value| {
        let field = |name: &str| port.get(name).cloned();
        [
            field("port").unwrap_or_default(),
            field("targetPort")
                .or_else(|| field("port"))
                .unwrap_or_default(),
            field("protocol").unwrap_or_else(|| "TCP".into()),
            field("name").unwrap_or_default(),
        ]
    };
    ports.into_iter().flatten().map(said).collect()
}
