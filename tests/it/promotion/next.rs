//! The rules alone, over more situations than any scenario comes into.

mod cases;

use std::cell::RefCell;
use std::collections::BTreeMap;

use promoter::group::name::AppName;
use promoter::plan::color::Color;
use promoter::promotion::Mark;
use promoter::promotion::Promotion;
use promoter::promotion::check::{CheckResult, Verdict};
use promoter::promotion::next::{Next, Situation, Step, next};
use promoter::promotion::observed::Observed;
use promoter::promotion::phase::Phase;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::support::given;
use cases::{Case, PLANS, Pointing, case, now, observed, promotion, result};

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

fn ready_pods(observed: &Observed, app: &AppName, promotion: &str) -> usize {
    let pods = observed.pods.iter().filter(|pod| {
        pod.app.as_ref() == Some(app) && pod.promotion == promotion && pod.ready && !pod.deleting
    });
    pods.count()
}

/// What must hold of a decision, and its name if it is one that moves traffic.
fn judge(case: &Case) -> Result<Option<&'static str>, TestCaseError> {
    let (old, new) = &*PLANS;
    let Case {
        promotion, points, ..
    } = case;
    let phase = promotion.phase;
    let mut observed = observed(new, promotion, &case.found, *points);
    observed.away_at = case.away_at;
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
                && (d.generation, d.deleting) == (1, false)
                && ready_pods(&observed, &d.app, &d.promotion) >= 2
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
            prop_assert!(passed(promotion, 0) && passed(promotion, 1));
            prop_assert!(whole(0) && whole(1), "switched to what is not whole");
            prop_assert!(promotion.marks.contains(&Mark::Shared));
            prop_assert!(promotion.marks.contains(&Mark::Unpublished));
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
            let holds = (whole(0) && whole(1)) || !may_return(&observed, promotion);
            prop_assert!(holds, "settled on what is not whole");
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
            let limit = phase.time_limit(new, Some(&PLANS.0)).unwrap();
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

/// Whether what served before stands, and was not let go.
fn may_return(observed: &Observed, promotion: &Promotion) -> bool {
    observed.is_whole(&PLANS.0, |_| false) && !promotion.marks.contains(&Mark::LetGo)
}

/// Promise 2, and what else no situation may lead to.
#[test]
fn no_situation_leads_past_the_gate() {
    let seen: RefCell<BTreeMap<&str, usize>> = RefCell::default();
    let judged = TestRunner::new(given::cases(12_000)).run(&case(), |case| {
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
        let mut promotion = promotion(new, phase);
        let passed = |check| result(new, &promotion, check, Verdict::Passed, true);
        promotion.results = match phase {
            Phase::Promoting => vec![passed(0), passed(1)],
            _ => Vec::new(),
        };
        let Some(limit) = phase.time_limit(new, Some(old)) else {
            assert!(phase.is_final());
            continue;
        };
        let mut observed = Observed::default();
        for (service, before) in new.services().zip(old.services()) {
            observed.add_service(service.colored.clone());
            let mut active = service.active.clone();
            active.0["spec"]["selector"] = json!(before.selector);
            observed.add_service(active);
        }
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

/// What users are at may be named as a colour's, and somebody may change its labels.
#[test]
fn a_service_that_users_are_at_stays_whatever_its_labels_say() {
    let group = given::web(&given::web_behind("web-green"));
    let plan = given::plan(&group, Color::Green);
    let promotion = promotion(&plan, Phase::Deploying);
    let decide = |name: &str| {
        let mut service = plan.apps[0].services[0].active.clone();
        service.rename(name);
        service.set_label("promoter.dev/role", "colored");
        let mut observed = Observed::default();
        observed.add_service(service);
        next(Situation {
            plan: &plan,
            replaced: None,
            promotion: &promotion,
            observed: &observed,
            now: now(),
        })
    };
    assert_eq!(decide("web-green"), Next::Do(Step::Prepare));
    let others = vec!["other-green".to_owned()];
    assert_eq!(
        decide("other-green"),
        Next::Do(Step::DeleteServices(others))
    );
    assert_eq!(decide("other-blue"), Next::Do(Step::Prepare));
}
