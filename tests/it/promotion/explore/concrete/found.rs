//! What is found in the cluster in a reduced situation.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use promoter::group::name::CheckName;
use promoter::plan::check::{CONTAINER, job_name};
use promoter::plan::color::Color;
use promoter::plan::label;
use promoter::plan::object::Object;
use promoter::plan::{AppPlan, CheckPlan, Plan, ServicePlan};
use promoter::promotion::Promotion;
use promoter::promotion::id::PromotionId;
use promoter::promotion::observed::{
    ContainerState, DeploymentState, Ended, Endpoint, JobState, Observed, PodState,
};
use promoter::promotion::phase::Phase;
use promoter::promotion::request::{Action, Request};
use promoter::promotion::restraint::Statement;
use serde_json::{Value, json};

use super::{Plans, attempt, now, start};
use crate::promotion::explore::choice::POINTS;
use crate::promotion::explore::states::{App, Asked, Candidate, Check, Old, Points, Run, State};
use crate::support::given;

pub(super) fn observed(state: &State, plans: &Plans, promotion: &Promotion) -> Observed {
    let mut observed = Observed::default();
    let ours = promotion.id.to_string();
    let pairs = plans.new.apps.iter().zip(&plans.old.apps);
    for (n, (app, (new, old))) in state.apps().iter().zip(pairs).enumerate() {
        add_candidate(&mut observed, app, new, &ours, state);
        add_old(&mut observed, app, old);
        let services = &plans.services.0[&(n, app.points, app.rerouted)];
        for service in services {
            observed.add_service(Arc::clone(service));
        }
    }
    if state.exposing {
        let mut service = plans.new.apps[0].services[0].colored.clone();
        service.0["metadata"]["name"] = "nosy".into();
        service.0["metadata"]["labels"] = json!({});
        observed.add_service(service);
    }
    for (check, plan) in state.checks().iter().zip(&plans.new.checks) {
        let name = job_name(&plans.new.group, plan, &ours, attempt(check));
        add_run(&mut observed, check, plan, &name, &ours, now(state));
    }
    if state.stray_job {
        let check = given::check("greets").name;
        observed
            .jobs
            .push(job("stray", &check, "earlier0", start()));
    }
    let request = |action, promotion| Request {
        promotion,
        action,
        actor: "bob".to_owned(),
        reason: None,
        at: start(),
    };
    observed.request = match state.asked {
        Asked::Nothing | Asked::Held => None,
        Asked::Abort => Some(request(Action::Abort, promotion.id.clone())),
        Asked::Rollback => Some(request(Action::Rollback, promotion.id.clone())),
        Asked::RollbackOfAnother => Some(request(Action::Rollback, PromotionId::new(start(), 7))),
    };
    observed.restraints.hold = (state.asked == Asked::Held).then(|| Statement {
        actor: "bob".to_owned(),
        reason: "the database moves".to_owned(),
        at: start(),
    });
    observed
}

pub(in crate::promotion::explore) fn deployment(
    app: &AppPlan,
    color: Color,
    promotion: &str,
) -> DeploymentState {
    DeploymentState {
        name: format!("{}-{color}", app.name),
        uid: format!("{}-tested", app.name),
        app: app.name.clone(),
        color,
        promotion: promotion.to_owned(),
        epoch: 1,
        plan: None,
        generation: 1,
        observed_generation: 1,
        wanted: 2,
        ready: 2,
        deleting: false,
        failure: None,
    }
}

fn add_candidate(observed: &mut Observed, app: &App, plan: &AppPlan, ours: &str, state: &State) {
    let whole = deployment(plan, Color::Green, ours);
    let found = match app.candidate {
        Candidate::Absent => None,
        Candidate::Ready => Some(whole),
        Candidate::Unready => Some(DeploymentState { ready: 1, ..whole }),
        Candidate::Edited => Some(DeploymentState {
            generation: 2,
            observed_generation: 2,
            ..whole
        }),
        Candidate::Replaced => Some(DeploymentState {
            uid: "somebody-made-it-again".to_owned(),
            ..whole
        }),
        Candidate::Foreign => Some(DeploymentState {
            promotion: "earlier0".to_owned(),
            ..whole
        }),
        Candidate::Deleting => Some(DeploymentState {
            deleting: true,
            ready: 0,
            ..whole
        }),
    };
    let owner = if app.candidate == Candidate::Foreign {
        "earlier0"
    } else {
        ours
    };
    let pods = match app.candidate {
        Candidate::Absent if app.leftover => 1,
        Candidate::Absent => 0,
        _ => 2,
    };
    let ready = found.as_ref().map_or(0, |found| found.ready);
    observed.deployments.extend(found);
    for n in 0..pods {
        let pod = pod(plan, Color::Green, owner, n);
        let endpoint = Endpoint {
            pod: pod.name.clone(),
            ready: n < ready,
            since: if app.followed { start() } else { now(state) },
        };
        let active = matches!(app.points, Points::New | Points::BentNew);
        let behind = |observed: &mut Observed, service: &str| {
            let behind = observed.endpoints.entry(service.to_owned());
            behind.or_default().push(endpoint.clone());
        };
        if app.routed {
            behind(observed, plan.services[0].colored.name());
        }
        if active && app.followed {
            behind(observed, plan.services[0].active.name());
        }
        let leaves = app.leftover && state.phase == Phase::Deploying;
        observed.pods.push(PodState {
            promotion: if leaves {
                "earlier0".to_owned()
            } else {
                pod.promotion.clone()
            },
            ..pod
        });
    }
}

