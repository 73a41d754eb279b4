//! From a group to the plan of what a promotion would do now. Writes nothing.

use std::pin::pin;
use std::time::Duration;

use thiserror::Error;

use super::Engine;
use super::outside::{Answers, Outside, Question};
use super::resolve::{ResolveError, Sources};
use crate::group::name::GroupName;
use crate::group::{Group, Newest};
use crate::plan::capacity::{Capacity, capacity};
use crate::plan::diff::{Change, changes};
use crate::plan::image::Resolved;
use crate::plan::object::Object;
use crate::plan::refusal::Refusal;
use crate::plan::require::differences;
use crate::plan::resolve::is_way_back;
use crate::plan::survey::Survey;
use crate::plan::{Plan, Requirement, planner};
use crate::port::ClusterError;
use crate::promotion::event::Fact;
use crate::promotion::later;
use crate::promotion::record::GroupRecord;
use crate::promotion::restraint::{Guarded, Restraint, Restraints};

/// How long planning may take, however often it is tried again meanwhile.
const DEADLINE: Duration = Duration::from_mins(10);
/// After how long it says what it waits for.
const LONG_WAIT: Duration = Duration::from_secs(5);

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
    /// What keeps the release from users.
    pub restraints: Vec<Restraint>,
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

/// What a plan is made over.
pub(super) struct Found {
    pub(super) survey: Survey,
    pub(super) record: GroupRecord,
    pub(super) restraints: Restraints,
    pub(super) budget: Guarded,
}

/// A group that is required, and what serves of it.
type Required = (GroupName, Option<Plan>);

impl Found {
    /// What keeps a plan's release from users.
    fn against(&self, plan: &Plan, required: &[Required], newest: Newest) -> Vec<Restraint> {
        let live = self.survey.live.iter().flat_map(|live| &live.apps);
        let older = live.filter_map(|serves| {
            let offered = plan.app(&serves.name)?;
            let (from, to) = (&serves.image, &offered.image);
            is_way_back(from, to, newest).then(|| Restraint::Older {
                app: serves.name.clone(),
                serves: from.tag.clone(),
                offered: to.tag.clone(),
            })
        });
        let differences = required.iter().filter_map(|(group, serving)| {
            let found = differences(plan, serving.as_ref()?);
            let group = group.clone();
            let why = found.join("; ");
            (!found.is_empty()).then_some(Restraint::Required { group, why })
        });
        let found_bad = self.record.found_bad(&plan.fingerprint);
        let mut restraints = self.restraints.against(plan);
        restraints.extend(differences.chain(older).chain(found_bad));
        restraints.extend(self.budget.restraint.clone());
        restraints
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
    /// It took too long.
    #[error(
        "planning did not end within 10 minutes: it still waited for {wait_for}; no promotion was begun"
    )]
    Overdue {
        /// What for.
        wait_for: &'static str,
    },
}

impl Engine {
    /// What promoting the group's newest images in `sources` would do now.
    ///
    /// # Errors
    /// All images that cannot be resolved, or else all reasons against the plan.
    pub async fn propose(
        &self,
        sources: Sources<'_>,
        group: &Group,
    ) -> Result<Proposal, ProposeError> {
        let answers = Answers::of(group);
        let planning = self.propose_anew(sources, group, &answers);
        self.in_time(&answers, planning).await
    }

    /// Sees to it that planning ends, and that it says what it waits for.
    pub(super) async fn in_time<T, E: From<ProposeError>>(
        &self,
        answers: &Answers,
        planning: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let until = later(self.clock.now(), DEADLINE);
        let mut planning = pin!(planning);
        let mut told = "";
        loop {
            let look = later(self.clock.now(), LONG_WAIT).min(until);
            tokio::select! {
                biased;
                planned = &mut planning => return planned,
                () = self.clock.sleep_until(look) => {}
            }
            let wait_for = answers.awaited();
            if look == until {
                return Err(ProposeError::Overdue { wait_for }.into());
            }
            if std::mem::replace(&mut told, wait_for) != wait_for {
                let wait_for = wait_for.to_owned();
                self.record(None, Fact::Waiting { wait_for, until });
            }
        }
    }

