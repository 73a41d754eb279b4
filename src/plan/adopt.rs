//! `(Group, painted apps, what stands) -> Plan` of what stands before promoter
//! came, as if promoter had made it.
//!
//! Everything that follows goes by that plan: the candidate is made beside it, an
//! abort leaves it as it is, and it is taken down once the candidate has passed.
//! Refusals are collected. Nothing here does I/O, and nothing is changed by it:
//! what taking over changes is written down ([`super::taking`]).

mod manager;
mod service;
mod workload;

use std::collections::BTreeMap;

use serde_json::Value;

use super::color::Color;
use super::diff::LAST_APPLIED;
use super::image::{Digest, ResolvedImage, tag_of_reference};
use super::label::{self, Role};
use super::object::{Object, ObjectRef};
use super::refusal::Refusal;
use super::survey::{StandingDeployment, Survey};
use super::taking::{Adopted, Taking, marks, merged};
use super::{AppPlan, Plan, Serving, fingerprint};
use crate::group::{Group, Isolation, Start};
use workload::Workload;

/// What stands in the namespace, as far as it may be adopted, or be in the way.
#[derive(Debug, Clone, Default)]
pub struct Standing(pub Vec<Object>);

/// What stands as a plan, with what a person should know before it is taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct Adoption {
    /// The plan.
    pub plan: Plan,
    /// Not wrong, but worth saying.
    pub warnings: Vec<String>,
}

/// What of an app is taken over if it stands, or is in the way, beside its Deployment
/// and Services: by the app as it is painted for the candidate.
pub fn may_stand(app: &AppPlan, candidate: Color) -> Vec<ObjectRef> {
    let shared = app.shared.iter().map(Object::reference);
    let colored = app.colored.iter().chain(&app.crons);
    shared
        .chain(colored.map(|object| uncolored(object, candidate)))
        .collect()
}

