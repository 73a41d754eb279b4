//! The rules alone, over more situations than any scenario comes into.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use promoter::plan::color::Color;
use promoter::plan::label;
use promoter::plan::object::Object;
use promoter::plan::{Plan, Serving};
use promoter::promotion::check::{CheckResult, Verdict};
use promoter::promotion::id::PromotionId;
use promoter::promotion::next::{Next, Situation, Step, next};
use promoter::promotion::observed::{DeploymentState, Endpoint, Observed, PodState};
use promoter::promotion::phase::Phase;
use promoter::promotion::{Actor, Mark, Promotion, Tested, Trigger};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::support::given;

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// Two checks, blue serves, green is to be filled: the old plan and the new.
static PLANS: LazyLock<(Plan, Plan)> = LazyLock::new(|| {
    let mut group = given::hello();
    group.checks.push(given::check("smokes"));
    let old = given::plan(&group, Color::Blue);
    let mut new = given::plan(&group, Color::Green);
    new.replaces = Some(Serving {
        color: Color::Blue,
        release: old.release.clone(),
        plan: old.id(),
    });
    (old, new)
});

fn promotion(plan: &Plan, phase: Phase) -> Promotion {
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
struct Found {
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
enum Pointing {
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

fn observed(
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
        for pod in 0..one.pods {
            let pod = format!("{name}-{n}-{pod}");
            let endpoint = Endpoint {
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
                ready: true,
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
        observed.services.push(object);
    }
    let colored = plan
        .services()
        .map(|service| -> Object { service.colored.clone() });
    observed.services.extend(colored);
    observed
}

fn result(
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

const MARKS: [Mark; 6] = [
    Mark::Prepared,
    Mark::SharedBegun,
    Mark::Shared,
    Mark::Services,
    Mark::Restored,
    Mark::Pruned,
];

/// Everything a decision depends on.
#[derive(Debug, Clone)]
struct Case {
    promotion: Promotion,
    found: Vec<Found>,
    points: [Pointing; 2],
    now: Timestamp,
}

fn case() -> impl Strategy<Value = Case> {
    let (_, new) = &*PLANS;
    let marks = prop::collection::vec(prop::bool::weighted(0.6), MARKS.len());
    let age = prop_oneof![3 => 0..60_u64, 1 => 0..1000_u64];
    let results = prop::collection::vec(some_result(), 0..4);
    let attempts = prop::collection::btree_set(0..2_usize, 0..3);
    let phase = prop::sample::select(&Phase::ALL[..]);
    let rest = (marks, age, results, attempts, phase, any::<bool>());
    (found(), points(), rest).prop_map(|(found, points, rest)| {
        let (marks, age, results, attempts, phase, hurry) = rest;
        let mut promotion = promotion(new, phase);
        let of = |r: &(usize, Verdict, bool)| result(new, &promotion, r.0, r.1, r.2);
        promotion.results = results.iter().map(of).collect();
        let marked = MARKS.into_iter().zip(marks).filter(|(_, set)| *set);
        promotion.marks = marked.map(|(mark, _)| mark).collect();
        promotion.hurry = hurry;
        let started = attempts.iter().map(|n| (new.checks[*n].name.clone(), 1));
        promotion.attempts = started.collect();
        if phase > Phase::Deploying {
            let tested = new.apps.iter().map(|app| {
                let uid = format!("uid-{}-green", app.name);
                (app.name.clone(), Tested { uid, generation: 1 })
            });
            promotion.tested = tested.collect();
        }
        let now = now() + Duration::from_secs(age);
        Case {
            promotion,
            found,
            points,
            now,
        }
    })
}

/// Whether one result of this promotion and plan says that a check passed, and none says otherwise.
fn passed(promotion: &Promotion, check: usize) -> bool {
    let here = |r: &&CheckResult| {
        r.check == PLANS.1.checks[check].name
            && r.promotion == promotion.id.to_string()
            && r.plan == promotion.plan.as_ref()
    };
    let all: Vec<_> = promotion.results.iter().filter(here).collect();
    matches!(all[..], [one] if one.verdict == Verdict::Passed)
}

/// What must hold of a decision, and its name if it is one that moves traffic.
fn judge(case: &Case) -> Result<Option<&'static str>, TestCaseError> {
    let (old, new) = &*PLANS;
    let Case {
        promotion, points, ..
    } = case;
    let phase = promotion.phase;
    let observed = observed(new, promotion, &case.found, *points);
    let situation = Situation {
        plan: new,
        replaced: Some(old),
        promotion,
        observed: &observed,
        now: case.now,
    };
    let decided = next(situation);
    prop_assert_eq!(&decided, &next(situation), "the rules are not pure");
    let whole = |app: usize| {
        observed.deployments.iter().any(|d| {
            d.app == new.apps[app].name
                && d.color == Color::Green
                && d.promotion == promotion.id.to_string()
                && (d.ready, d.generation, d.deleting) == (2, 1, false)
                && observed
                    .endpoints
                    .get(&d.name)
                    .is_some_and(|behind| behind.len() >= 2)
        })
    };
    let serves = |color: Color| {
        points
            .iter()
            .any(|p| matches!(p, Pointing::At(c) if *c == color))
    };
    match &decided {
        Next::Enter {
            phase: Phase::Promoting,
            ..
        } => {
            prop_assert_eq!(phase, Phase::Checking);
            prop_assert!(passed(promotion, 0) && passed(promotion, 1));
            return Ok(Some("promote"));
        }
        Next::Do(Step::Switch) => {
            prop_assert_eq!(phase, Phase::Promoting);
            prop_assert!(whole(0) && whole(1), "switched to what is not whole");
            prop_assert!(promotion.marks.contains(&Mark::Shared));
            return Ok(Some("switch"));
        }
        Next::Enter {
            phase: Phase::Settling,
            ..
        } => {
            prop_assert_eq!(phase, Phase::Promoting);
            prop_assert!(
                points
                    .iter()
                    .all(|p| matches!(p, Pointing::At(Color::Green)))
            );
            prop_assert!(whole(0) && whole(1), "settled on what is not whole");
            return Ok(Some("settle"));
        }
        Next::Do(Step::SwitchBack | Step::Restore) => prop_assert_eq!(phase, Phase::Aborting),
        Next::Do(Step::DeleteDeployments(deleted)) => {
            let color = if phase == Phase::Settling {
                Color::Blue
            } else {
                Color::Green
            };
            for (name, _) in deleted {
                prop_assert!(name.ends_with(color.as_str()), "{name} in {phase}");
            }
            // In these phases nothing may go that users are sent to.
            let early = phase == Phase::Deploying || phase == Phase::Aborting;
            prop_assert!(!early || !serves(Color::Green), "{deleted:?} in {phase}");
            return Ok(Some("delete"));
        }
        Next::Wait { wait_for, until } => {
            prop_assert!(!wait_for.is_empty());
            prop_assert!(*until > case.now, "a wait that is over: {wait_for}");
            let limit = phase.time_limit(new).unwrap();
            prop_assert!(
                *until <= promotion.phase_since + limit,
                "{wait_for} until {until}"
            );
        }
        Next::End => prop_assert!(phase.is_final()),
        Next::Enter {
            phase: Phase::Aborting | Phase::Failed,
            reasons,
            ..
        } => {
            prop_assert!(!reasons.is_empty(), "nobody knows why");
        }
        Next::Do(_) | Next::Enter { .. } => {}
    }
    Ok(None)
}

/// Promise 2, and what else no situation may lead to.
#[test]
fn no_situation_leads_past_the_gate() {
    let seen: RefCell<BTreeMap<&str, usize>> = RefCell::default();
    let judged = TestRunner::new(given::cases(4000)).run(&case(), |case| {
        if let Some(decision) = judge(&case)? {
            *seen.borrow_mut().entry(decision).or_default() += 1;
        }
        Ok(())
    });
    judged.unwrap_or_else(|error| panic!("{error}"));
    // Rules that never come to these would pass as well.
    let seen = seen.into_inner();
    for decision in ["promote", "switch", "settle", "delete"] {
        assert!(
            seen.get(decision).is_some_and(|n| *n >= 10),
            "{decision}: {seen:?}"
        );
    }
}

#[test]
fn every_phase_ends_by_its_deadline() {
    let (old, new) = &*PLANS;
    for phase in Phase::ALL {
        let promotion = promotion(new, phase);
        let Some(limit) = phase.time_limit(new) else {
            assert!(phase.is_final());
            continue;
        };
        let observed = Observed::default();
        let mut situation = Situation {
            plan: new,
            replaced: Some(old),
            promotion: &promotion,
            observed: &observed,
            now: now() + limit,
        };
        let decided = next(situation);
        assert!(
            matches!(decided, Next::Enter { .. }),
            "{phase}: {decided:?}"
        );
        // Taken over later, it has its time once more.
        let mut resumed = promotion.clone();
        resumed.resumed_at = Some(now() + limit);
        situation.promotion = &resumed;
        if phase != Phase::Planned {
            assert_ne!(next(situation), decided, "{phase}");
        }
    }
}
