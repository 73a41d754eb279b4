//! From a reduced situation to one that the rules can be asked about.

mod found;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use promoter::group::{OnRegression, Untested};
use promoter::plan::check::{MAX_ATTEMPTS, job_name};
use promoter::plan::color::Color;
use promoter::plan::{CheckPlan, Plan, Serving};
use promoter::promotion::check::{CheckResult, Verdict};
use promoter::promotion::id::PromotionId;
use promoter::promotion::next::{Next, Situation, next};
use promoter::promotion::phase::Phase;
use promoter::promotion::{Actor, Promotion, Tested, Trigger};

use super::states::{Age, Check, Kind, MARKS, MOST, Recorded, Returned, Run, State};
use crate::support::given;
use found::Services;
pub(super) use found::{deployment, pod, slim};

/// The plans of one kind of group, and its promotion as it begins.
struct Plans {
    old: Plan,
    new: Plan,
    promotion: Promotion,
    services: Services,
}

static PLANS: LazyLock<BTreeMap<Kind, Plans>> = LazyLock::new(|| {
    let mut all = BTreeMap::new();
    for n in 0..1 << 4 {
        let is = |bit: u32| n >> bit & 1 == 1;
        let kinds = (0..=MOST).map(|checks| Kind {
            apps: if is(0) { 2 } else { 1 },
            checks,
            untested: is(1),
            replaces: is(2),
            reports: is(3),
        });
        all.extend(kinds.map(|kind| (kind, plans(kind))));
    }
    all
});

fn plans(kind: Kind) -> Plans {
    let mut group = given::hello();
    group.apps.truncate(kind.apps);
    group.apps.last_mut().unwrap().needs.clear();
    if let [caller, _] = &mut group.apps[..] {
        assert_eq!(caller.needs.len(), 1, "callers go before callees");
    }
    group.checks = ["greets", "smokes"][..kind.checks]
        .iter()
        .map(|name| given::check(name))
        .collect();
    // What planning would refuse comes out of a record that somebody edited.
    group.environment.untested = Untested::Allowed;
    if kind.reports {
        group.strategy.on_regression = OnRegression::Report;
    }
    let old = given::plan(&group, Color::Blue);
    let mut new = given::plan(&group, Color::Green);
    new.untested_allowed = kind.untested;
    new.replaces = kind.replaces.then(|| Serving {
        color: Color::Blue,
        release: old.release.clone(),
        plan: old.id(),
    });
    let actor = Actor {
        name: "ann".to_owned(),
        trigger: Trigger::Cli,
    };
    let promotion = Promotion::new(PromotionId::new(start(), 0), &new, actor, start());
    Plans {
        services: Services::of(&old, &new),
        old,
        new,
        promotion,
    }
}

/// When the phase began, or somebody took it over.
pub(super) fn start() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// The plan that is carried out.
pub(super) fn plan(kind: Kind) -> &'static Plan {
    &PLANS[&kind].new
}

/// The time.
pub(super) fn now(state: &State) -> Timestamp {
    let age = match state.age {
        Age::Young => Duration::from_secs(1),
        Age::Drained => Duration::from_secs(15),
        Age::Kept => Duration::from_secs(40),
        Age::Overdue => limit(state).unwrap_or_default(),
    };
    start() + age
}

/// When the phase has to be over; `None`: never, as it is final.
pub(super) fn deadline(state: &State) -> Option<Timestamp> {
    Some(start() + limit(state)?)
}

fn limit(state: &State) -> Option<Duration> {
    let plans = &PLANS[&state.kind];
    let replaced = state.kind.replaces.then_some(&plans.old);
    state.phase.time_limit(&plans.new, replaced)
}

/// What the rules decide.
pub(super) fn decide(state: &State) -> Next {
    let plans = &PLANS[&state.kind];
    let promotion = promotion(state, plans);
    let observed = found::observed(state, plans, &promotion);
    next(Situation {
        plan: &plans.new,
        replaced: state.kind.replaces.then_some(&plans.old),
        promotion: &promotion,
        observed: &observed,
        now: now(state),
    })
}

fn promotion(state: &State, plans: &Plans) -> Promotion {
    let mut promotion = plans.promotion.clone();
    promotion.phase = state.phase;
    if state.resumed {
        promotion.phase_since = start() - Duration::from_hours(24);
        promotion.resumed_at = Some(start());
    }
    let marks = MARKS.into_iter().filter(|mark| state.is_marked(*mark));
    promotion.marks = marks.collect();
    promotion.exposed = state.exposed;
    promotion.hurry = state.hurry;
    promotion.returned_at = match state.returned {
        Returned::No => None,
        Returned::JustNow => Some(now(state)),
        Returned::LongAgo => Some(now(state) - Duration::from_mins(1)),
    };
    if !matches!(state.phase, Phase::Planned | Phase::Deploying) {
        let tested = plans.new.apps.iter().map(|app| {
            let tested = Tested {
                uid: format!("{}-tested", app.name),
                generation: 1,
                ready: 2,
            };
            (app.name.clone(), tested)
        });
        promotion.tested = tested.collect();
    }
    for (check, plan) in state.checks().iter().zip(&plans.new.checks) {
        if check.run != Run::Unstarted {
            let attempt = attempt(check);
            promotion.attempts.insert(plan.name.clone(), attempt);
            let (group, id) = (&plans.new.group, promotion.id.as_ref());
            let uid = format!("uid-{}", job_name(group, plan, id, attempt));
            promotion.runs.insert(plan.name.clone(), uid);
        }
        let results = results(check, &promotion, plan);
        promotion.results.extend(results);
    }
    promotion
}

fn attempt(check: &Check) -> u32 {
    if check.last_run { MAX_ATTEMPTS } else { 1 }
}

fn results(check: &Check, promotion: &Promotion, plan: &CheckPlan) -> Vec<CheckResult> {
    let result = |verdict| CheckResult {
        left_out: BTreeMap::new(),
        check: plan.name.clone(),
        promotion: promotion.id.to_string(),
        plan: promotion.plan.as_ref().to_owned(),
        verdict,
        reason: "said so".to_owned(),
        exit_code: None,
        attempt: attempt(check),
        duration: None,
        cases: Vec::new(),
        tail: Vec::new(),
    };
    let other = || "another0".to_owned();
    let passed = || result(Verdict::Passed);
    match check.recorded {
        Recorded::Nothing => vec![],
        Recorded::Passed => vec![passed()],
        Recorded::Failed => vec![result(Verdict::Failed)],
        Recorded::Errored => vec![result(Verdict::Errored)],
        Recorded::TimedOut => vec![result(Verdict::TimedOut)],
        Recorded::OtherPromotion => vec![CheckResult {
            promotion: other(),
            ..passed()
        }],
        Recorded::OtherPlan => vec![CheckResult {
            plan: other(),
            ..passed()
        }],
        Recorded::PassedTwice => vec![passed(), passed()],
        Recorded::PassedAndFailed => vec![passed(), result(Verdict::Failed)],
    }
}
