//! Situations that promotions come into, or could.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use promoter::plan::Plan;
use promoter::plan::color::Color;
use promoter::plan::label;
use promoter::promotion::check::{CheckResult, Verdict};
use promoter::promotion::id::PromotionId;
use promoter::promotion::observed::{DeploymentState, Endpoint, Observed, PodState};
use promoter::promotion::phase::Phase;
use promoter::promotion::{Actor, Mark, Promotion, Tested, Trigger};
use proptest::prelude::*;
use serde_json::json;

use crate::support::given;

pub(super) fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// Two checks, blue serves, green is to be filled: the old plan and the new.
pub(super) static PLANS: LazyLock<(Plan, Plan)> = LazyLock::new(|| {
    let mut group = given::hello();
    group.checks.push(given::check("smokes"));
    given::plans(&group)
});

pub(super) fn promotion(plan: &Plan, phase: Phase) -> Promotion {
    let actor = Actor {
        name: "ann".to_owned(),
        trigger: Trigger::Cli,
    };
    let mut promotion = Promotion::new(PromotionId::new(now(), 0), plan, actor, now());
    promotion.phase = phase;
    promotion
}

/// What can be found of one Deployment and its pods.
#[derive(Debug, Clone)]
pub(super) struct Found {
    app: usize,
    color: Color,
    ours: bool,
    ready: u32,
    generation: i64,
    deleting: bool,
    pods: usize,
}

/// Each app in each color; mostly whole and ours, or the rules would hardly get far.
fn found() -> impl Strategy<Value = Vec<Found>> {
    let mostly = || prop::bool::weighted(0.9);
    let places = [
        (0, Color::Blue),
        (1, Color::Blue),
        (0, Color::Green),
        (1, Color::Green),
    ];
    let one = |(app, color)| {
        (
            mostly(),
            mostly(),
            mostly(),
            mostly(),
            mostly(),
            prop_oneof![6 => Just(2_usize), 1 => 0..3_usize],
        )
            .prop_map(move |(there, ours, ready, same, stays, pods)| {
                there.then_some(Found {
                    app,
                    color,
                    ours: ours && color == Color::Green,
                    ready: if ready { 2 } else { 1 },
                    generation: if same { 1 } else { 2 },
                    deleting: !stays,
                    pods,
                })
            })
    };
    let all = places.map(one);
    all.prop_map(|found| found.into_iter().flatten().collect())
}

/// Where an active Service points: nowhere, at a colour, or somewhere else.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pointing {
    Gone,
    Nowhere,
    At(Color),
    Elsewhere,
}

fn points() -> impl Strategy<Value = [Pointing; 2]> {
    let any = || {
        prop_oneof![
            1 => Just(Pointing::Gone),
            1 => Just(Pointing::Nowhere),
            3 => prop::sample::select(&Color::ALL[..]).prop_map(Pointing::At),
            1 => Just(Pointing::Elsewhere),
        ]
    };
    let together = prop::sample::select(&Color::ALL[..]).prop_map(|c| [Pointing::At(c); 2]);
    prop_oneof![2 => together, 1 => [any(), any()]]
}

pub(super) fn observed(
    plan: &Plan,
    promotion: &Promotion,
    found: &[Found],
    points: [Pointing; 2],
) -> Observed {
    let mut observed = Observed::default();
    for (n, one) in found.iter().enumerate() {
        let app = plan.apps[one.app].name.clone();
        let owner = if one.ours {
            promotion.id.to_string()
        } else {
            "earlier0".to_owned()
        };
        let name = format!("{app}-{}", one.color);
        observed.deployments.push(DeploymentState {
            epoch: 1,
            plan: None,
            name: name.clone(),
            uid: format!("uid-{name}"),
            app: app.clone(),
            color: one.color,
            promotion: owner.clone(),
            generation: one.generation,
            observed_generation: one.generation,
            wanted: 2,
            ready: one.ready,
            deleting: one.deleting,
            failure: None,
        });
        for number in 0..one.pods {
            let pod = format!("{name}-{n}-{number}");
            let endpoint = Endpoint {
                since: Timestamp::UNIX_EPOCH,
                pod: pod.clone(),
                ready: true,
            };
            observed
                .endpoints
                .entry(name.clone())
                .or_default()
                .push(endpoint.clone());
            if matches!(points[one.app], Pointing::At(color) if color == one.color) {
                observed
                    .endpoints
                    .entry(app.to_string())
                    .or_default()
                    .push(endpoint);
            }
            observed.pods.push(PodState {
                name: pod.clone(),
                uid: pod,
                app: Some(app.clone()),
                check: None,
                color: one.color,
                promotion: owner.clone(),
                owner: None,
                phase: "Running".to_owned(),
                ready: u32::try_from(number).unwrap() < one.ready,
                unheard: false,
                unheard_at: None,
                node: None,
                addresses: Vec::new(),
                deleting: one.deleting,
                disrupted: None,
                reason: None,
                unschedulable: None,
                created_at: now(),
                containers: Vec::new(),
            });
        }
    }
    for (app, point) in plan.apps.iter().zip(points) {
        let service = &app.services[0];
        let mut selector = service.selector.clone();
        match point {
            Pointing::Gone => continue,
            Pointing::Nowhere => selector.clear(),
            Pointing::At(color) => {
                drop(selector.insert(label::COLOR.to_owned(), color.to_string()));
            }
            Pointing::Elsewhere => drop(selector.insert("other".to_owned(), "x".to_owned())),
        }
        let mut object = service.active.clone();
        object.0["spec"]["selector"] = json!(selector);
        object.0["metadata"]["uid"] = json!("uid");
        observed.add_service(object);
    }
    for service in plan.services() {
        observed.add_service(service.colored.clone());
    }
    observed
}

