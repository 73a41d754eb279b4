//! Adopting a group that runs already: a plan of what stands, and the first
//! promotion beside it. What is adopted is given back unless that passes.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use super::deploy::DeployOptions;
use super::lock::Lock;
use super::outside::Answers;
use super::propose::{Found, Proposal, ProposeError};
use super::prune::kinds;
use super::resolve::Sources;
use super::undo::{Undone, Wish};
use super::{Deployed, Engine, EngineError};
use crate::group::Group;
use crate::plan::adopt::{Standing, adopt, may_stand};
use crate::plan::autoscaler::{API_VERSION, KIND};
use crate::plan::color::Color;
use crate::plan::image::Resolved;
use crate::plan::kind::is_kept;
use crate::plan::object::Object;
use crate::plan::refusal::Refusal;
use crate::plan::source::Source;
use crate::plan::{AppPlan, Plan, planner};
use crate::port::{ClusterError, Epoch};
use crate::promotion::event::Fact;
use crate::promotion::record::GroupRecord;
use crate::promotion::request::Action;

/// What is looked at whole: what runs an app, and what else may change that.
const RUNNING: [(&str, &str); 4] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "Pod"),
    (API_VERSION, KIND),
];

/// What came of giving back what was adopted.
#[derive(Debug, Clone, PartialEq)]
pub enum GivenBack {
    /// The first promotion was under way, and was asked to end in this way.
    Undone(Action, Undone),
    /// What a promotion had left is as it was found.
    Done,
    /// Nothing is adopted, or not any more; this is the record that says so.
    Nothing(Box<GroupRecord>),
}

impl Engine {
    /// What adopting the group, with its newest images in `sources`, would do now.
    ///
    /// # Errors
    /// All images that cannot be resolved, or else all reasons against it.
    pub async fn propose_adoption(
        &self,
        sources: Sources<'_>,
        group: &Group,
    ) -> Result<Proposal, ProposeError> {
        let answers = Answers::of(group);
        let planning = async {
            let (images, found) = self.look(sources, group, &answers).await?;
            self.propose_adopted(group, &images, found).await
        };
        Box::pin(self.in_time(&answers, planning)).await
    }

    /// Takes over what stands and promotes the group's newest images beside it, if
    /// they pass. What an earlier adoption left unfinished is driven to its end instead.
    ///
    /// # Errors
    /// As [`Engine::deploy`].
    pub async fn adopt(
        &self,
        sources: Sources<'_>,
        group: &Group,
        options: DeployOptions,
        stop: CancellationToken,
    ) -> Result<Deployed, EngineError> {
        let acquired = self.lock_and_look(&options.actor.name, &stop).await?;
        let Some(mut lock) = acquired else {
            return Ok(Deployed::Stopped);
        };
        let adopted = self.adopt_locked(sources, group, options, stop, &mut lock);
        let adopted = Box::pin(adopted).await;
        self.unlock(&lock).await;
        adopted
    }

    async fn adopt_locked(
        &self,
        sources: Sources<'_>,
        group: &Group,
        options: DeployOptions,
        stop: CancellationToken,
        lock: &mut Lock,
    ) -> Result<Deployed, EngineError> {
        let finished = self
            .finish_unfinished(lock, stop.clone(), async || false)
            .await?;
        if let Some(finished) = finished {
            return Ok(finished);
        }
        let key = self.ledger.config_key(lock.epoch).await;
        key.map_err(EngineError::Cluster)?;
        let answers = Answers::of(group);
        let planning = async {
            let (images, found) = self.look(sources, group, &answers).await?;
            let mut proposal = self.propose_adopted(group, &images, found).await?;
            proposal.plan.source = Some(Source::of(group, &images));
            Ok::<_, EngineError>(proposal)
        };
        let proposal = tokio::select! {
            proposal = self.in_time(&answers, planning) => proposal?,
            () = stop.cancelled() => return Ok(Deployed::Stopped),
        };
        self.begin(lock, proposal, options, None, stop).await
    }

    /// A proposal over the cluster as it would be once what stands is taken over.
    async fn propose_adopted(
        &self,
        group: &Group,
        images: &Resolved,
        mut found: Found,
    ) -> Result<Proposal, ProposeError> {
        let survey = &found.survey;
        match (&survey.serving, &survey.live) {
            // An earlier adoption left it so.
            (Some(_), Some(live)) if live.adopted.is_some() => {
                return self.propose_resolved(group, images, found).await;
            }
            (Some(serving), _) => {
                let reason = format!(
                    "was promoted before: release {} serves in {}",
                    serving.release, serving.color
                );
                let refusal = Refusal::about(format!("group {}", group.name), reason);
                let refusal = refusal.hint("`promoter deploy` promotes it");
                return Err(ProposeError::Refused(vec![refusal]));
            }
            (None, _) => {}
        }
        let color = planner::candidate(survey);
        // Why apps cannot be painted is told with all else.
        let (apps, _) = planner::paint(group, images, survey, color);
        let standing = self
            .look_at_standing(&apps, color, survey.services.clone())
            .await;
        let standing = standing.map_err(ProposeError::Cluster)?;
        let adoption = adopt(group, &apps, color, &standing);
        let adoption = adoption.map_err(|mut refusals| {
            let others = planner::draft(group, images, survey, color).err();
            for other in others.into_iter().flatten() {
                if !refusals.contains(&other) {
                    refusals.push(other);
                }
            }
            ProposeError::Refused(refusals)
        })?;
        found.survey = adoption.taken(found.survey);
        let mut proposal = self.propose_resolved(group, images, found).await?;
        proposal.warnings.splice(0..0, adoption.warnings);
        Ok(proposal)
    }

