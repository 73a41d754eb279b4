//! A budget guard keeps promotions from being begun, and nothing else.

use std::time::Duration;

use promoter::engine::Deployed;
use promoter::engine::rollback::RolledBack;
use promoter::group::Group;
use promoter::group::cloudwatch::{AlarmRef, BudgetGuard};
use promoter::plan::color::Color;
use promoter::port::registry::Said;
use promoter::port::spending::SpendingError;
use promoter::promotion::phase::Phase;
use promoter::promotion::restraint::{AlarmState, Restraint, Statement};
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::Scenario;
use crate::support::simulate::Run;

fn guarded(guard: BudgetGuard) -> Group {
    let mut group = given::hello();
    group.environment.budget_guard = Some(guard);
    group
}

fn by_alarm() -> Group {
    guarded(BudgetGuard::Alarm(AlarmRef {
        name: "spent".to_owned(),
        region: "us-east-1".to_owned(),
        account: None,
    }))
}

const SPENT: &str = "budget guard: alarm spent is in ALARM: 101 > 100";

/// Blue serves, green is promoted next, and the alarm stands so.
async fn ready(state: AlarmState) -> Scenario {
    let scenario = Scenario::new(by_alarm());
    scenario.spending.alarm_is(AlarmState::Ok);
    scenario.promote().await;
    scenario.push_all();
    scenario.forget();
    scenario.spending.alarm_is(state);
    scenario
}

async fn deploy(scenario: &Scenario, despite: bool, overriding: Option<&str>) -> Deployed {
    let mut options = scenario.options();
    options.despite_budget = despite;
    options.why = Some("the shop is down".to_owned());
    options.overriding = overriding.map(str::to_owned);
    let never = CancellationToken::new();
    scenario.deploy_with(options, never).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_while_the_alarm_is_on() {
    let scenario = ready(AlarmState::Alarm).await;
    assert_eq!(scenario.refused().await, [SPENT]);
    {
        let state = scenario.world.state();
        let made = state.journal.calls("create");
        assert!(made.is_empty(), "{}", state.journal);
    }
    let told = scenario.events.of("refused");
    assert_eq!(told.len(), 1, "{told:?}");
    scenario.rests_at(Some(Color::Blue));

    scenario.spending.alarm_is(AlarmState::Ok);
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

/// What serves already costs nothing more.
#[tokio::test(start_paused = true)]
async fn what_is_up_to_date_is_not_refused() {
    let scenario = ready(AlarmState::Ok).await;
    scenario.promote().await;
    scenario.spending.alarm_is(AlarmState::Alarm);
    let again = scenario.deploy().await.unwrap();
    assert!(matches!(again, Deployed::UpToDate(_)), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_person_may_promote_in_spite_of_it_and_that_is_on_record() {
    let scenario = ready(AlarmState::Alarm).await;
    let Deployed::Ended { outcome, .. } = deploy(&scenario, true, None).await else {
        panic!("not carried out");
    };
    assert_eq!(outcome.phase, Phase::Promoted);
    let overrides = outcome.overrides.unwrap();
    assert_eq!(overrides.to_string(), format!("the shop is down ({SPENT})"));
}

/// Money and holds are different things to look away from.
#[tokio::test(start_paused = true)]
async fn neither_override_stands_for_the_other() {
    let scenario = ready(AlarmState::Alarm).await;
    let said = Statement {
        actor: "bob@desk".to_owned(),
        reason: "the database moves".to_owned(),
        at: "2026-11-21T10:00:00Z".parse().unwrap(),
    };
    let by = Some(said.clone());
    scenario.world.meddle(|state| state.restraints.hold = by);
    let held = Restraint::Held { by: said };
    let spent = Restraint::Budget {
        why: "alarm spent is in ALARM: 101 > 100".to_owned(),
    };
    for (despite, overriding, binding) in [
        (false, None, vec![held.clone(), spent.clone()]),
        (true, None, vec![held.clone()]),
        (false, Some("it has moved"), vec![spent.clone()]),
    ] {
        let deployed = deploy(&scenario, despite, overriding).await;
        assert_eq!(deployed, Deployed::Refused(binding));
    }
    let Deployed::Ended { outcome, .. } = deploy(&scenario, true, Some("it has moved")).await
    else {
        panic!("not carried out");
    };
    assert_eq!(outcome.phase, Phase::Promoted);
    assert_eq!(outcome.overrides.unwrap().known.len(), 2);
}

/// A promotion under way is cheapest if it ends.
#[tokio::test(start_paused = true)]
async fn an_alarm_that_goes_off_later_aborts_nothing() {
    let scenario = ready(AlarmState::Ok).await;
    scenario.world.run("greets", Run::exits(0).lasts(40));
    let (outcome, ()) = tokio::join!(scenario.promote(), async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        scenario.spending.alarm_is(AlarmState::Alarm);
    });
    assert_eq!(outcome.overrides, None);
}

#[tokio::test(start_paused = true)]
async fn the_way_back_stays_open() {
    let scenario = ready(AlarmState::Ok).await;
    scenario.promote().await;
    scenario.spending.alarm_is(AlarmState::Alarm);
    let asked = scenario.spending.asked();
    let engine = scenario.engine(&scenario.process(None));
    let never = CancellationToken::new();
    let back = engine.rollback(None, scenario.options(), never).await;
    let RolledBack::Deployed(Deployed::Ended { outcome, .. }) = back.unwrap() else {
        panic!("not carried out");
    };
    assert_eq!(outcome.phase, Phase::Promoted);
    assert_eq!(scenario.spending.asked(), asked);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_without_data_is_told_of_and_keeps_nothing_back() {
    let scenario = ready(AlarmState::InsufficientData).await;
    scenario.promote().await;
    let warnings = scenario.events.warnings();
    let told = warnings.iter().any(|text| text.contains("has no data"));
    assert!(told, "{warnings:?}");
}

/// It may be spent.
#[tokio::test(start_paused = true)]
async fn who_cannot_be_asked_keeps_promotions_back() {
    let scenario = ready(AlarmState::Ok).await;
    scenario.spending.fail(SpendingError::Unreachable {
        source: Said("connection refused".to_owned()),
    });
    let why = scenario.refused().await;
    assert_eq!(
        why,
        [
            "budget guard: nobody can tell of alarm spent: failed to reach CloudWatch: check the network, the region and AWS_ENDPOINT_URL: connection refused"
        ]
    );
    let deployed = deploy(&scenario, true, None).await;
    assert!(matches!(deployed, Deployed::Ended { .. }), "{deployed:?}");
}

#[tokio::test(start_paused = true)]
async fn charges_above_the_threshold_keep_promotions_back() {
    let scenario = Scenario::new(guarded(BudgetGuard::Above(80.0)));
    scenario.spending.charges(80.01);
    let why = "budget guard: AWS has charged 80.01 USD this month, which is more than 80";
    assert_eq!(scenario.refused().await, [why]);
    scenario.spending.charges(80.0);
    scenario.promote().await;
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_says_for_whom() {
    let scenario = ready(AlarmState::Ok).await;
    scenario.spending.takes(Duration::from_secs(20));
    scenario.promote().await;
    let told = scenario.events.of("waiting");
    let told: Vec<_> = told
        .iter()
        .filter_map(|told| told["waitFor"].as_str())
        .collect();
    let wait = "CloudWatch to say whether the budget is spent";
    assert!(told.contains(&wait), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_guard_nobody_is_asked() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    assert_eq!(scenario.spending.asked(), 0);
}
