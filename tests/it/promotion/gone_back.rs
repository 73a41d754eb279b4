//! Going back to a kept release once its pods are gone: it is promoted as it was,
//! with its checks, and what was left for it counts as bad.

use promoter::engine::rollback::RolledBack;
use promoter::engine::undo::Undone;
use promoter::engine::{Deployed, EngineError};
use promoter::plan::color::Color;
use promoter::port::Clock as _;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::Outcome;
use promoter::promotion::restraint::{Ban, BannedImage, Statement};
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::Scenario;
use crate::support::simulate::Run;

/// Three releases were promoted, one after the other.
async fn third_serves() -> (Scenario, [Outcome; 3]) {
    let scenario = Scenario::new(given::hello());
    let first = scenario.promote().await;
    scenario.push_all();
    let second = scenario.promote().await;
    scenario.push_all();
    let third = scenario.promote().await;
    scenario.forget();
    (scenario, [first, second, third])
}

async fn rollback(scenario: &Scenario, to: Option<&str>) -> Result<RolledBack, EngineError> {
    let mut options = scenario.options();
    options.why = Some("it is slow".to_owned());
    let process = scenario.process(None);
    let engine = scenario.engine(&process);
    let rolled_back = Box::pin(engine.rollback(to, options, CancellationToken::new()));
    let ended = scenario.until_dead(&process, rolled_back).await;
    ended.expect("nobody kills this promoter")
}

