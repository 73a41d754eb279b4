//! Holds, bans and inputs that were found bad: what keeps a release from users
//! whoever or whatever asks, until users are moved.

use std::time::Duration;

use promoter::engine::Deployed;
use promoter::group::{CheckImage, Group};
use promoter::plan::color::Color;
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use promoter::promotion::restraint::{Ban, BannedImage, Restraint, Statement};
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::Run;
use crate::support::world::State;

fn said(reason: &str) -> Statement {
    Statement {
        actor: "bob@desk".to_owned(),
        reason: reason.to_owned(),
        at: "2026-11-21T10:00:00Z".parse().unwrap(),
    }
}

fn hold(state: &mut State) {
    state.restraints.hold = Some(said("the database moves"));
}

fn ban(state: &mut State, image: &str) {
    state.restraints.bans.push(Ban {
        image: BannedImage::parse(image).unwrap(),
        by: said("it leaks"),
        lifted: None,
    });
}

async fn retried(scenario: &Scenario) -> Deployed {
    let mut options = scenario.options();
    options.retry = true;
    let never = CancellationToken::new();
    scenario.deploy_with(options, never).await.unwrap()
}

async fn overridden(scenario: &Scenario) -> Deployed {
    let mut options = scenario.options();
    options.overriding = Some("the shop is down".to_owned());
    let never = CancellationToken::new();
    scenario.deploy_with(options, never).await.unwrap()
}

#[track_caller]
fn outcome(deployed: Deployed) -> promoter::promotion::record::Outcome {
    match deployed {
        Deployed::Ended { outcome, .. } => *outcome,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_held_group_is_begun() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.meddle(hold);
    let why = scenario.refused().await;
    assert_eq!(why, ["held by bob@desk: the database moves"]);
    {
        let state = scenario.world.state();
        assert!(
            state.journal.calls("create").is_empty(),
            "{}",
            state.journal
        );
        assert!(state.journal.calls("store plan").is_empty());
    }
    let told = scenario.events.of("refused");
    assert_eq!(told[0]["actor"]["name"], "ann@laptop", "{told:?}");
    scenario.rests_at(Some(Color::Blue));
    // What serves already is no promotion.
    scenario.world.meddle(|state| state.restraints.hold = None);
    scenario.promote().await;
    scenario.world.meddle(hold);
    let again = scenario.deploy().await.unwrap();
    assert!(matches!(again, Deployed::UpToDate(_)), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hold_aborts_what_is_under_way() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(0).lasts(120));
    let (outcome, held) = tokio::join!(scenario.outcome(), async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        let engine = scenario.engine(&scenario.process(None));
        engine.hold(said("the database moves")).await
    });
    held.unwrap();
    assert_eq!(outcome.phase, Phase::Aborted);
    let text = "held by bob@desk: the database moves";
    assert_eq!(reasons(&outcome), [(ReasonKind::Held, text)]);
    scenario.rests_at(Some(Color::Blue));
    let engine = scenario.engine(&scenario.process(None));
    let lifted = engine.unhold(said("it has moved")).await.unwrap();
    assert_eq!(lifted, Some(said("the database moves")));
    assert_eq!(engine.unhold(said("twice")).await.unwrap(), None);
    // Held is not found bad.
    scenario.promote().await;
    let told = ["held", "unheld"].map(|word| scenario.events.of(word).len());
    assert_eq!(told, [1, 1]);
}

/// At whatever moment of a promotion it is held: no Service is switched by who has
/// looked since, and what is switched stays so.
async fn held_at_any_moment(group: Group) {
    let ready = Scenario::ready_for_green(group).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    ready.rests_at(Some(Color::Blue));
    let whole = ready.twin();
    whole.promote().await;
    let calls: Vec<_> = {
        let state = whole.world.state();
        let calls = state.journal.0.iter();
        calls.map(|entry| entry.call.clone()).collect()
    };
    let switch = calls.iter().position(|call| call.starts_with("point"));
    let last_look = calls[..switch.unwrap()]
        .iter()
        .rposition(|call| call == "observe");
    let mut ends = [0, 0];
    for (n, call) in calls.iter().enumerate() {
        let scenario = ready.twin();
        scenario.world.before_nth(n, hold);
        let deployed = scenario.deploy().await.unwrap();
        let is_in_time = n <= last_look.unwrap();
        let color = if is_in_time {
            Color::Blue
        } else {
            Color::Green
        };
        ends[usize::from(is_in_time)] += 1;
        match deployed {
            Deployed::Refused(_) => assert!(is_in_time, "call {n}"),
            deployed => {
                let phase = outcome(deployed).phase;
                let expected = if is_in_time {
                    Phase::Aborted
                } else {
                    Phase::Promoted
                };
                assert_eq!(phase, expected, "call {n}, {call}");
            }
        }
        // What was deleted last takes its time to go.
        tokio::time::sleep(Duration::from_mins(1)).await;
        scenario.rests_at(Some(color));
    }
    println!("{} moments in time, {} too late", ends[1], ends[0]);
    assert!(ends[0] > 10 && ends[1] > 10);
}

