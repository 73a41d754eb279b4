//! From a group to the plan of what a promotion would do now. Writes nothing.

use thiserror::Error;

use super::Engine;
use super::resolve::{ResolveError, resolve};
use crate::group::Group;
use crate::plan::capacity::{Capacity, capacity};
use crate::plan::diff::{Change, changes};
use crate::plan::image::Resolved;
use crate::plan::object::Object;
use crate::plan::refusal::Refusal;
use crate::plan::survey::Survey;
use crate::plan::{Plan, planner};
use crate::port::{ClusterError, Registry};

/// A plan, and what a person wants to know before it is carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What would be done.
    pub plan: Plan,
    /// The plan of what serves.
    pub live: Option<Plan>,
    /// What the release changes, for who asked ([`Engine::propose`]); looking
    /// that up takes as long as planning.
    pub changes: Vec<Change>,
    /// What the second colour needs.
    pub capacity: Capacity,
    /// Deployments that should serve by the record, and are not there.
    pub missing: Vec<String>,
    /// Not wrong, but worth saying.
    pub warnings: Vec<String>,
}

impl Proposal {
    /// Whether the same inputs serve already.
    pub fn is_up_to_date(&self) -> bool {
        self.missing.is_empty()
            && self
                .live
                .as_ref()
                .is_some_and(|live| live.fingerprint == self.plan.fingerprint)
    }
}

/// Why there is no plan.
#[derive(Debug, Error)]
pub enum ProposeError {
    /// Images that could not be resolved, all of them.
    #[error("failed to resolve the group's images")]
    Resolve(Vec<ResolveError>),
    /// Reasons against it, all of them.
    #[error("the group cannot be promoted as it stands")]
    Refused(Vec<Refusal>),
    /// The cluster did not answer.
    #[error("failed to look at the cluster")]
    Cluster(#[source] ClusterError),
}

impl Engine {
    /// What promoting the group's newest images in `registry` would do now.
    ///
    /// # Errors
    /// All images that cannot be resolved, or else all reasons against the plan.
    pub async fn propose(
        &self,
        registry: &dyn Registry,
        group: &Group,
    ) -> Result<Proposal, ProposeError> {
        let (resolved, survey) = tokio::join!(resolve(registry, group), self.cluster.survey());
        let survey = survey.map_err(ProposeError::Cluster)?;
        let resolved = resolved.map_err(ProposeError::Resolve)?;
        // What differs is said of the colour that serves.
        let serving = survey.serving.as_ref();
        let color = serving.map_or_else(|| planner::candidate(&survey), |serving| serving.color);
        let there = planner::draft(group, &resolved, &survey, color);
        let there = there.map_err(ProposeError::Refused)?;
        let changes = changes(survey.live.as_ref(), &there.plan);
        let proposal = self.propose_resolved(group, &resolved, survey).await?;
        Ok(Proposal {
            changes,
            ..proposal
        })
    }

    /// As [`Engine::propose`], of images that were resolved and a cluster that
    /// was looked at already. What changes is not looked up.
    pub(super) async fn propose_resolved(
        &self,
        group: &Group,
        resolved: &Resolved,
        survey: Survey,
    ) -> Result<Proposal, ProposeError> {
        let draft = planner::draft(group, resolved, &survey, planner::candidate(&survey));
        let draft = draft.map_err(ProposeError::Refused)?;
        // What serves in this very shape was taken before.
        let serves = |object: &&Object| {
            let live = survey.live.iter().flat_map(Plan::services);
            live.map(|service| &service.active)
                .any(|active| active == *object)
        };
        let objects: Vec<_> = draft
            .plan
            .apps
            .iter()
            .flat_map(planner::objects)
            .filter(|object| !serves(object))
            .cloned()
            .collect();
        let trials = self
            .cluster
            .try_out(&objects)
            .await
            .map_err(ProposeError::Cluster)?;
        let capacity = capacity(&draft.plan, &survey);
        let mut refusals = planner::trial_refusals(&draft.plan, &trials);
        refusals.extend(capacity.refusals(&survey.quotas));
        if !refusals.is_empty() {
            return Err(ProposeError::Refused(refusals));
        }

        let missing = missing(&survey);
        let mut warnings = draft.warnings;
        if !missing.is_empty() {
            warnings.push(format!(
                "recorded as serving, but gone: {}",
                missing.join(", ")
            ));
        }
        warnings.extend(capacity.warning(&survey));
        Ok(Proposal {
            plan: draft.plan,
            live: survey.live,
            changes: Vec::new(),
            capacity,
            missing,
            warnings,
        })
    }
}

fn missing(survey: &Survey) -> Vec<String> {
    let there = |name: &str| {
        survey
            .deployments
            .iter()
            .any(|deployment| deployment.name == name)
    };
    let live = survey
        .live
        .iter()
        .flat_map(|live| &live.apps)
        .map(|app| app.deployment.name());
    live.filter(|name| !there(name))
        .map(|name| format!("Deployment {name}"))
        .collect()
}