async fn outcome(scenario: &Scenario, to: Option<&str>) -> Outcome {
    match rollback(scenario, to).await.unwrap() {
        RolledBack::Deployed(Deployed::Ended { outcome, .. }) => *outcome,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_served_before_is_promoted_again() {
    let (scenario, [_, second, third]) = third_serves().await;
    let back = outcome(&scenario, None).await;
    assert_eq!(
        (back.phase, &back.release),
        (Phase::Promoted, &second.release)
    );
    assert_eq!(back.apps, second.apps);
    assert_eq!(back.checks.len(), 1, "it is tested again");
    assert_eq!(back.why.as_deref(), Some("it is slow"));
    {
        let state = scenario.world.state();
        assert!(
            state.journal.calls("images").is_empty(),
            "{}",
            state.journal
        );
        let before = state.record.previous.as_ref().unwrap();
        assert_eq!(before.release, third.release);
    }
    scenario.rests_at(Some(Color::Green));

    // A schedule does not undo it.
    let again = scenario.deploy().await.unwrap();
    let Deployed::Refused(restraints) = again else {
        panic!("{again:?}");
    };
    let said = format!(
        "these very inputs were found bad by promotion {}: ann@laptop went back to release {} from it (it is slow)",
        back.promotion, back.release
    );
    assert_eq!(restraints[0].to_string(), said);
    let mut options = scenario.options();
    options.retry = true;
    let forward = scenario
        .deploy_with(options, CancellationToken::new())
        .await;
    let Deployed::Ended { outcome, .. } = forward.unwrap() else {
        panic!("not carried out");
    };
    assert_eq!(
        (outcome.phase, outcome.release),
        (Phase::Promoted, third.release)
    );
}

#[tokio::test(start_paused = true)]
async fn an_earlier_release_is_named_by_its_identity_or_a_promotion_of_it() {
    let (scenario, [first, ..]) = third_serves().await;
    let back = outcome(&scenario, Some(&first.release.as_ref()[..8])).await;
    assert_eq!(
        (back.phase, &back.release),
        (Phase::Promoted, &first.release)
    );
    let (scenario, [first, ..]) = third_serves().await;
    let back = outcome(&scenario, Some(first.promotion.as_ref())).await;
    assert_eq!(back.release, first.release);
}

#[tokio::test(start_paused = true)]
async fn what_fails_its_checks_today_is_not_gone_back_to() {
    let (scenario, [_, _, third]) = third_serves().await;
    scenario.world.run("greets", Run::exits(1));
    let back = outcome(&scenario, None).await;
    assert_eq!(back.phase, Phase::Aborted);
    scenario.rests_at(Some(Color::Blue));
    // Nor is what serves bad for it.
    let again = scenario.deploy().await.unwrap();
    assert!(matches!(again, Deployed::UpToDate(_)), "{again:?}");
    let state = scenario.world.state();
    assert_eq!(
        state.record.serving.as_ref().unwrap().release,
        third.release
    );
}

#[tokio::test(start_paused = true)]
async fn inside_the_window_it_is_gone_back_at_once() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.detach().await;
    let back = rollback(&scenario, None).await.unwrap();
    let RolledBack::Undone(Undone::Ended(outcome)) = back else {
        panic!("{back:?}");
    };
    assert_eq!(outcome.phase, Phase::Aborted);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_kept_is_said_before_anything_is_done() {
    let (scenario, [first, second, _]) = third_serves().await;
    let error = rollback(&scenario, Some("abcdef123456")).await.unwrap_err();
    let said = format!(
        "there is no release abcdef123456 to go back to; kept are {}, {}",
        second.release, first.release
    );
    assert_eq!(error.to_string(), said);
    let fresh = Scenario::new(given::hello());
    fresh.promote().await;
    let error = rollback(&fresh, None).await.unwrap_err();
    assert!(
        matches!(error, EngineError::NothingKept { .. }),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_another_version_kept_otherwise_is_said() {
    let (scenario, [_, second, _]) = third_serves().await;
    scenario.world.meddle(|state| {
        let plans = state.plans.values_mut();
        for plan in plans.filter(|plan| plan.release == second.release) {
            plan.source = serde_json::from_str("\"{}\"").unwrap();
        }
    });
    let error = rollback(&scenario, None).await.unwrap_err();
    assert!(matches!(error, EngineError::NotKept { .. }), "{error:?}");
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn a_hold_binds_it_as_well() {
    let (scenario, _) = third_serves().await;
    scenario.world.meddle(|state| {
        state.restraints.hold = Some(Statement {
            actor: "bob@desk".to_owned(),
            reason: "the database moves".to_owned(),
            at: state.now,
        });
    });
    let refused = rollback(&scenario, None).await.unwrap();
    let RolledBack::Deployed(Deployed::Refused(restraints)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(restraints.len(), 1);
    scenario.rests_at(Some(Color::Blue));
}

/// What may not be gone back to ends no window in which it could be gone back at once.
#[tokio::test(start_paused = true)]
async fn a_way_back_that_is_banned_does_not_end_the_window() {
    let scenario = Scenario::new(given::hello_with_window());
    let first = scenario.promote().await;
    scenario.push_all();
    scenario.promote().await;
    scenario.push_all();
    scenario.detach().await;
    scenario.world.meddle(|state| {
        let mut plans = state.plans.values();
        let plan = plans.find(|plan| plan.release == first.release).unwrap();
        let image = plan.apps[0].image.digest.clone();
        let by = Statement {
            actor: "bob@desk".to_owned(),
            reason: "it leaks".to_owned(),
            at: state.now,
        };
        state.restraints.bans.push(Ban {
            image: BannedImage::parse(image.as_str()).unwrap(),
            by,
            lifted: None,
        });
    });
    let began = scenario.clock.now();
    let refused = rollback(&scenario, Some(first.release.as_ref()))
        .await
        .unwrap();
    let RolledBack::Deployed(Deployed::Refused(restraints)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(restraints.len(), 1, "{restraints:?}");
    let window = scenario.group.strategy.keep_old;
    let waited = scenario.clock.now().duration_since(began).unsigned_abs();
    assert!(waited > window / 2, "{waited:?} of {window:?}");
}

/// Of many releases the last few are kept, each once.
#[tokio::test(start_paused = true)]
async fn the_last_few_are_kept() {
    let (scenario, _) = third_serves().await;
    for _ in 0..4 {
        scenario.push_all();
        scenario.promote().await;
    }
    let state = scenario.world.state();
    let kept: Vec<_> = state
        .record
        .kept()
        .map(|kept| kept.release.clone())
        .collect();
    assert_eq!(kept.len(), 4);
    assert_eq!(state.plans.len(), 5, "and what serves");
}
