//! What takes work by itself: workers that start when they are promoted, and
//! `CronJob`s. That no two colours of them work is checked after every call.

use std::time::Duration;

use promoter::engine::undo::Undone;
use promoter::group::Start;
use promoter::plan::color::Color;
use promoter::plan::cron::{KIND, is_suspended};
use promoter::plan::object::ObjectRef;
use promoter::port::ClusterError;
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::Outcome;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::{AppFate, Run};
use crate::support::world::State;

const HOUR: Duration = Duration::from_hours(1);

async fn ready_for_green() -> Scenario {
    let mut group = given::working();
    group.strategy.keep_old = Duration::from_mins(5);
    Scenario::ready_for_green(group).await
}

fn pods(state: &State, deployment: &str) -> u64 {
    let found = state.get("Deployment", deployment).unwrap();
    found.at("/spec/replicas").and_then(Value::as_u64).unwrap()
}

fn is_idle(state: &State, cron: &str) -> bool {
    is_suspended(state.get(KIND, cron).unwrap())
}

fn last(state: &State, cron: &str) -> String {
    let found = state.get(KIND, cron).unwrap();
    found.str_at("/status/lastScheduleTime").unwrap().to_owned()
}

async fn rollback(scenario: &Scenario) -> Outcome {
    let engine = scenario.engine(&scenario.process(None));
    let wish = given::rollback("bob@desk");
    match engine.undo(wish, CancellationToken::new()).await.unwrap() {
        Undone::Ended(outcome) => *outcome,
        other => panic!("{other:?}"),
    }
}

/// Everything works in blue again, and nothing of green is left.
#[track_caller]
fn works_in_blue(scenario: &Scenario) {
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(pods(&state, "worker-blue"), 2);
    assert!(!is_idle(&state, "nightly-blue"));
}

#[tokio::test(start_paused = true)]
async fn the_first_promotion_starts_it_last() {
    let scenario = Scenario::new(given::working());
    scenario.world.when("create Job", |state| {
        assert_eq!(pods(state, "worker-blue"), 0);
        assert!(is_idle(state, "nightly-blue"));
        state.tick(HOUR);
        assert_eq!(state.cron_runs, []);
    });
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    let journal = &state.journal;
    let started = journal.first("raise worker-blue to 2");
    assert!(started < journal.first("point hello-a to blue"));
    let scheduled = journal.first("set-work nightly-blue to scheduled");
    assert!(journal.first("point hello-a to blue") < scheduled);
    assert_eq!(pods(&state, "worker-blue"), 2);
    // What came before was nobody's.
    assert!(last(&state, "nightly-blue") > state.record.outcomes[0].started_at.to_string());
}

#[tokio::test(start_paused = true)]
async fn the_old_ones_stop_before_the_new_ones_start() {
    let scenario = ready_for_green().await;
    let drain = Some(Duration::from_secs(20));
    scenario.world.meddle(|state| {
        state.script.drains.insert("worker".to_owned(), drain);
        state.tick(Duration::from_secs(5));
    });
    let met = last(&scenario.world.state(), "nightly-blue");
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    let state = scenario.world.state();
    let order = [
        "set-work worker-blue to 0 pods",
        "raise worker-green to 2",
        "point hello-a to green",
        "set-work nightly-green to scheduled",
        "write settling",
        "delete Deployment worker-blue",
    ];
    let places = order.map(|call| state.journal.first(call));
    assert!(places.is_sorted(), "{}", state.journal);
    assert!(state.journal.first("set-work nightly-blue to suspended") < places[1]);
    assert_eq!(last(&state, "nightly-green"), met, "a time is met once");
}

/// Who is suspended right after it made a Job cannot note that it did.
#[tokio::test(start_paused = true)]
async fn a_job_that_its_cron_job_did_not_note_counts() {
    let scenario = ready_for_green().await;
    scenario.world.meddle(|state| {
        state.tick(Duration::from_secs(5));
        state.edit(KIND, "nightly-blue", |cron| cron["status"] = json!({}));
    });
    let met = scenario.world.state().cron_runs[0].met.unwrap().to_string();
    scenario.promote().await;
    assert_eq!(last(&scenario.world.state(), "nightly-green"), met);
}

#[tokio::test(start_paused = true)]
async fn another_schedule_counts_from_its_promotion() {
    let mut scenario = ready_for_green().await;
    let promoter::group::Manifest::Template(template) = &mut scenario.group.apps[1].manifest else {
        panic!("it has one");
    };
    template.text = template.text.replace("0 2 * * *", "0 * * * *");
    scenario
        .world
        .meddle(|state| state.tick(Duration::from_secs(5)));
    let met = last(&scenario.world.state(), "nightly-blue");
    tokio::time::sleep(HOUR).await;
    scenario.promote().await;
    let state = scenario.world.state();
    let begun = state.record.outcomes[0].started_at.to_string();
    let counts_from = last(&state, "nightly-green");
    assert!(begun < counts_from && met < begun, "{counts_from}");
}