fn add_old(observed: &mut Observed, app: &App, plan: &AppPlan) {
    let whole = DeploymentState {
        uid: format!("{}-old", plan.name),
        ..deployment(plan, Color::Blue, "earlier0")
    };
    let found = match app.old {
        Old::Absent => return,
        Old::Ready | Old::Unrouted => whole,
        Old::Unready => DeploymentState { ready: 1, ..whole },
        Old::Deleting => DeploymentState {
            deleting: true,
            ready: 0,
            ..whole
        },
    };
    for n in 0..found.ready {
        let pod = pod(plan, Color::Blue, "earlier0", n);
        let endpoint = Endpoint {
            pod: pod.name.clone(),
            ready: true,
            since: start(),
        };
        if app.old != Old::Unrouted {
            let service = plan.services[0].colored.name().to_owned();
            observed
                .endpoints
                .entry(service)
                .or_default()
                .push(endpoint);
        }
        observed.pods.push(pod);
    }
    observed.deployments.push(found);
}

pub(in crate::promotion::explore) fn pod(
    app: &AppPlan,
    color: Color,
    promotion: &str,
    n: u32,
) -> PodState {
    let name = format!("{}-{color}-{n}", app.name);
    // Long before any run.
    let made_at = start() - Duration::from_hours(48);
    PodState {
        app: Some(app.name.clone()),
        promotion: promotion.to_owned(),
        ..given::running_pod(&name, color, made_at)
    }
}

/// The Services of every app in every way they can be found, made only once.
pub(super) struct Services(HashMap<(usize, Points, bool), Vec<Arc<Object>>>);

impl Services {
    /// The Services of a plan, and of the one it replaces.
    pub(super) fn of(old: &Plan, new: &Plan) -> Self {
        let pairs = new.services().zip(old.services()).enumerate();
        let ways = pairs.flat_map(|(n, (new, old))| {
            let ways = POINTS.into_iter().flat_map(|p| [(p, false), (p, true)]);
            ways.map(move |(p, rerouted)| ((n, p, rerouted), services(p, rerouted, new, old)))
        });
        Self(ways.collect())
    }
}

fn services(
    points: Points,
    rerouted: bool,
    new: &ServicePlan,
    old: &ServicePlan,
) -> Vec<Arc<Object>> {
    let bent = |color: Color| json!({ label::COLOR: color });
    let selector = match points {
        Points::Missing => None,
        Points::Nowhere => Some(json!({})),
        Points::Elsewhere => Some(json!({ "app": "maintenance" })),
        Points::Old => Some(json!(old.selector)),
        Points::New => Some(json!(new.selector)),
        Points::BentOld => Some(bent(Color::Blue)),
        Points::BentNew => Some(bent(Color::Green)),
    };
    let active = selector.map(|selector| slim(&new.active, &selector));
    let mut colored = [&new.colored, &old.colored].map(Clone::clone);
    if rerouted {
        colored[0].0["spec"]["selector"] = json!({ "app": "maintenance" });
    }
    active.into_iter().chain(colored).map(Arc::new).collect()
}

/// As much of an active Service as the rules look at.
pub(in crate::promotion::explore) fn slim(service: &Object, selector: &Value) -> Object {
    Object(json!({
        "kind": "Service",
        "metadata": {
            "name": service.name(),
            "uid": "uid",
            "labels": service.texts_at("/metadata/labels"),
        },
        "spec": { "selector": selector },
    }))
}

fn job(name: &str, check: &CheckName, promotion: &str, made: Timestamp) -> JobState {
    JobState {
        name: name.to_owned(),
        uid: format!("uid-{name}"),
        check: check.clone(),
        promotion: promotion.to_owned(),
        created_at: made,
        suspended: false,
        deleting: false,
        ended: None,
    }
}

fn add_run(
    observed: &mut Observed,
    check: &Check,
    plan: &CheckPlan,
    name: &str,
    ours: &str,
    now: Timestamp,
) {
    let promotion = match check.run {
        Run::Unstarted | Run::JobGone => return,
        Run::Foreign => "another0",
        _ => ours,
    };
    let made = now - Duration::from_secs(3);
    let mut made_job = job(name, &plan.name, promotion, made);
    if check.run == Run::Swapped {
        "somebody-put-it-there".clone_into(&mut made_job.uid);
    }
    let owner = made_job.uid.clone();
    observed.jobs.push(made_job);
    let since = now - Duration::from_secs(2);
    let exits = |exit_code: i32| Ended {
        exit_code,
        signal: None,
        reason: if exit_code == 0 { "Completed" } else { "Error" }.to_owned(),
        message: String::new(),
        started_at: Some(since),
        finished_at: Some(now),
    };
    let (running_since, ended) = match check.run {
        Run::Unstarted | Run::JobGone | Run::Starting => (None, None),
        Run::Running => (Some(since), None),
        Run::Overtime => (Some(now - plan.timeout), None),
        Run::ExitZero | Run::Deleted | Run::Foreign | Run::Swapped => (None, Some(exits(0))),
        Run::ExitOne => (None, Some(exits(1))),
    };
    let container = ContainerState {
        name: CONTAINER.to_owned(),
        ready: false,
        restarts: 0,
        running_since,
        waiting: (check.run == Run::Starting)
            .then(|| ("ContainerCreating".to_owned(), String::new())),
        ended,
        ended_at: None,
    };
    observed.pods.push(PodState {
        name: format!("{name}-pod"),
        uid: format!("{name}-pod"),
        app: None,
        check: Some(plan.name.clone()),
        color: Color::Green,
        promotion: promotion.to_owned(),
        owner: Some(owner),
        phase: "Running".to_owned(),
        ready: false,
        unheard: false,
        unheard_at: None,
        node: None,
        addresses: Vec::new(),
        deleting: check.run == Run::Deleted,
        disrupted: None,
        reason: None,
        unschedulable: None,
        created_at: made,
        containers: vec![container],
    });
}
