//! Hooks: each runs at its point, once, and what it says counts. That none runs twice
//! is looked at after every call of every test.

use std::time::Duration;

use promoter::engine::Deployed;
use promoter::engine::undo::Undone;
use promoter::plan::color::Color;
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use promoter::promotion::restraint::Statement;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::{End, Run};

/// Once the last pod of a hook has ended.
async fn rests(scenario: &Scenario, color: Option<Color>) {
    tokio::time::sleep(Duration::from_mins(1)).await;
    scenario.rests_at(color);
}

/// Hooks that ran, in the order in which they were let run.
fn ran(scenario: &Scenario) -> Vec<String> {
    let state = scenario.world.state();
    let calls = state.journal.calls("let run").into_iter();
    let name = |call: &str| call.split('-').nth(1).unwrap_or_default().to_owned();
    calls.map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn each_runs_at_its_point() {
    let scenario = Scenario::ready_for_green(given::hooked()).await;
    let outcome = scenario.promote().await;
    assert_eq!(ran(&scenario), ["migrate", "warm", "tell"]);
    {
        let state = scenario.world.state();
        let journal = &state.journal;
        let first = |call| journal.first(call);
        assert!(first("let run master-migrate") < first("create Deployment"));
        assert!(first("create Job master-greets") < first("let run master-warm"));
        assert!(first("let run master-warm") < first("point"));
        assert!(journal.last("delete Deployment") < first("let run master-tell"));
    }
    let named: Vec<_> = outcome
        .hooks
        .iter()
        .map(|hook| hook.check.as_str())
        .collect();
    assert_eq!(named, ["migrate", "warm", "tell"]);
    assert_eq!(outcome.checks.len(), 1, "hooks are no checks");
    rests(&scenario, Some(Color::Green)).await;
}

#[tokio::test(start_paused = true)]
async fn before_the_switch_one_that_fails_aborts() {
    for (hook, deployed) in [("migrate", 0), ("warm", 2)] {
        let scenario = Scenario::ready_for_green(given::hooked()).await;
        scenario.world.run(hook, Run::exits(1));
        let outcome = scenario.abort().await;
        let told = format!("hook {hook} failed: exit 1");
        assert_eq!(reasons(&outcome), [(ReasonKind::Check, told.as_str())]);
        {
            let state = scenario.world.state();
            let made = state.journal.calls("create Deployment").len();
            assert_eq!(made, deployed, "{hook}");
            assert!(state.journal.calls("point").is_empty());
        }
        rests(&scenario, Some(Color::Blue)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_promotion_one_that_fails_is_said() {
    let scenario = Scenario::ready_for_green(given::hooked()).await;
    scenario.world.run("tell", Run::exits(1));
    let outcome = scenario.promote().await;
    let told = "hook tell failed: exit 1";
    assert_eq!(reasons(&outcome), [(ReasonKind::Check, told)]);
    rests(&scenario, Some(Color::Green)).await;
    // The release is not bad for it.
    let mut options = scenario.options();
    options.force = true;
    let again = scenario
        .deploy_with(options, CancellationToken::new())
        .await;
    assert!(matches!(again, Ok(Deployed::Ended { .. })), "{again:?}");
}

/// What comes later may build on it.
#[tokio::test(start_paused = true)]
async fn after_one_that_failed_no_other_runs() {
    let mut group = given::hooked();
    let mut second = group.hooks[0].clone();
    second.job.name = "fill".parse().unwrap();
    group.hooks.insert(1, second);
    let scenario = Scenario::ready_for_green(group).await;
    scenario.world.run("migrate", Run::exits(1));
    scenario.abort().await;
    assert_eq!(ran(&scenario), ["migrate"]);
    rests(&scenario, Some(Color::Blue)).await;
}

/// Whatever becomes of it, it may have run.
#[tokio::test(start_paused = true)]
async fn one_that_is_lost_is_not_run_again() {
    for end in [
        End::Evicted,
        End::PodDeleted,
        End::JobDeleted,
        End::NodeLost,
        End::NodeSilent,
    ] {
        let scenario = Scenario::ready_for_green(given::hooked()).await;
        scenario.world.run("migrate", Run::new(end));
        let outcome = scenario.abort().await;
        assert_eq!(outcome.reasons.len(), 1, "{end:?}: {:?}", outcome.reasons);
        assert_ne!(outcome.reasons[0].kind, ReasonKind::Gate, "{end:?}");
        assert_eq!(ran(&scenario), ["migrate"], "{end:?}");
        rests(&scenario, Some(Color::Blue)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_never_ends_times_out() {
    let scenario = Scenario::ready_for_green(given::hooked()).await;
    scenario.world.run("warm", Run::new(End::Never));
    let outcome = scenario.abort().await;
    let (kind, told) = reasons(&outcome)[0];
    assert_eq!(kind, ReasonKind::Check);
    assert!(told.starts_with("hook warm timed out"), "{told}");
    rests(&scenario, Some(Color::Blue)).await;
}

/// It takes longer than the candidate may, whose time begins with its end.
#[tokio::test(start_paused = true)]
async fn a_long_one_takes_no_time_from_the_candidate() {
    let mut scenario = Scenario::ready_for_green(given::hooked()).await;
    scenario.group.strategy.deploy_timeout = Duration::from_secs(30);
    scenario.world.run("migrate", Run::exits(0).lasts(50));
    scenario.promote().await;
}

/// Half a migration is worse than either.
#[tokio::test(start_paused = true)]
async fn who_stops_a_promotion_waits_for_the_hook_that_runs() {
    let scenario = Scenario::ready_for_green(given::hooked()).await;
    scenario.world.run("migrate", Run::exits(0).lasts(40));
    let stop = CancellationToken::new();
    let pressed = stop.clone();
    scenario.world.when("let run", move |state| {
        state.later(Duration::from_secs(5), move |_| pressed.cancel());
    });
    let stopped = scenario.deploy_with(scenario.options(), stop).await;
    let Ok(Deployed::Ended { outcome, .. }) = stopped else {
        panic!("{stopped:?}");
    };
    let told = reasons(&outcome);
    assert_eq!(told, [(ReasonKind::Interrupted, "stopped by a person")]);
    assert_eq!(outcome.hooks[0].reason, "exit 0");
    rests(&scenario, Some(Color::Blue)).await;
}

#[tokio::test(start_paused = true)]
async fn a_hold_waits_for_the_hook_that_runs() {
    let scenario = Scenario::ready_for_green(given::hooked()).await;
    scenario.world.run("migrate", Run::exits(0).lasts(40));
    scenario.world.when("let run", |state| {
        state.later(Duration::from_secs(5), |state| {
            state.restraints.hold = Some(Statement {
                actor: "bob@desk".to_owned(),
                reason: "wait".to_owned(),
                at: state.now,
            });
        });
    });
    let outcome = scenario.abort().await;
    assert_eq!(outcome.reasons[0].kind, ReasonKind::Held);
    assert_eq!(outcome.hooks[0].reason, "exit 0");
    rests(&scenario, Some(Color::Blue)).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_rolled_back_was_never_told_of() {
    let mut group = given::hooked();
    group.strategy.keep_old = Duration::from_mins(5);
    let scenario = Scenario::ready_for_green(group).await;
    scenario.detach().await;
    let engine = scenario.engine(&scenario.process(None));
    let back = given::rollback("bob@desk");
    let undone = engine.undo(back, CancellationToken::new()).await.unwrap();
    let Undone::Ended(outcome) = undone else {
        panic!("{undone:?}");
    };
    assert_eq!(outcome.phase, Phase::Aborted);
    assert_eq!(ran(&scenario), ["migrate", "warm"]);
    rests(&scenario, Some(Color::Blue)).await;
}

/// Nothing else would have been tested.
#[tokio::test(start_paused = true)]
async fn hooks_do_not_stand_in_for_checks() {
    let mut group = given::hooked();
    group.checks.clear();
    let scenario = Scenario::new(group);
    let outcome = scenario.abort().await;
    assert_eq!(outcome.reasons[0].kind, ReasonKind::Gate);
    rests(&scenario, None).await;
}