pub(super) fn result(
    plan: &Plan,
    promotion: &Promotion,
    check: usize,
    verdict: Verdict,
    ours: bool,
) -> CheckResult {
    let other = || "another0".to_owned();
    CheckResult {
        check: plan.checks[check].name.clone(),
        promotion: if ours {
            promotion.id.to_string()
        } else {
            other()
        },
        plan: if ours {
            promotion.plan.as_ref().to_owned()
        } else {
            other()
        },
        verdict,
        reason: "exit 0".to_owned(),
        exit_code: Some(0),
        attempt: 1,
        duration: None,
        cases: Vec::new(),
        left_out: BTreeMap::new(),
        tail: Vec::new(),
    }
}

fn some_result() -> impl Strategy<Value = (usize, Verdict, bool)> {
    let verdicts = [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::Errored,
        Verdict::TimedOut,
    ];
    let verdict =
        prop_oneof![6 => Just(Verdict::Passed), 1 => prop::sample::select(verdicts.to_vec())];
    (0..2_usize, verdict, prop::bool::weighted(0.9))
}

const MARKS: [Mark; 8] = [
    Mark::Prepared,
    Mark::Unpublished,
    Mark::SharedBegun,
    Mark::Shared,
    Mark::Services,
    Mark::LetGo,
    Mark::Restored,
    Mark::Pruned,
];

/// Everything a decision depends on.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) promotion: Promotion,
    pub(super) found: Vec<Found>,
    pub(super) points: [Pointing; 2],
    pub(super) away_at: Option<Timestamp>,
    pub(super) now: Timestamp,
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let (_, new) = &*PLANS;
    let marks = prop::collection::vec(prop::bool::weighted(0.6), MARKS.len());
    let age = prop_oneof![3 => 0..60_u64, 1 => 0..1000_u64];
    let passed = vec![(0, Verdict::Passed, true), (1, Verdict::Passed, true)];
    let results = prop_oneof![
        1 => prop::collection::vec(some_result(), 0..4),
        3 => Just(passed),
    ];
    let attempts = prop::collection::btree_set(0..2_usize, 0..3);
    let phase = prop::sample::select(&Phase::ALL[..]);
    let away = prop::option::weighted(0.2, 0..60_u64);
    let flags = any::<(bool, bool)>();
    let rest = (marks, age, results, attempts, phase, flags, away);
    (found(), points(), rest).prop_map(|(found, points, rest)| {
        let (marks, age, results, attempts, phase, (hurry, early), away) = rest;
        let mut promotion = promotion(new, phase);
        let of = |r: &(usize, Verdict, bool)| result(new, &promotion, r.0, r.1, r.2);
        promotion.results = results.iter().map(of).collect();
        let marked = MARKS.into_iter().zip(marks).filter(|(_, set)| *set);
        promotion.marks = marked.map(|(mark, _)| mark).collect();
        promotion.hurry = hurry;
        let started = attempts.iter().map(|n| (new.checks[*n].name.clone(), 1));
        promotion.attempts = started.collect();
        if early {
            promotion.early = promotion.attempts.keys().cloned().collect();
        }
        if phase > Phase::Deploying {
            let tested = new.apps.iter().map(|app| {
                let uid = format!("uid-{}-green", app.name);
                (
                    app.name.clone(),
                    Tested {
                        uid,
                        generation: 1,
                        ready: 1,
                    },
                )
            });
            promotion.tested = tested.collect();
        }
        let now = now() + Duration::from_secs(age);
        Case {
            promotion,
            found,
            points,
            away_at: away.map(|before| now - Duration::from_secs(before)),
            now,
        }
    })
}