#[tokio::test(start_paused = true)]
async fn a_hold_binds_at_any_moment() {
    held_at_any_moment(given::hello()).await;
}

#[tokio::test(start_paused = true)]
async fn a_hold_binds_at_any_moment_of_a_promotion_with_hooks() {
    held_at_any_moment(given::hooked()).await;
}

/// Users are at what passed; going back is another wish.
#[tokio::test(start_paused = true)]
async fn a_hold_inside_the_window_changes_nothing() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.detach().await;
    scenario.push_all();
    scenario.world.meddle(hold);
    let started = scenario.world.state().now;
    let why = scenario.refused().await;
    assert_eq!(why.len(), 1);
    // Nor does a deploy that may not be begun end it early.
    let waited = scenario
        .world
        .state()
        .now
        .duration_since(started)
        .unsigned_abs();
    assert!(waited >= Duration::from_mins(4), "{waited:?}");
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn what_was_left_is_aborted_under_a_hold() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.deploy_until("create Job").await;
    scenario.world.meddle(hold);
    let engine = scenario.engine(&scenario.process(None));
    engine
        .resume("bob@desk", CancellationToken::new())
        .await
        .unwrap();
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(state.record.outcomes[0].reasons[0].kind, ReasonKind::Held);
}

#[tokio::test(start_paused = true)]
async fn no_group_promotes_a_banned_image() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let digest = scenario.registry.push("hello-b", "master");
    scenario.world.meddle(|state| ban(state, digest.short()));
    let why = scenario.refused().await;
    let text = format!(
        "app hello-b: its image {} is banned by bob@desk: it leaks",
        digest.short()
    );
    assert_eq!(why, [text]);
    // Another image of the same branch is not bound.
    scenario.registry.push("hello-b", "master");
    scenario.promote().await;
}

#[tokio::test(start_paused = true)]
async fn a_check_does_not_run_in_a_banned_image() {
    let mut scenario = Scenario::ready_for_green(given::hello()).await;
    let digest = scenario.registry.push("tests", "master");
    let image = format!("registry.test/tests@{digest}");
    scenario.group.checks[0].image = CheckImage::Image(image);
    scenario.world.meddle(|state| ban(state, digest.as_str()));
    let why = scenario.refused().await;
    assert!(why[0].starts_with("check greets: "), "{why:?}");
    let lifted = Some(said("it was another one"));
    scenario
        .world
        .meddle(|state| state.restraints.bans[0].lifted = lifted);
    scenario.promote().await;
}

#[tokio::test(start_paused = true)]
async fn a_ban_binds_hooks_and_the_containers_beside_an_app() {
    let mut scenario = Scenario::ready_for_green(given::hooked()).await;
    let digest = scenario.registry.push("proxy", "master");
    let image = format!("registry.test/proxy@{digest}");
    let text = given::manifest("hello-b", "").replace(
        "containers:",
        &format!("initContainers: [{{name: proxy, image: \"{image}\"}}]\n      containers:"),
    );
    scenario.group.apps[1] = given::templated("hello-b", &text);
    scenario.group.hooks[0].job.image = CheckImage::Image(image);
    scenario.world.meddle(|state| ban(state, digest.short()));
    let whose = scenario.refused().await;
    let whose = whose.iter().map(|why| why.split(':').next().unwrap());
    assert_eq!(whose.collect::<Vec<_>>(), ["app hello-b", "hook migrate"]);
}

#[tokio::test(start_paused = true)]
async fn a_ban_aborts_what_is_under_way() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let digest = scenario.registry.push("hello-a", "master");
    let hex = digest.hex().to_owned();
    scenario
        .world
        .when("create Job", move |state| ban(state, &hex));
    let outcome = scenario.abort().await;
    assert_eq!(outcome.reasons[0].kind, ReasonKind::Banned);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn overridden_with_a_reason_it_is_promoted_and_that_is_on_record() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.meddle(hold);
    let outcome = outcome(overridden(&scenario).await);
    assert_eq!(outcome.phase, Phase::Promoted);
    let overrides = outcome.overrides.unwrap();
    assert_eq!(overrides.reason, "the shop is down");
    assert_eq!(overrides.known.len(), 1);
    assert_eq!(
        overrides.known[0].what,
        "held by bob@desk: the database moves"
    );
    assert_eq!(scenario.events.of("overridden").len(), 1);
    scenario.rests_at(Some(Color::Green));
}