#[tokio::test(start_paused = true)]
async fn one_that_its_manifest_suspends_stays_so() {
    let mut scenario = ready_for_green().await;
    let promoter::group::Manifest::Template(template) = &mut scenario.group.apps[1].manifest else {
        panic!("it has one");
    };
    template.text = template
        .text
        .replace("  jobTemplate:", "  suspend: true\n  jobTemplate:");
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    assert!(is_idle(&scenario.world.state(), "nightly-green"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_start_leaves_users_where_they_are() {
    let scenario = ready_for_green().await;
    scenario.world.when("raise worker-green to 2", |state| {
        state
            .script
            .apps
            .insert("worker".to_owned(), AppFate::Unready);
    });
    // Only the new one does not.
    scenario
        .world
        .when("set-work worker-blue to 2 pods", |state| {
            state.script.apps.clear();
        });
    let outcome = scenario.abort().await;
    let told = "waited in vain for pods of worker to be ready before the switch";
    let cause = "app worker: container worker runs, but its readiness probe does not pass";
    let all = [told, cause].map(|told| (ReasonKind::Deploy, told));
    assert_eq!(reasons(&outcome), all);
    works_in_blue(&scenario);
    assert_eq!(scenario.world.state().journal.calls("point"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_crashes_again_and_again_is_not_waited_for() {
    let scenario = ready_for_green().await;
    scenario.world.when("raise worker-green to 2", |state| {
        let crashes = AppFate::CrashLoop(3);
        state.script.apps.insert("worker".to_owned(), crashes);
    });
    scenario
        .world
        .when("set-work worker-blue to 2 pods", |state| {
            state.script.apps.clear();
        });
    let outcome = scenario.abort().await;
    let told = "app worker: container worker crashes (exit code 1), 3 restarts";
    assert_eq!(reasons(&outcome), [(ReasonKind::Deploy, told)]);
    works_in_blue(&scenario);
}

#[tokio::test(start_paused = true)]
async fn old_pods_that_do_not_end_are_waited_for_and_then_it_is_not_promoted() {
    let scenario = ready_for_green().await;
    scenario.world.meddle(|state| {
        state.script.drains.insert("worker".to_owned(), None);
    });
    scenario.world.when("write aborting", |state| {
        let blue =
            |pod: &crate::support::world::Pod| pod.state.deleting && pod.state.color == Color::Blue;
        state.script.drains.clear();
        state.pods.retain(|pod| !blue(pod));
    });
    let outcome = scenario.abort().await;
    let (_, told) = reasons(&outcome)[0];
    assert!(
        told.starts_with("waited in vain for blue pods to end: worker-blue-"),
        "{told}"
    );
    works_in_blue(&scenario);
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_is_refused_starts_the_old_ones_again() {
    let scenario = ready_for_green().await;
    let refused = ClusterError::Refused {
        action: "switch".to_owned(),
        reason: "no".to_owned(),
    };
    scenario.world.fail("point hello-b to green", 99, refused);
    scenario.abort().await;
    works_in_blue(&scenario);
    let state = scenario.world.state();
    let back = state.journal.first("point hello-a to blue");
    let stopped = state.journal.first("delete Deployment worker-green");
    let started = state.journal.first("set-work worker-blue to 2 pods");
    assert!(back < stopped && stopped < started, "{}", state.journal);
    assert!(
        state
            .journal
            .calls("set-work nightly-green to scheduled")
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_hold_between_stop_and_start_gives_it_up() {
    for call in ["raise worker-green to 2", "point hello-a to green"] {
        let scenario = ready_for_green().await;
        let hold = promoter::promotion::restraint::Statement {
            actor: "ann".to_owned(),
            reason: "not today".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        scenario
            .world
            .when("set-work worker-blue to 0 pods", move |state| {
                state.restraints.hold = Some(hold);
            });
        let outcome = scenario.abort().await;
        assert_eq!(reasons(&outcome)[0].0, ReasonKind::Held);
        works_in_blue(&scenario);
        let state = scenario.world.state();
        assert_eq!(state.journal.calls(call), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_goes_the_same_way_back() {
    let scenario = ready_for_green().await;
    scenario.detach().await;
    scenario.forget();
    // A Job that the new one began comes to its end before what it calls goes.
    scenario
        .world
        .meddle(|state| state.tick(Duration::from_mins(3)));
    let met = last(&scenario.world.state(), "nightly-green");
    let outcome = rollback(&scenario).await;
    assert_eq!(outcome.phase, Phase::Aborted);
    works_in_blue(&scenario);
    let state = scenario.world.state();
    assert_eq!(last(&state, "nightly-blue"), met, "a time is met once");
    let order = [
        "point hello-a to blue",
        "set-work nightly-green to suspended",
        "delete Deployment worker-green",
        "set-work nightly-blue to scheduled",
        "delete Deployment hello-b-green",
        "delete CronJob nightly-green",
    ];
    let places = order.map(|call| state.journal.first(call));
    assert!(places.is_sorted(), "{}", state.journal);
}

/// Users are back, and the new worker's pods do not end: the old one stands still.
async fn stuck_on_the_way_back() -> Scenario {
    let scenario = ready_for_green().await;
    scenario.detach().await;
    scenario.world.meddle(|state| {
        state.script.drains.insert("worker".to_owned(), None);
    });
    let outcome = rollback(&scenario).await;
    assert_eq!(outcome.phase, Phase::Failed);
    scenario
}

fn end_green_workers(state: &mut State) {
    state.script.drains.clear();
    state
        .pods
        .retain(|pod| !pod.state.deleting || pod.state.color == Color::Blue);
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_does_not_end_leaves_nothing_working_that_is_gone_back_from() {
    let scenario = stuck_on_the_way_back().await;
    assert!(is_idle(&scenario.world.state(), "nightly-green"));
    scenario.world.meddle(end_green_workers);
    let engine = scenario.engine(&scenario.process(None));
    let resumed = engine.resume("bob@desk", CancellationToken::new());
    Box::pin(resumed).await.unwrap();
    let state = scenario.world.state();
    assert_eq!(pods(&state, "worker-blue"), 2);
    assert!(!is_idle(&state, "nightly-blue"));
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_way_back_left_standing_still_works_after_the_next_one() {
    let scenario = stuck_on_the_way_back().await;
    scenario.world.meddle(|state| {
        state.later(Duration::from_secs(30), end_green_workers);
    });
    scenario.push_all();
    (0..9).for_each(|_| scenario.world.run("greets", Run::exits(1)));
    scenario.abort().await;
    let state = scenario.world.state();
    assert_eq!(pods(&state, "worker-blue"), 2);
    assert!(!is_idle(&state, "nightly-blue"));
}

/// A `CronJob` that works though its colour does not serve is stopped by who comes next.
#[tokio::test(start_paused = true)]
async fn what_works_in_the_wrong_colour_is_stopped() {
    let scenario = stuck_on_the_way_back().await;
    scenario.world.meddle(|state| {
        end_green_workers(state);
        let work = |cron: &mut Value| cron["spec"]["suspend"] = json!(false);
        state.edit(KIND, "nightly-green", work);
    });
    let engine = scenario.engine(&scenario.process(None));
    let resumed = engine.resume("bob@desk", CancellationToken::new());
    Box::pin(resumed).await.unwrap();
    let state = scenario.world.state();
    assert!(is_idle(&state, "nightly-green") && !is_idle(&state, "nightly-blue"));
}

/// What was autoscaled before is not raised on the way back while its successor works.
#[tokio::test(start_paused = true)]
async fn one_that_was_autoscaled_starts_once_its_successor_is_gone() {
    let mut group = given::hello();
    group.strategy.keep_old = Duration::from_mins(5);
    let mut scaled = given::worker("worker");
    scaled.start = Start::Beside;
    let text = given::manifest("worker", &given::autoscaler("worker", 2, 4));
    let text = text
        .split("---")
        .filter(|part| !part.contains("kind: Service"));
    let text = text.collect::<Vec<_>>().join("---");
    scaled.manifest = given::templated("worker", &text).manifest;
    scaled.replicas = None;
    group.apps.push(scaled);
    let mut scenario = Scenario::ready_for_green(group).await;
    scenario.group.apps[2] = given::worker("worker");
    scenario.detach().await;
    let outcome = rollback(&scenario).await;
    assert_eq!(outcome.phase, Phase::Aborted);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_falls_inside_keep_old_takes_the_group_back() {
    let scenario = ready_for_green().await;
    scenario.world.when("write settling", |state| {
        state.later(Duration::from_secs(20), |state| {
            state.set_ready(Color::Green, "worker", false);
        });
    });
    let outcome = scenario.abort().await;
    assert_eq!(reasons(&outcome)[0].0, ReasonKind::Regressed);
    works_in_blue(&scenario);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_the_old_colour_comes_to_its_end() {
    let scenario = ready_for_green().await;
    scenario
        .world
        .meddle(|state| state.tick(Duration::from_mins(14)));
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    let waits = scenario.events.waits();
    assert!(
        waits
            .iter()
            .any(|wait| wait.starts_with("Jobs of blue to end: nightly-blue-")),
        "{waits:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_never_ends_is_left_with_what_it_calls() {
    let scenario = ready_for_green().await;
    scenario.world.meddle(|state| state.tick(2 * HOUR));
    let outcome = scenario.outcome().await;
    assert_eq!(outcome.phase, Phase::Promoted);
    let (_, told) = reasons(&outcome)[0];
    let expected = "promoted, but Jobs of blue do not end, so it stays until the next promotion: nightly-blue-";
    assert!(told.starts_with(expected), "{told}");
    assert!(
        scenario
            .world
            .state()
            .get("Deployment", "hello-b-blue")
            .is_some()
    );
    // The next one needs the colour: it waits in vain, and then for long enough.
    scenario.push_all();
    let outcome = scenario.abort().await;
    let (_, told) = reasons(&outcome)[0];
    assert!(
        told.starts_with("waited in vain for what is left of an earlier blue to go"),
        "{told}"
    );
    tokio::time::sleep(2 * HOUR).await;
    scenario.promote().await;
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn somebody_who_changes_one_before_it_is_promoted_ends_it() {
    type Deed = fn(&mut State);
    let deeds: [Deed; 2] = [
        |state| {
            state.edit(KIND, "nightly-green", |cron| {
                cron["spec"]["schedule"] = json!("* * * * *");
            });
        },
        |state| {
            let cron = state.get(KIND, "nightly-green").unwrap().clone();
            let reference = ObjectRef::new(cron.api_version(), KIND, cron.name());
            state.objects.remove(&reference);
        },
    ];
    for deed in deeds {
        let scenario = ready_for_green().await;
        scenario.world.when("create Job", deed);
        let outcome = scenario.abort().await;
        let told = "somebody changed CronJob nightly-green after it was made";
        assert_eq!(reasons(&outcome), [(ReasonKind::Gate, told)]);
        works_in_blue(&scenario);
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_fails_leaves_the_old_ones_alone() {
    let scenario = ready_for_green().await;
    (0..9).for_each(|_| scenario.world.run("greets", Run::exits(1)));
    scenario.abort().await;
    works_in_blue(&scenario);
    assert_eq!(scenario.world.state().journal.calls("set-work"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_group_without_any_service_hands_over_too() {
    let mut worker = given::worker("worker");
    worker.needs.clear();
    let group = given::group(vec![worker], vec![given::check("greets")]);
    let scenario = Scenario::ready_for_green(group).await;
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    let state = scenario.world.state();
    assert_eq!(pods(&state, "worker-green"), 2);
    let stopped = state.journal.first("set-work worker-blue to 0 pods");
    let settling = state.journal.first("write settling");
    assert!(stopped < state.journal.first("raise worker-green to 2") && stopped < settling);
}

#[tokio::test(start_paused = true)]
async fn what_an_abort_could_not_start_again_is_started_by_the_next_one_who_asks() {
    let scenario = ready_for_green().await;
    let refused = || ClusterError::Refused {
        action: "x".to_owned(),
        reason: "no".to_owned(),
    };
    scenario.world.fail("point hello-b to green", 99, refused());
    scenario
        .world
        .fail("set-work worker-blue to 2 pods", 99_999, refused());
    let outcome = scenario.outcome().await;
    assert_eq!(outcome.phase, Phase::Failed);
    scenario.world.meddle(|state| state.script.faults.clear());
    let process = scenario.process(None);
    let engine = scenario.engine(&process);
    let resumed = engine.resume("bob@desk", CancellationToken::new());
    scenario
        .until_dead(&process, Box::pin(resumed))
        .await
        .unwrap()
        .unwrap();
    let state = scenario.world.state();
    assert_eq!(pods(&state, "worker-blue"), 2);
    assert!(!is_idle(&state, "nightly-blue"));
}

#[tokio::test(start_paused = true)]
async fn whoever_dies_making_one_leaves_it_to_be_made() {
    for call in [
        "create CronJob nightly-green",
        "create Deployment hello-b-green",
    ] {
        let scenario = ready_for_green().await;
        scenario.deploy_until(call).await;
        tokio::time::sleep(Duration::from_secs(16)).await;
        scenario.deploy().await.unwrap();
        scenario.rests_at(Some(Color::Green));
    }
}