    async fn look_at_standing(
        &self,
        apps: &[AppPlan],
        color: Color,
        services: Vec<Object>,
    ) -> Result<Standing, ClusterError> {
        let others: BTreeSet<_> = apps.iter().flat_map(|app| may_stand(app, color)).collect();
        let others: Vec<_> = others.into_iter().collect();
        let (running, others) =
            tokio::try_join!(self.cluster.all(&RUNNING), self.cluster.find(&others))?;
        let all = running.into_iter().chain(others).chain(services);
        Ok(Standing(all.collect()))
    }

    /// Ends what was adopted and not promoted yet: all of it is as it was found then.
    /// Once the old Deployments are let go there is nothing to give back.
    ///
    /// # Errors
    /// As [`Engine::undo`]; or pods of the candidate stand that users would be led to.
    pub async fn give_up_adopted(
        &self,
        actor: &str,
        reason: Option<String>,
        stop: CancellationToken,
    ) -> Result<GivenBack, EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if let Some(under_way) = record.in_flight.filter(|promotion| promotion.adopts) {
            let action = if under_way.phase.leads_users() {
                Action::Rollback
            } else {
                Action::Abort
            };
            let wish = Wish {
                action,
                actor: actor.to_owned(),
                reason,
            };
            let undone = self.undo(wish, stop).await?;
            return Ok(GivenBack::Undone(action, undone));
        }
        let Some(lock) = self.lock_and_look(actor, &stop).await? else {
            return Ok(GivenBack::Undone(Action::Abort, Undone::Stopped));
        };
        let given_back = self.give_back_left(&lock).await;
        self.unlock(&lock).await;
        given_back
    }

    /// Gives back what a promotion could not that ended as failed.
    pub(super) async fn give_back_left(&self, lock: &Lock) -> Result<GivenBack, EngineError> {
        let mut record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        let plan = self.adopted_at_rest(&record).await?;
        let Some(plan) = plan else {
            return Ok(GivenBack::Nothing(Box::new(record)));
        };
        let observed = self.cluster.observe().await.map_err(EngineError::Cluster)?;
        let color = plan.candidate.other();
        let deployments = observed.deployments.iter().filter(|d| d.color == color);
        let pods = observed.pods.iter().filter(|pod| pod.color == color);
        let left = deployments
            .map(|d| &d.name)
            .chain(pods.map(|pod| &pod.name));
        let left: Vec<_> = left.map(String::as_str).collect();
        if !left.is_empty() {
            let left = left.join(", ");
            return Err(EngineError::CandidateLeft { left });
        }
        let given_back = async {
            self.give_back(lock.epoch, &plan).await?;
            self.delete_left(lock.epoch, &plan).await
        };
        given_back.await.map_err(EngineError::Cluster)?;
        record.serving = None;
        let written = self.ledger.write(lock.epoch, &record).await;
        written.map_err(EngineError::Cluster)?;
        let needed = super::needed_plans(&record);
        let forgotten = self.ledger.forget_plans(lock.epoch, &needed).await;
        forgotten.map_err(EngineError::Cluster)?;
        let apps = plan.app_names();
        self.record(None, Fact::GivenBack { apps });
        Ok(GivenBack::Done)
    }

    /// Deletes what a candidate left beside its pods: all that bears the group's mark
    /// once nothing is adopted any more.
    async fn delete_left(&self, epoch: Epoch, plan: &Plan) -> Result<(), ClusterError> {
        let owned = self.belongings(kinds(std::iter::once(plan))).await?;
        let left = owned.iter().filter(|object| !is_kept(object.kind()));
        self.delete_found(epoch, left).await
    }

    /// The plan of what is adopted, if nothing is under way.
    async fn adopted_at_rest(&self, record: &GroupRecord) -> Result<Option<Plan>, EngineError> {
        let serving = record.serving.as_ref();
        let Some(serving) = serving.filter(|_| record.in_flight.is_none()) else {
            return Ok(None);
        };
        let plan = self.ledger.plan(&serving.plan).await;
        let plan = plan.map_err(EngineError::Cluster)?;
        Ok(plan.filter(|plan| plan.adopted.is_some()))
    }
}
