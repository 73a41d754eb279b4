//! Carrying out one step. Each may be cut off anywhere and performed again.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use tokio::sync::Semaphore;

use super::drive::Drive;
use crate::group::Start;
use crate::group::name::AppName;
use crate::plan::colored::{is_as_planned, is_published, published};
use crate::plan::cron::{API_VERSION, KIND, change_job, job, suspended};
use crate::plan::kind::is_needed_by_pods;
use crate::plan::label::PLAN_ID;
use crate::plan::links::Links;
use crate::plan::object::{Object, ObjectRef, entry};
use crate::plan::pin::{Pin, pin};
use crate::plan::{AppPlan, Plan};
use crate::port::ClusterError;
use crate::promotion::Mark;
use crate::promotion::next::Step;
use crate::promotion::observed::Observed;

/// Workloads that are made at the same time. Those of a large group are large:
/// each names all members.
const AT_ONCE: usize = 24;

/// Makes many workloads, some at the same time.
pub(super) async fn some_at_once<T>(
    makings: impl Iterator<Item = impl Future<Output = Result<T, ClusterError>>>,
) -> Result<Vec<T>, ClusterError> {
    let turns = &Semaphore::new(AT_ONCE);
    let in_turn = makings.map(|making| async move {
        // It is never closed.
        let _turn = turns.acquire().await;
        making.await
    });
    try_join_all(in_turn).await
}

impl Drive {
    pub(super) async fn perform(
        &mut self,
        step: Step,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        match step {
            Step::Pause => self.pause_adopted().await,
            Step::TakeOver => self.take_over(observed).await,
            Step::LabelPods => self.label_pods_anew().await,
            Step::GiveBack => self.give_back().await,
            Step::Prepare => self.prepare(observed).await,
            Step::Wall => self.wall(observed).await,
            Step::Unwall => self.unwall(observed).await,
            Step::Deploy(apps) => self.deploy(&apps, observed).await,
            Step::DeleteServices(names) => self.delete_services(&names, observed).await,
            Step::DeleteDeployments(found) => self.delete_deployments(found).await,
            Step::DeleteCronJobs(found) => self.delete(API_VERSION, KIND, found).await,
            Step::DeleteJobs(found) => self.delete_jobs(found, observed).await,
            Step::StartChecks { checks, early } => {
                self.start_checks(&checks, early, observed).await
            }
            Step::MakeHook(hook) => self.make_hook(hook, observed).await,
            Step::RunHook { hook, job, uid } => self.run_hook(hook, &job, &uid).await,
            Step::Conclude(checks) => self.conclude(&checks, observed).await,
            Step::Repeat { check, reason } => self.repeat(check, reason, observed).await,
            Step::Raise(raises) => self.raise(raises).await,
            Step::ApplyShared => self.apply_shared(observed).await,
            Step::Unpublish => self.unpublish().await,
            Step::ApplyServices => self.apply_services().await,
            Step::StopOld(running) => self.stop_old(running).await,
            Step::Schedule => self.schedule(observed).await,
            Step::StopNew => self.stop_new().await,
            Step::StartOld => self.start_old(observed).await,
            Step::Switch => self.switch(observed).await,
            Step::LetGo => {
                self.mark(Mark::LetGo);
                Ok(())
            }
            Step::SwitchBack => self.switch_back(observed).await,
            Step::Restore => self.restore().await,
            Step::Prune => {
                self.unwall(observed).await?;
                self.prune(observed).await
            }
        }
    }

    /// Colour Services come before any pod of the colour, so that its pods can
    /// be pinned to them.
    async fn prepare(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let known: BTreeSet<ObjectRef> = self.replaced.iter().flat_map(Plan::inventory).collect();
        let is_missing = |object: &&Object| {
            is_needed_by_pods(object.kind()) && !known.contains(&object.reference())
        };
        let of_app = |app: &AppPlan| {
            let services = app.services.iter();
            let services = services.map(|service| published(service.colored.clone()));
            let missing = app.shared.iter().filter(is_missing);
            let objects = app.config.iter().chain(&app.colored).chain(missing);
            objects.cloned().chain(services).collect::<Vec<_>>()
        };
        let objects = self.plan.apps.iter().flat_map(of_app);
        let objects: Vec<Object> = objects.collect();
        let made = objects.iter().map(|object| self.make(object, observed));
        let are_as_planned = try_join_all(made).await?;
        if are_as_planned.contains(&false) {
            // The next look says which, and they are made anew.
            self.engine.pause().await;
        } else {
            self.mark(Mark::Prepared);
        }
        Ok(())
    }

    /// Applies an object of the candidate colour. Says whether one of its Services
    /// that stood as planned does so still, but for what is written now: who changes
    /// every Service that is written may just have come.
    async fn make(&self, object: &Object, observed: &Observed) -> Result<bool, ClusterError> {
        let now = self.engine.cluster.apply(self.epoch, object).await?;
        let stood = object.kind() == "Service" && observed.service(object.name()).is_some();
        Ok(!stood || is_as_planned(object, &now))
    }

    /// From here on only pods that take requests are behind the colour's Services.
    async fn unpublish(&mut self) -> Result<(), ClusterError> {
        let services = self.plan.services().map(|service| service.colored.clone());
        let services: Vec<_> = services.collect();
        let applied = self.apply_all(&services).await?;
        if let Some(service) = applied.iter().find(|service| is_published(service)) {
            return Err(ClusterError::Conflict {
                object: service.reference(),
                reason: "somebody else sets publishNotReadyAddresses".to_owned(),
            });
        }
        self.mark(Mark::Unpublished);
        Ok(())
    }