/// Whoever overrides knows what; what comes later was not meant.
#[tokio::test(start_paused = true)]
async fn a_later_hold_is_not_overridden_by_an_earlier_word() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.meddle(hold);
    scenario.world.when("create Job", |state| {
        state.restraints.hold = Some(said("it really moves"));
    });
    let outcome = outcome(overridden(&scenario).await);
    let text = "held by bob@desk: it really moves";
    assert_eq!(reasons(&outcome), [(ReasonKind::Held, text)]);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_not_tried_again_by_itself() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(1));
    let failed = scenario.abort().await;
    let why = scenario.refused().await;
    let text = format!(
        "these very inputs were found bad by promotion {}: check greets failed: exit 1",
        failed.promotion
    );
    assert_eq!(why, [text]);
    // A person says so, and it fails once more.
    scenario.world.run("greets", Run::exits(1));
    assert_eq!(outcome(retried(&scenario).await).phase, Phase::Aborted);
    scenario.refused().await;
    // Or an input changes.
    scenario.registry.push("hello-a", "master");
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn what_passes_when_tried_again_is_not_bad_any_more() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(1));
    scenario.abort().await;
    let passed = outcome(retried(&scenario).await);
    assert_eq!(passed.phase, Phase::Promoted);
    let mut options = scenario.options();
    options.force = true;
    let never = CancellationToken::new();
    let forced = scenario.deploy_with(options, never).await.unwrap();
    assert_eq!(outcome(forced).phase, Phase::Promoted);
}

/// Who retries has not heard of a hold.
#[tokio::test(start_paused = true)]
async fn a_hold_binds_who_tries_again() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(1));
    scenario.abort().await;
    scenario.world.meddle(hold);
    let refused = retried(&scenario).await;
    let by = said("the database moves");
    assert_eq!(refused, Deployed::Refused(vec![Restraint::Held { by }]));
}

#[tokio::test(start_paused = true)]
async fn what_was_rolled_back_or_lost_pods_is_not_promoted_again_by_itself() {
    let scenario = Scenario::ready_for_green(given::hello_with_window()).await;
    scenario.detach().await;
    let engine = scenario.engine(&scenario.process(None));
    let back = given::rollback("bob@desk");
    engine.undo(back, CancellationToken::new()).await.unwrap();
    let why = scenario.refused().await;
    assert!(why[0].contains("rolled back by bob@desk"), "{why:?}");

    scenario.push_all();
    scenario.world.when("write settling", State::lose_a_pod);
    let regressed = scenario.abort().await;
    assert_eq!(regressed.reasons[0].kind, ReasonKind::Regressed);
    let why = scenario.refused().await;
    assert!(why[0].contains("only 1 of 2 pods are ready"), "{why:?}");
    scenario.rests_at(Some(Color::Blue));
}

/// What surrounds a release may have failed it.
#[tokio::test(start_paused = true)]
async fn what_could_not_be_judged_is_tried_again() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    for _ in 0..3 {
        scenario
            .world
            .run("greets", Run::new(crate::support::simulate::End::Evicted));
    }
    let errored = scenario.abort().await;
    assert_eq!(errored.reasons[0].kind, ReasonKind::CheckErrored);
    scenario.promote().await;
}

/// A branch whose newest image was deleted offers an older one.
#[tokio::test(start_paused = true)]
async fn nothing_goes_back_by_itself() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let served = scenario.promote().await;
    scenario.registry.delete_newest("hello-a");
    let [why] = scenario.refused().await.try_into().unwrap();
    let tag = &served.apps[0].tag;
    assert!(why.starts_with("app hello-a: its newest image "), "{why}");
    assert!(
        why.ends_with(&format!("is older than {tag}, which serves")),
        "{why}"
    );
    let retried = retried(&scenario).await;
    assert!(matches!(retried, Deployed::Refused(_)), "{retried:?}");
    scenario.rests_at(Some(Color::Green));

    let outcome = outcome(overridden(&scenario).await);
    assert_eq!(outcome.phase, Phase::Promoted);
    let told = outcome.overrides.unwrap().to_string();
    assert!(told.contains(&why), "{told}");
}
