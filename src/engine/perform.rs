//! Carrying out one step. Each may be cut off anywhere and performed again.

use std::collections::BTreeSet;

use futures::future::try_join_all;

use super::drive::Drive;
use crate::group::name::AppName;
use crate::plan::kind::is_needed_by_pods;
use crate::plan::object::{Object, ObjectRef};
use crate::plan::pin::{Pin, pin};
use crate::plan::{AppPlan, Plan};
use crate::port::ClusterError;
use crate::promotion::Mark;
use crate::promotion::next::Step;
use crate::promotion::observed::Observed;

impl Drive {
    pub(super) async fn perform(
        &mut self,
        step: Step,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        match step {
            Step::Prepare => self.prepare().await,
            Step::Deploy(apps) => self.deploy(&apps, observed).await,
            Step::DeleteDeployments(found) => self.delete("apps/v1", "Deployment", found).await,
            Step::DeleteJobs(found) => self.delete("batch/v1", "Job", found).await,
            Step::StartChecks(checks) => self.start_checks(&checks, observed).await,
            Step::Conclude(check) => self.conclude(&check, observed).await,
            Step::Repeat { check, reason } => self.repeat(check, reason, observed).await,
            Step::ApplyShared => self.apply_shared(observed).await,
            Step::ApplyServices => self.apply_services().await,
            Step::Switch => self.switch(observed).await,
            Step::SwitchBack => self.switch_back(observed).await,
            Step::Restore => self.restore().await,
            Step::Prune => self.prune().await,
        }
    }

    /// Colour Services come before any pod of the colour, so that its pods can
    /// be pinned to them.
    async fn prepare(&mut self) -> Result<(), ClusterError> {
        let known: BTreeSet<ObjectRef> = self.replaced.iter().flat_map(Plan::inventory).collect();
        let is_missing = |object: &&Object| {
            is_needed_by_pods(object.kind()) && !known.contains(&object.reference())
        };
        let of_app = |app: &AppPlan| {
            let services = app.services.iter().map(|service| &service.colored);
            let missing = app.shared.iter().filter(is_missing);
            let objects = app
                .config
                .iter()
                .chain(&app.colored)
                .chain(missing)
                .chain(services);
            objects.cloned().collect::<Vec<_>>()
        };
        let objects: Vec<Object> = self.plan.apps.iter().flat_map(of_app).collect();
        self.apply_all(&objects).await?;
        self.mark(Mark::Prepared).await
    }

    async fn deploy(&self, apps: &[AppName], observed: &Observed) -> Result<(), ClusterError> {
        let pins = self.pins(observed)?;
        let planned = apps.iter().filter_map(|name| self.plan.app(name));
        try_join_all(planned.map(|app| async {
            let mut deployment = app.deployment.clone();
            self.stamp(&mut deployment);
            stamp_template(&mut deployment, self.promotion.id.as_ref());
            pin(
                &mut deployment,
                &pins,
                &app.config_keys(),
                self.plan.namespace.as_str(),
                &self.plan.cluster_domain,
            );
            self.engine.cluster.create(self.epoch, &deployment).await
        }))
        .await?;
        Ok(())
    }

    /// Where every member's name leads inside the candidate's colour.
    pub(super) fn pins(&self, observed: &Observed) -> Result<Vec<Pin>, ClusterError> {
        let of_service = |service: &crate::plan::ServicePlan| {
            let colored = observed.service(service.colored.name());
            colored
                .and_then(|colored| Pin::of(service.active.name(), colored))
                .ok_or_else(|| ClusterError::Moved {
                    action: format!("pin the candidate to {}", service.colored.reference()),
                })
        };
        self.plan.services().map(of_service).collect()
    }

    async fn delete(
        &self,
        api_version: &str,
        kind: &str,
        found: Vec<(String, String)>,
    ) -> Result<(), ClusterError> {
        try_join_all(found.iter().map(|(name, uid)| async move {
            let object = ObjectRef::new(api_version, kind, name);
            self.engine.cluster.delete(self.epoch, &object, uid).await
        }))
        .await?;
        Ok(())
    }

    /// Everything both colours share. An active Service that is there already
    /// is left alone: its ports must not change before its selector does.
    async fn apply_shared(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        self.mark(Mark::SharedBegun).await?;
        let services = self.plan.services().map(|service| &service.active);
        let new = services.filter(|service| observed.service(service.name()).is_none());
        let objects: Vec<Object> = self.plan.shared().chain(new).cloned().collect();
        self.apply_all(&objects).await?;
        self.mark(Mark::Shared).await
    }

    /// What else the plan says of the active Services, once they are switched.
    async fn apply_services(&mut self) -> Result<(), ClusterError> {
        let services: Vec<_> = self
            .plan
            .services()
            .map(|service| service.active.clone())
            .collect();
        self.apply_all(&services).await?;
        self.mark(Mark::Services).await
    }

    /// What the replaced plan says of shared objects and active Services.
    /// Objects only the new plan has are pruned afterwards.
    async fn restore(&mut self) -> Result<(), ClusterError> {
        if let Some(replaced) = &self.replaced {
            let services = replaced.services().map(|service| &service.active);
            let objects: Vec<Object> = replaced.shared().chain(services).cloned().collect();
            self.apply_all(&objects).await?;
        }
        self.mark(Mark::Restored).await
    }

    async fn apply_all(&self, objects: &[Object]) -> Result<(), ClusterError> {
        try_join_all(
            objects
                .iter()
                .map(|object| self.engine.cluster.apply(self.epoch, object)),
        )
        .await?;
        Ok(())
    }

    /// Notes a side effect on record.
    pub(super) async fn mark(&mut self, mark: Mark) -> Result<(), ClusterError> {
        if self.promotion.marks.insert(mark) {
            self.checkpoint().await?;
        }
        Ok(())
    }
}

/// Pods carry their promotion, so that nobody takes an earlier one's for the candidate's.
fn stamp_template(workload: &mut Object, promotion: &str) {
    let labels =
        crate::plan::object::entry(&mut workload.0, &["spec", "template", "metadata", "labels"]);
    labels.insert(crate::plan::label::PROMOTION.into(), promotion.into());
}