    /// Services of the colour, as they were found. One that was changed since is
    /// looked at once more.
    async fn delete_services(
        &self,
        names: &[String],
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let found = names.iter().filter_map(|name| observed.service(name));
        let cluster = &self.engine.cluster;
        let deletions = found.map(|service| cluster.delete_unchanged(self.epoch, service));
        match try_join_all(deletions).await {
            Err(ClusterError::Moved { .. }) => self.engine.pause().await,
            deleted => drop(deleted?),
        }
        Ok(())
    }

    async fn deploy(&self, apps: &[AppName], observed: &Observed) -> Result<(), ClusterError> {
        let pins = self.pins(observed)?;
        let links = self.links(&pins);
        let deployments = self.plan.apps.iter().map(|app| &app.deployment);
        let jobs: Vec<_> = self.plan.crons().map(job).collect();
        if links.need_object(deployments.chain(&jobs)) {
            let links = links.object();
            self.engine.cluster.create(self.epoch, &links).await?;
        }
        let situation = self.situation(observed);
        let planned = apps.iter().filter_map(|name| self.plan.app(name));
        let pin = |workload: &mut Object| {
            stamp_template(workload, self.promotion.id.as_ref());
            let (namespace, domain) = (self.plan.namespace.as_str(), &self.plan.cluster_domain);
            pin(workload, &pins, &links, namespace, domain);
        };
        let create = async |object: Object| {
            let made = self.engine.cluster.create(self.epoch, &object).await;
            made.map(drop)
        };
        some_at_once(planned.map(|app| async {
            for cron in &app.crons {
                let mut cron = suspended(cron.clone());
                self.stamp(&mut cron);
                change_job(&mut cron, |job| {
                    self.stamp(job);
                    pin(job);
                });
                create(cron).await?;
            }
            let mut deployment = app.deployment.clone();
            self.stamp(&mut deployment);
            deployment.set_annotation(PLAN_ID, self.promotion.plan.as_ref());
            let count = match app.start {
                Start::OnPromote => Some(0),
                Start::Beside => situation.count(app),
            };
            if let Some(count) = count {
                entry(&mut deployment.0, &["spec"]).insert("replicas".into(), count.into());
            }
            pin(&mut deployment);
            create(deployment).await
        }))
        .await?;
        Ok(())
    }

    /// The variables for Services that candidates and checks take.
    pub(super) fn links(&self, pins: &[Pin]) -> Links {
        Links::of(&self.plan.group, self.promotion.id.as_ref(), pins)
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

    /// Everything both colours share. An active Service that is there already
    /// is left alone: its ports must not change before its selector does.
    async fn apply_shared(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let services = self.plan.services().map(|service| &service.active);
        let new = services.filter(|service| observed.service(service.name()).is_none());
        let objects: Vec<Object> = self.plan.shared().chain(new).cloned().collect();
        self.change_shared(&objects).await?;
        self.hold_old_pods().await?;
        self.mark(Mark::Shared);
        Ok(())
    }

    /// Applies what an abort has to restore; that is on record first.
    async fn change_shared(&mut self, objects: &[Object]) -> Result<(), ClusterError> {
        if objects.is_empty() {
            return Ok(());
        }
        self.mark(Mark::SharedBegun);
        self.put_on_record().await?;
        self.apply_all(objects).await.map(drop)
    }

    /// What else the plan says of the active Services, once they are switched,
    /// and the autoscalers of the pods that have their users now.
    async fn apply_services(&mut self) -> Result<(), ClusterError> {
        let before = self.replaced.iter().flat_map(Plan::services);
        let before: Vec<_> = before.map(|service| &service.active).collect();
        let services = self.plan.services().map(|service| &service.active);
        let changed = services.filter(|service| !before.contains(service));
        let changed: Vec<_> = changed.cloned().collect();
        self.change_shared(&changed).await?;
        self.autoscale().await?;
        self.mark(Mark::Services);
        Ok(())
    }

    /// What the replaced plan says of shared objects and active Services.
    /// Objects only the new plan has are pruned afterwards.
    async fn restore(&mut self) -> Result<(), ClusterError> {
        if let Some(replaced) = &self.replaced {
            let services = replaced.services().map(|service| &service.active);
            let objects: Vec<Object> = replaced.shared().chain(services).cloned().collect();
            self.apply_all(&objects).await?;
        }
        self.release_old_pods().await?;
        self.mark(Mark::Restored);
        Ok(())
    }

    pub(super) async fn apply_all(&self, objects: &[Object]) -> Result<Vec<Object>, ClusterError> {
        let cluster = &self.engine.cluster;
        let applied = objects.iter();
        try_join_all(applied.map(|object| cluster.apply(self.epoch, object))).await
    }

    /// Notes a side effect. What is not on record when somebody else drives on
    /// is done once more, which changes nothing.
    pub(super) fn mark(&mut self, mark: Mark) {
        self.promotion.marks.insert(mark);
    }
}

/// Pods carry their promotion, so that nobody takes an earlier one's for the candidate's.
fn stamp_template(workload: &mut Object, promotion: &str) {
    let labels = entry(&mut workload.0, &["spec", "template", "metadata", "labels"]);
    labels.insert(crate::plan::label::PROMOTION.into(), promotion.into());
}
