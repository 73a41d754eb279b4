//! The rules alone, over more situations than any scenario comes into.

use std::collections::BTreeSet;
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

fn color() -> impl Strategy<Value = Color> {
    prop::sample::select(&Color::ALL[..])
}

fn found() -> impl Strategy<Value = Found> {
    // Mostly whole and ours, or the rules would hardly get far.
    let mostly = |yes: u32| prop::bool::weighted(f64::from(yes) / 10.0);
    (
        0..2_usize,
        color(),
        mostly(8),
        mostly(8),
        mostly(9),
        mostly(1),
        0..3_usize,
    )
        .prop_map(|(app, color, ours, ready, same, deleting, pods)| Found {
            app,
            color,
            ours,
            ready: if ready { 2 } else { 1 },
            generation: if same { 1 } else { 2 },
            deleting,
            pods,
        })
}

/// Where an active Service points: nowhere, at a colour, or somewhere else.
#[derive(Debug, Clone, Copy)]
enum Pointing {
    Gone,
    Nowhere,
    At(Color),
    Elsewhere,
}

fn pointing() -> impl Strategy<Value = Pointing> {
    prop_oneof![
        1 => Just(Pointing::Gone),
        1 => Just(Pointing::Nowhere),
        5 => color().prop_map(Pointing::At),
        1 => Just(Pointing::Elsewhere),
    ]
}

fn observed(
    plan: &Plan,
    promotion: &Promotion,
    found: &[Found],
    points: [Pointing; 2],
) -> Observed {
    let mut observed = Observed::default();
    let mut known = BTreeSet::new();
    for (n, one) in found.iter().enumerate() {
        if !known.insert((one.app, one.color)) {
            continue;
        }
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
                drop(selector.insert(label::COLOR.to_owned(), color.to_string()))
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

proptest! {
    #![proptest_config(given::cases(4000))]

    /// Promise 2, and what else no situation may lead to.
    #[test]
    fn no_situation_leads_past_the_gate(
        phase in prop::sample::select(&Phase::ALL[..]),
        found in prop::collection::vec(found(), 0..5),
        points in [pointing(), pointing()],
        results in prop::collection::vec(some_result(), 0..4),
        marks in prop::collection::btree_set(prop::sample::select(&MARKS[..]), 0..6),
        attempts in prop::collection::btree_set(0..2_usize, 0..3),
        age in 0..1000_u64,
        hurry: bool,
    ) {
        let (old, new) = &*PLANS;
        let mut promotion = promotion(new, phase);
        let of = |r: &(usize, Verdict, bool)| result(new, &promotion, r.0, r.1, r.2);
        promotion.results = results.iter().map(of).collect();
        promotion.marks = marks;
        promotion.hurry = hurry;
        promotion.attempts = attempts.iter().map(|n| (new.checks[*n].name.clone(), 1)).collect();
        if phase > Phase::Deploying {
            let tested = new.apps.iter().map(|app| {
                let uid = format!("uid-{}-green", app.name);
                (app.name.clone(), Tested { uid, generation: 1 })
            });
            promotion.tested = tested.collect();
        }
        let observed = observed(new, &promotion, &found, points);
        let situation = Situation {
            plan: new,
            replaced: Some(old),
            promotion: &promotion,
            observed: &observed,
            now: now() + Duration::from_secs(age),
        };
        let decided = next(situation);
        prop_assert_eq!(&decided, &next(situation), "the rules are not pure");
        let passed = |check: usize| {
            let of_check = |r: &&CheckResult| r.check == new.checks[check].name;
            let here = |r: &&CheckResult| {
                r.promotion == promotion.id.to_string() && r.plan == promotion.plan.as_ref()
            };
            let all: Vec<_> = promotion.results.iter().filter(of_check).filter(here).collect();
            matches!(all[..], [one] if one.verdict == Verdict::Passed)
        };
        let serves = |color: Color| points.iter().any(|p| matches!(p, Pointing::At(c) if *c == color));
        match &decided {
            Next::Enter { phase: Phase::Promoting, .. } => {
                prop_assert_eq!(phase, Phase::Checking);
                prop_assert!(passed(0) && passed(1), "{:?}", promotion.results);
            }
            Next::Do(Step::Switch) => {
                prop_assert_eq!(phase, Phase::Promoting);
                let whole = |app: usize| observed.deployments.iter().any(|d| {
                    d.app == new.apps[app].name && d.color == Color::Green && d.ready == 2
                        && d.promotion == promotion.id.to_string() && !d.deleting && d.generation == 1
                });
                prop_assert!(whole(0) && whole(1), "{:?}", observed.deployments);
            }
            Next::Enter { phase: Phase::Settling, .. } => {
                prop_assert_eq!(phase, Phase::Promoting);
                prop_assert!(points.iter().all(|p| matches!(p, Pointing::At(Color::Green))));
            }
            Next::Do(Step::SwitchBack | Step::Restore) => prop_assert_eq!(phase, Phase::Aborting),
            Next::Do(Step::DeleteDeployments(deleted)) => {
                let color = if phase == Phase::Settling { Color::Blue } else { Color::Green };
                for (name, _) in deleted {
                    prop_assert!(name.ends_with(color.as_str()), "{name} in {phase}");
                }
                // In these phases nothing may go that users are sent to.
                let early = phase == Phase::Deploying || phase == Phase::Aborting;
                prop_assert!(!early || !serves(Color::Green), "{deleted:?} in {phase}");
            }
            Next::Wait { wait_for, until } => {
                prop_assert!(!wait_for.is_empty());
                prop_assert!(*until > situation.now, "a wait that is over: {wait_for}");
                let limit = phase.time_limit(new).unwrap();
                prop_assert!(*until <= promotion.phase_since + limit, "{wait_for} until {until}");
            }
            Next::End => prop_assert!(phase.is_final()),
            Next::Enter { phase: Phase::Aborting | Phase::Failed, reasons, .. } => {
                prop_assert!(!reasons.is_empty(), "nobody knows why");
            }
            _ => {}
        }
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