    async fn propose_anew(
        &self,
        sources: Sources<'_>,
        group: &Group,
        answers: &Answers,
    ) -> Result<Proposal, ProposeError> {
        let (resolved, found) = self.look(sources, group, answers).await?;
        let survey = &found.survey;
        // What differs is said of the colour that serves.
        let serving = survey.serving.as_ref();
        let color = serving.map_or_else(|| planner::candidate(survey), |serving| serving.color);
        let there = planner::draft(group, &resolved, survey, color);
        let there = there.map_err(ProposeError::Refused)?;
        let changes = changes(survey.live.as_ref(), &there.plan);
        let proposal = self.propose_resolved(group, &resolved, found).await?;
        Ok(Proposal {
            changes,
            ..proposal
        })
    }

    /// The group's newest images, and what they would be deployed to and at what
    /// expense.
    pub(super) async fn look(
        &self,
        sources: Sources<'_>,
        group: &Group,
        answers: &Answers,
    ) -> Result<(Resolved, Found), ProposeError> {
        let question = Question {
            sources,
            group,
            answers,
        };
        let (outside, found) = tokio::join!(question.ask(), self.find());
        let Outside { images, budget } = outside;
        let found = found.map_err(ProposeError::Cluster)?;
        let images = images.map_err(ProposeError::Resolve)?;
        Ok((images, Found { budget, ..found }))
    }

    async fn required(&self, group: &Group) -> Result<Vec<Required>, ProposeError> {
        let mut required = Vec::new();
        for group in &group.requires {
            let serving = self.ledger.serving(group).await;
            let serving = serving.map_err(ProposeError::Cluster)?;
            required.push((group.clone(), serving));
        }
        Ok(required)
    }

    /// What is there. What is spent is not looked up.
    pub(super) async fn find(&self) -> Result<Found, ClusterError> {
        let (survey, restraints, record) = tokio::join!(
            self.cluster.survey(),
            self.ledger.restraints(),
            self.recorded_or_none(),
        );
        let survey = survey?;
        if survey.namespace.is_none() {
            return Ok(Found {
                survey,
                record: GroupRecord::default(),
                restraints: Restraints::default(),
                budget: Guarded::default(),
            });
        }
        Ok(Found {
            survey,
            record: record?,
            restraints: restraints?,
            budget: Guarded::default(),
        })
    }

    /// The record. Planning is possible before anything was installed.
    async fn recorded_or_none(&self) -> Result<GroupRecord, ClusterError> {
        match self.ledger.read().await {
            Err(ClusterError::NotInstalled) => Ok(GroupRecord::default()),
            record => record,
        }
    }

    /// As [`Engine::propose`], of images that were resolved and a cluster that
    /// was looked at already. What changes is not looked up.
    pub(super) async fn propose_resolved(
        &self,
        group: &Group,
        resolved: &Resolved,
        found: Found,
    ) -> Result<Proposal, ProposeError> {
        let survey = &found.survey;
        let draft = planner::draft(group, resolved, survey, planner::candidate(survey));
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
        let adopted = survey.live.iter().flat_map(|live| &live.adopted);
        let adopted = adopted.flat_map(|adopted| &adopted.takings);
        let adopted: Vec<_> = adopted.map(|taking| taking.object.clone()).collect();
        let trials = self
            .cluster
            .try_out(&objects, &adopted)
            .await
            .map_err(ProposeError::Cluster)?;
        let capacity = capacity(&draft.plan, survey);
        let mut refusals = planner::trial_refusals(&draft.plan, &trials);
        refusals.extend(capacity.refusals(&survey.quotas));
        if !refusals.is_empty() {
            return Err(ProposeError::Refused(refusals));
        }

        let missing = missing(survey);
        let mut warnings = draft.warnings;
        if !missing.is_empty() {
            warnings.push(format!(
                "recorded as serving, but gone: {}",
                missing.join(", ")
            ));
        }
        warnings.extend(capacity.warning(survey));
        warnings.extend(found.budget.warning.clone());
        let mut plan = draft.plan;
        let required = self.required(group).await?;
        let beside = required.iter().map(|(group, serving)| Requirement {
            group: group.clone(),
            plan: serving.as_ref().map(Plan::id),
        });
        plan.requires = beside.collect();
        let restraints = found.against(&plan, &required, group.newest);
        Ok(Proposal {
            plan,
            live: found.survey.live,
            changes: Vec::new(),
            capacity,
            missing,
            restraints,
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