/// Makes what stands into a plan of the other colour than the candidate's.
///
/// # Errors
/// All reasons why what stands cannot be taken over.
pub fn adopt(
    group: &Group,
    apps: &[AppPlan],
    candidate: Color,
    standing: &Standing,
) -> Result<Adoption, Vec<Refusal>> {
    let (mut refusals, mut warnings) = (Vec::from_iter(unpinned(group)), Vec::new());
    let (mut adopted, mut plans) = (Adopted::default(), Vec::new());
    for app in apps {
        refusals.extend(working(app, candidate, standing));
        match workload::find(app, standing) {
            Ok(workload) => {
                warnings.extend(workload.warnings(app));
                let taker = Taker {
                    group,
                    app,
                    workload: &workload,
                    candidate,
                    standing,
                };
                plans.push(taker.take(&mut adopted, &mut refusals));
            }
            Err(reasons) => refusals.extend(reasons),
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let taken = adopted.takings.iter().map(|taking| &taking.object);
    let taken = taken.filter_map(|object| standing.get(object));
    warnings.extend(taken.filter_map(manager::warning));
    let inputs = fingerprint::of_standing(&plans);
    let plan = Plan {
        apps: plans,
        adopted: Some(adopted),
        ..Plan::empty(group, candidate.other(), inputs)
    };
    Ok(Adoption { plan, warnings })
}

/// What was made without promoter calls its members by the active Services, which lead
/// to the candidate from the switch on: a wall would refuse its users' requests.
pub(super) fn unpinned(group: &Group) -> Option<Refusal> {
    let is_walled = group.strategy.isolation == Isolation::NetworkPolicy;
    is_walled.then(|| {
        let reason = "asks for `isolation = \"network-policy\"`, but what runs already is not \
                      pinned: after the switch its calls go to the new version, which the policy \
                      would refuse";
        Refusal::about(format!("group {}", group.name), reason).hint(
            "adopt it with isolation = \"pinning\", and set \"network-policy\" for the promotions \
             after that",
        )
    })
}

/// What takes work by itself, as its successor does: what is adopted is not stopped.
fn working(app: &AppPlan, candidate: Color, standing: &Standing) -> Vec<Refusal> {
    let worker =
        (app.start == Start::OnPromote).then(|| {
            Refusal::app(&app.name, "starts when it is promoted, and what stands of it works").hint(
            "leave the app out until the others are adopted, delete its Deployment, then add it; \
             or adopt it without `start`, if both versions may work side by side for once",
        )
        });
    let crons = app.crons.iter().map(|cron| uncolored(cron, candidate));
    let crons = crons.filter(|cron| standing.get(cron).is_some());
    let crons = crons.map(|cron| {
        Refusal::object(&app.name, &cron, "runs, and would go on beside the group's").hint(
            "leave it out of the manifest until the rest is adopted; then delete it, and add it again",
        )
    });
    worker.into_iter().chain(crons).collect()
}

/// Takes one app over.
struct Taker<'a> {
    group: &'a Group,
    /// As it is painted for the candidate.
    app: &'a AppPlan,
    workload: &'a Workload<'a>,
    candidate: Color,
    standing: &'a Standing,
}

impl Taker<'_> {
    fn color(&self) -> Color {
        self.candidate.other()
    }

    fn take(&self, adopted: &mut Adopted, refusals: &mut Vec<Refusal>) -> AppPlan {
        let found = self.workload.deployment;
        let deployment = Taking::of(found, &self.colored_marks(true)).paused(found);
        let set = self.workload.set.uid().unwrap_or_default();
        adopted.sets.insert(self.app.name.clone(), set.to_owned());
        let mut services = Vec::new();
        for planned in &self.app.services {
            match service::take(self, planned) {
                Ok(taken) => services.extend(taken),
                Err(reasons) => refusals.extend(reasons),
            }
        }
        let (services, takings): (Vec<_>, Vec<_>) = services.into_iter().unzip();
        let shared = self.app.shared.iter().map(Object::reference);
        let shared = self.others(shared, refusals, Role::Shared);
        let budgets = self.app.colored.iter();
        let budgets = budgets.map(|budget| uncolored(budget, self.candidate));
        let budgets = self.others(budgets, refusals, Role::Colored);
        let plan = AppPlan {
            name: self.app.name.clone(),
            image: self.image(),
            needs: self.app.needs.clone(),
            deployment: as_planned(found, &deployment),
            services,
            config: Vec::new(),
            colored: budgets.iter().map(|(object, _)| object.clone()).collect(),
            autoscaler: None,
            start: Start::Beside,
            crons: Vec::new(),
            shared: shared.iter().map(|(object, _)| object.clone()).collect(),
        };
        let others = shared.into_iter().chain(budgets).map(|(_, taking)| taking);
        let all = std::iter::once(deployment).chain(takings).chain(others);
        adopted.takings.extend(all);
        plan
    }

    /// Objects of other kinds that stand.
    fn others(
        &self,
        objects: impl Iterator<Item = ObjectRef>,
        refusals: &mut Vec<Refusal>,
        role: Role,
    ) -> Vec<(Object, Taking)> {
        let mut taken = Vec::new();
        for found in objects.filter_map(|object| self.standing.get(&object)) {
            refusals.extend(self.owned(found));
            let marks = match role {
                Role::Colored => self.colored_marks(false),
                role => marks(&self.group.name, &self.app.name, role),
            };
            let taking = Taking::of(found, &marks);
            taken.push((as_planned(found, &taking), taking));
        }
        taken
    }

    /// Marks of what one colour has, and of a Deployment, which a promotion made.
    fn colored_marks(&self, is_made: bool) -> BTreeMap<&str, &str> {
        let mut marks = marks(&self.group.name, &self.app.name, Role::Colored);
        marks.insert(label::COLOR, self.color().as_str());
        if is_made {
            marks.insert(label::PROMOTION, label::ADOPTED);
        }
        marks
    }

    /// That an object is some promoter's already.
    fn owned(&self, found: &Object) -> Option<Refusal> {
        let owner = found.label(label::GROUP)?;
        let reason = format!("belongs to group {owner} of promoter already");
        Some(self.refuse(found, reason).hint(
            "an object belongs to one group; leave it out of the manifest, or out of the other group first",
        ))
    }

    fn refuse(&self, found: &Object, reason: impl Into<String>) -> Refusal {
        Refusal::object(&self.app.name, &found.reference(), reason)
    }

    /// What runs, in the words of an image that was resolved. What it was built
    /// from nobody knows.
    fn image(&self) -> ResolvedImage {
        let (reference, digest) = self.workload.image.clone();
        let tag = tag_of_reference(&reference)
            .unwrap_or_else(|| digest.short())
            .to_owned();
        ResolvedImage {
            repository: self.app.image.repository.clone(),
            reference,
            branch: self.app.image.branch.clone(),
            tag,
            digest,
            build: 0,
            commit: None,
            pushed_at: jiff::Timestamp::UNIX_EPOCH,
            platforms: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

impl Standing {
    /// The object of that address, if it stands.
    pub fn get(&self, object: &ObjectRef) -> Option<&Object> {
        self.0.iter().find(|found| found.reference() == *object)
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        self.0.iter().filter(move |found| found.kind() == kind)
    }
}

impl Adoption {
    /// What would serve once it is taken over.
    pub fn serving(&self) -> Serving {
        Serving {
            color: self.plan.candidate,
            release: self.plan.release.clone(),
            plan: self.plan.id(),
        }
    }

    /// The cluster as planning would see it then.
    #[must_use]
    pub fn taken(&self, mut survey: Survey) -> Survey {
        let takings = self
            .plan
            .adopted
            .iter()
            .flat_map(|adopted| &adopted.takings);
        for taking in takings {
            let mut services = survey.services.iter_mut();
            let found = services.find(|found| found.reference() == taking.object);
            if let Some(found) = found {
                *found = merged(found, &taking.there);
            }
        }
        let standing = self.plan.apps.iter().map(|app| StandingDeployment {
            name: app.deployment.name().to_owned(),
            ready: app.count(None),
            deleting: false,
        });
        survey.deployments.extend(standing);
        survey.serving = Some(self.serving());
        survey.live = Some(self.plan.clone());
        survey
    }
}

/// An object as a plan would have it that made it: what the server adds is left out.
fn as_planned(found: &Object, taking: &Taking) -> Object {
    let mut object = merged(found, &taking.there);
    object.forget_server();
    let annotations = object.0.pointer_mut("/metadata/annotations");
    if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
        annotations.remove(label::FENCE);
        // A copy of what somebody applied, which would not stay one.
        annotations.remove(LAST_APPLIED);
    }
    object
}

/// The user's own name of what is painted for a colour.
fn uncolored(object: &Object, color: Color) -> ObjectRef {
    let suffix = format!("-{color}");
    let name = object.name();
    let name = name.strip_suffix(&suffix).unwrap_or(name);
    ObjectRef::new(object.api_version(), object.kind(), name)
}

/// The digest that a node says it runs.
fn digest(image_id: &str) -> Option<Digest> {
    Digest::of_reference(image_id).or_else(|| Digest::parse(image_id).ok())
}
