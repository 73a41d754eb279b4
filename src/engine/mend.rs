//! Putting right what somebody changed: active Services that were led
//! elsewhere, and a record that was lost.
//!
//! Only ever towards what passed its checks and serves by the record, and only
//! when a person asks for a deploy or a resume.

use std::collections::{BTreeMap, BTreeSet};

use super::lock::Lock;
use super::{Engine, EngineError};
use crate::plan::Plan;
use crate::port::cluster::Pointing;
use crate::port::{ClusterError, Epoch};
use crate::promotion::event::Fact;
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
        }
        Ok(())
    }

    /// Points every active Service of a plan that serves at its colour again,
    /// where that has pods which take requests. Says whether any was changed.
    pub(super) async fn mend(
        &self,
        epoch: Epoch,
        plan: &Plan,
        observed: &Observed,
    ) -> Result<bool, EngineError> {
        let changes = changes(plan, observed);
        for change in &changes {
            match self.cluster.point(epoch, change).await {
                Ok(()) => {}
                // Changed again at this moment: it is seen and said later on.
                Err(ClusterError::Moved { .. }) => continue,
                Err(error) => return Err(EngineError::Cluster(error)),
            }
            let fact = Fact::Repaired {
                service: change.service.clone(),
                color: plan.candidate,
            };
            self.record(None, fact);
        }
        let mut record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if !record.astray.is_empty() {
            record.astray.clear();
            let written = self.ledger.write(epoch, &record).await;
            written.map_err(EngineError::Cluster)?;
        }
        Ok(!changes.is_empty())
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
        let fact = Fact::Rebuilt {
            serving: rebuilt.serving.as_ref().map(|serving| serving.color),
            in_flight: rebuilt.in_flight.as_ref().map(|p| p.id.clone()),
        };
        self.record(None, fact);
        Ok(rebuilt)
    }
}

fn changes(plan: &Plan, observed: &Observed) -> Vec<Pointing> {
    let change = |service: &crate::plan::ServicePlan| {
        let active = observed.service(service.active.name())?;
        let selector = active.texts_at("/spec/selector");
        let serves = observed
            .ready_endpoints(service.colored.name())
            .next()
            .is_some();
        (selector != service.selector && serves).then(|| Pointing {
            service: active.name().to_owned(),
            uid: active.uid().unwrap_or_default().to_owned(),
            from: Some(selector).filter(|selector| !selector.is_empty()),
            to: Some(service.selector.clone()),
            spec: BTreeMap::new(),
        })
    };
    plan.services().filter_map(change).collect()
}
