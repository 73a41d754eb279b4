//! Groups that have to have passed first: when a promotion is planned, and until its
//! users are moved.

use promoter::engine::Deployed;
use promoter::group::Group;
use promoter::group::name::GroupName;
use promoter::plan::Plan;
use promoter::plan::color::Color;
use promoter::promotion::ReasonKind;
use promoter::promotion::id::PromotionId;
use promoter::promotion::phase::Phase;
use promoter::promotion::restraint::Standing;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::world::State;

fn requiring() -> Group {
    let mut group = given::hello();
    group.requires = vec![GroupName::parse("base").unwrap()];
    group
}

/// `base` serves that plan, by its last promotion.
fn passed(state: &mut State, plan: &Plan) {
    state.required.insert("base".to_owned(), plan.clone());
    let standing = Standing {
        serving: Some(plan.id()),
        in_flight: None,
        last: Some(Phase::Promoted),
    };
    state.restraints.groups.insert("base".to_owned(), standing);
}

fn standing(state: &mut State) -> &mut Standing {
    state.restraints.groups.get_mut("base").unwrap()
}

/// Another group of the namespace, with an app of its own.
fn base() -> Plan {
    let group = given::group(vec![given::app("store")], vec![given::check("stores")]);
    given::plan(&group, Color::Blue)
}

#[tokio::test(start_paused = true)]
async fn what_it_requires_has_to_have_passed() {
    let scenario = Scenario::new(requiring());
    let never = "requires group base: it was never promoted here";
    assert_eq!(scenario.refused().await, [never]);
    let plan = base();
    scenario.world.meddle(|state| passed(state, &plan));

    scenario
        .world
        .meddle(|state| standing(state).last = Some(Phase::Aborted));
    let failed = "requires group base: its last promotion was not promoted";
    assert_eq!(scenario.refused().await, [failed]);

    scenario.world.meddle(|state| {
        standing(state).last = Some(Phase::Promoted);
        standing(state).in_flight = PromotionId::parse("0tq00000");
    });
    let busy = "requires group base: its promotion 0tq00000 is under way";
    assert_eq!(scenario.refused().await, [busy]);
    scenario.rests_at(None);

    scenario
        .world
        .meddle(|state| standing(state).in_flight = None);
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn images_of_a_repository_that_both_use_have_to_be_the_same() {
    let scenario = Scenario::new(requiring());
    // It takes one of its images from where hello-b does.
    let group = given::group(vec![given::app("hello-b")], vec![given::check("stores")]);
    let mut plan = given::plan(&group, Color::Blue);
    scenario.world.meddle(|state| passed(state, &plan));
    let why = scenario.refused().await;
    assert_eq!(why.len(), 1, "{why:?}");
    assert!(
        why[0].starts_with("requires group base: app hello-b would run master-"),
        "{why:?}"
    );
    plan.apps[0].image.digest = scenario.registry.push("hello-b", "master");
    scenario.world.meddle(|state| passed(state, &plan));
    scenario.promote().await;
}

/// Whatever is tested now was tested beside something else.
#[tokio::test(start_paused = true)]
async fn what_changes_before_the_switch_aborts() {
    let plan = base();
    let scenario = Scenario::new(requiring());
    scenario.world.meddle(|state| passed(state, &plan));
    scenario.promote().await;
    scenario.push_all();
    scenario.world.when("create Job", |state| {
        standing(state).in_flight = PromotionId::parse("0tq00000");
    });
    let outcome = scenario.abort().await;
    let busy = "requires group base: its promotion 0tq00000 is under way";
    assert_eq!(reasons(&outcome), [(ReasonKind::Gate, busy)]);

    let mut other = base();
    other.keep_old *= 2;
    scenario.world.meddle(|state| passed(state, &plan));
    scenario
        .world
        .when("create Job", move |state| passed(state, &other));
    let outcome = scenario.abort().await;
    let since = "requires group base: it was promoted since this was planned";
    assert_eq!(reasons(&outcome), [(ReasonKind::Gate, since)]);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn a_person_may_override_it() {
    let scenario = Scenario::new(requiring());
    let mut options = scenario.options();
    options.overriding = Some("base is a week away".to_owned());
    let never = CancellationToken::new();
    let promoted = scenario.deploy_with(options, never).await.unwrap();
    let Deployed::Ended { outcome, .. } = promoted else {
        panic!("{promoted:?}");
    };
    assert_eq!(outcome.phase, Phase::Promoted);
    scenario.rests_at(Some(Color::Blue));
}
