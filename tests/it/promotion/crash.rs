//! Every call to the outside goes wrong in every way: the next promoter ends
//! in the same state, and nothing that was recorded is left untold.

mod disturb;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use promoter::engine::EngineError;
use promoter::engine::propose::ProposeError;
use promoter::engine::undo::Undone;
use promoter::group::Group;
use promoter::plan::color::Color;
use promoter::port::ClusterError;
use tokio_util::sync::CancellationToken;

use super::adopted;
use super::walled::walled;
use crate::support::given;
use crate::support::process::Process;
use crate::support::scenario::Scenario;
use crate::support::simulate::{AppFate, Run};
use crate::support::world::State;
use disturb::{Done, SOON_ONLY, SOON_OR_LATE, Story};

/// Blue serves, and green is promoted next.
async fn ready_for_green(keep_old: Duration) -> Scenario {
    ready_with(given::hello(), keep_old).await
}

async fn ready_with(mut group: Group, keep_old: Duration) -> Scenario {
    group.strategy.keep_old = keep_old;
    let scenario = Scenario::new(group);
    scenario.promote().await;
    scenario.push_all();
    // Whatever is still ending has ended then.
    tokio::time::sleep(Duration::from_mins(1)).await;
    scenario.rests_at(Some(Color::Blue));
    scenario
}

async fn ready() -> Scenario {
    ready_for_green(Duration::from_secs(30)).await
}

fn done<T>(ended: Option<Result<T, EngineError>>) -> Done {
    ended.map(|result| result.map(drop))
}

async fn deploy(scenario: &Scenario, process: &Arc<Process>) -> Done {
    let never = CancellationToken::new();
    done(scenario.deploy_by(process, scenario.options(), never).await)
}

async fn resume(scenario: &Scenario, process: &Arc<Process>) -> Done {
    let engine = scenario.engine(process);
    let resumed = engine.resume("bob@desk", CancellationToken::new());
    done(scenario.until_dead(process, Box::pin(resumed)).await)
}

async fn rollback(
    scenario: &Scenario,
    process: &Arc<Process>,
) -> Option<Result<Undone, EngineError>> {
    let engine = scenario.engine(process);
    let rolled_back = engine.undo(given::rollback("bob@desk"), CancellationToken::new());
    scenario.until_dead(process, Box::pin(rolled_back)).await
}

/// It came to its end, and all was well.
#[track_caller]
fn fine<T>(scenario: &Scenario, ended: Option<Result<T, EngineError>>) -> T {
    let ended = ended.expect("nobody kills it");
    ended.unwrap_or_else(|error| panic!("{error:?}\n{}", scenario.world.state().journal))
}

async fn deploys(scenario: &Scenario) {
    let done = deploy(scenario, &scenario.process(None)).await;
    fine(scenario, done);
}

async fn resumes(scenario: &Scenario) {
    let done = resume(scenario, &scenario.process(None)).await;
    fine(scenario, done);
}

/// A promotion of a group over the one before, which passes.
async fn passes(
    name: &'static str,
    group: Group,
    after_call: Option<&'static str>,
    pauses: [Duration; 2],
) {
    let ready = ready_with(group, Duration::from_secs(30)).await;
    let story = Story {
        name,
        ends_at: Some(Color::Green),
        after_call,
        pauses,
        setting: async || ready.twin(),
        act: deploy,
        after: deploys,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn a_promotion_that_passes() {
    passes("passes", given::hello(), None, SOON_OR_LATE).await;
}

#[tokio::test(start_paused = true)]
async fn a_promotion_with_all_that_a_manifest_may_bring() {
    passes("passes with everything", given::rich(), None, SOON_OR_LATE).await;
}

#[tokio::test(start_paused = true)]
async fn a_promotion_with_hooks() {
    passes("passes with hooks", given::hooked(), None, SOON_OR_LATE).await;
}

#[tokio::test(start_paused = true)]
async fn a_promotion_that_hands_over() {
    let handing_over = Some("write promoting");
    passes("hands over", given::working(), handing_over, SOON_OR_LATE).await;
}

/// After what takes work by itself was handed over.
#[tokio::test(start_paused = true)]
async fn a_hand_over_that_goes_back() {
    regresses("hands over and back", given::working()).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_start() {
    let ready = ready_with(given::working(), Duration::from_secs(30)).await;
    let story = Story {
        name: "a worker does not start",
        ends_at: Some(Color::Blue),
        after_call: Some("write promoting"),
        pauses: SOON_OR_LATE,
        setting: async || {
            let scenario = ready.twin();
            let world = &scenario.world;
            world.when("raise worker-green to 2", |state| {
                let unready = AppFate::Unready;
                state.script.apps.insert("worker".to_owned(), unready);
            });
            // Only the new one does not.
            world.when("set-work worker-blue to 2 pods", |state| {
                state.script.apps.clear();
            });
            scenario
        },
        act: deploy,
        after: resumes,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn a_promotion_behind_a_wall() {
    let group = walled(given::hooked());
    passes("passes behind a wall", group, None, SOON_OR_LATE).await;
}

#[tokio::test(start_paused = true)]
async fn a_large_group() {
    let switching = Some("write promoting");
    passes("a large group", given::large(), switching, SOON_ONLY).await;
}

#[tokio::test(start_paused = true)]
async fn the_very_first_promotion() {
    let story = Story {
        name: "the first one",
        ends_at: Some(Color::Blue),
        after_call: None,
        pauses: SOON_OR_LATE,
        setting: async || Scenario::new(given::hello()),
        act: deploy,
        after: deploys,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn a_check_that_fails() {
    let ready = ready().await;
    let story = Story {
        name: "a check fails",
        ends_at: Some(Color::Blue),
        after_call: Some("create Job"),
        pauses: SOON_OR_LATE,
        setting: async || {
            let scenario = ready.twin();
            (0..9).for_each(|_| scenario.world.run("greets", Run::exits(1)));
            scenario
        },
        act: deploy,
        after: deploys,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn a_check_whose_report_in_a_file_says_no() {
    let failing = "<testsuite><testcase name='a'><error/></testcase></testsuite>";
    let mut group = given::hello();
    group.checks = vec![given::junit("greets")];
    let ready = ready_with(group, Duration::from_secs(30)).await;
    let story = Story {
        name: "a report says no",
        ends_at: Some(Color::Blue),
        after_call: Some("create Job"),
        pauses: SOON_OR_LATE,
        setting: async || {
            let scenario = ready.twin();
            let run = || Run::exits(0).reports(failing);
            (0..9).for_each(|_| scenario.world.run("greets", run()));
            scenario
        },
        act: deploy,
        after: deploys,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn a_check_that_begins_too_early() {
    let story = Story {
        name: "a check begins too early",
        ends_at: Some(Color::Blue),
        after_call: Some("create Job"),
        pauses: SOON_OR_LATE,
        setting: async || {
            let mut group = given::hello();
            group.strategy.endpoint_delay = Duration::from_secs(2);
            let scenario = Scenario::new(group);
            scenario.world.run("greets", Run::exits(1));
            scenario
        },
        act: deploy,
        after: deploys,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn pods_that_never_get_ready() {
    let ready = ready().await;
    let story = Story {
        name: "pods never get ready",
        ends_at: Some(Color::Blue),
        after_call: Some("create Deployment"),
        pauses: SOON_OR_LATE,
        setting: async || {
            let scenario = ready.twin();
            scenario.world.fate("hello-b", AppFate::Unready);
            scenario
        },
        act: deploy,
        after: deploys,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_stays_half_done() {
    let refused = |action: &str| ClusterError::Refused {
        action: action.to_owned(),
        reason: "no".to_owned(),
    };
    let ready = ready().await;
    let story = Story {
        name: "half a switch",
        ends_at: Some(Color::Blue),
        after_call: Some("write promoting"),
        pauses: SOON_OR_LATE,
        setting: async || {
            let scenario = ready.twin();
            let world = &scenario.world;
            world.fail("point hello-b to green", 99, refused("switch hello-b"));
            // The way back is barred once as well, so that it stays half done.
            world.fail("point hello-a to blue", 1, refused("switch hello-a back"));
            scenario
        },
        act: deploy,
        after: deploys,
    };
    story.tell().await;
}

/// Long enough to think about it.
const WINDOW: Duration = Duration::from_mins(5);

#[tokio::test(start_paused = true)]
async fn a_rollback_after_detach() {
    let ready = ready_for_green(WINDOW).await;
    let story = Story {
        name: "rollback after detach",
        ends_at: Some(Color::Blue),
        after_call: None,
        pauses: SOON_OR_LATE,
        setting: async || {
            let scenario = ready.twin();
            scenario.detach().await;
            scenario
        },
        act: async |scenario: &Scenario, process: &Arc<Process>| {
            done(rollback(scenario, process).await)
        },
        after: wishes_again,
    };
    story.tell().await;
}

/// Somebody whose wish did not arrive asks again; else nobody needs to.
async fn wishes_again(scenario: &Scenario) {
    let wished = scenario.world.state().request.is_some();
    if wished {
        return resumes(scenario).await;
    }
    let asked = rollback(scenario, &scenario.process(None)).await;
    fine(scenario, asked);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_whose_promoter_waits() {
    let ready = ready_for_green(WINDOW).await;
    let story = Story {
        name: "rollback, the one who asks",
        ends_at: Some(Color::Blue),
        after_call: None,
        pauses: SOON_ONLY,
        setting: async || ready.twin(),
        act: async |scenario: &Scenario, process: &Arc<Process>| {
            let asking = async {
                tokio::time::sleep(Duration::from_secs(90)).await;
                let asked = rollback(scenario, process).await;
                if !matches!(asked, Some(Ok(_))) {
                    tokio::time::sleep(SOON_ONLY[0]).await;
                    let again = rollback(scenario, &scenario.process(None)).await;
                    fine(scenario, again);
                }
                done(asked)
            };
            let other = scenario.process(None);
            let (deployed, asked) = tokio::join!(deploy(scenario, &other), asking);
            fine(scenario, deployed);
            asked
        },
        after: resumes,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn a_promoter_that_is_asked_to_roll_back() {
    let ready = ready_for_green(WINDOW).await;
    let story = Story {
        name: "rollback, the one who is asked",
        ends_at: Some(Color::Blue),
        after_call: Some("write settling"),
        pauses: SOON_ONLY,
        setting: async || ready.twin(),
        act: async |scenario: &Scenario, process: &Arc<Process>| {
            let asking = async {
                tokio::time::sleep(Duration::from_secs(90)).await;
                rollback(scenario, &scenario.process(None)).await
            };
            let (deployed, asked) = tokio::join!(deploy(scenario, process), asking);
            fine(scenario, asked);
            deployed
        },
        after: wishes_again,
    };
    story.tell().await;
}

/// A member of a group that loses a pod inside `keep_old`.
async fn regresses(name: &'static str, group: Group) {
    let ready = ready_with(group, WINDOW).await;
    let story = Story {
        name,
        ends_at: Some(Color::Blue),
        after_call: Some("write settling"),
        pauses: SOON_OR_LATE,
        setting: async || {
            let scenario = ready.twin();
            scenario.world.when("write settling", State::lose_a_pod);
            scenario
        },
        act: deploy,
        after: resumes,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn a_regression_that_switches_back() {
    regresses("a regression", given::hello()).await;
}

/// After what is shared was changed.
#[tokio::test(start_paused = true)]
async fn a_regression_with_all_that_a_manifest_may_bring() {
    regresses("a regression with everything", given::rich()).await;
}

async fn adopt(scenario: &Scenario, process: &Arc<Process>) -> Done {
    done(adopted::adopt_by(scenario, process).await)
}

/// Whoever adopts again is told if it is done; what is left is driven on all the same.
async fn adopts(scenario: &Scenario) {
    let done = adopt(scenario, &scenario.process(None)).await;
    if matches!(
        done,
        Some(Err(EngineError::Propose(ProposeError::Refused(_))))
    ) {
        return resumes(scenario).await;
    }
    fine(scenario, done);
}

#[tokio::test(start_paused = true)]
async fn an_adoption_that_passes() {
    let story = Story {
        name: "an adoption passes",
        ends_at: Some(Color::Blue),
        after_call: None,
        pauses: SOON_OR_LATE,
        setting: async || adopted::standing(),
        act: adopt,
        after: adopts,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn an_adoption_whose_check_fails() {
    let story = Story {
        name: "an adoption fails",
        ends_at: None,
        after_call: None,
        pauses: SOON_OR_LATE,
        setting: async || {
            let scenario = adopted::standing();
            (0..9).for_each(|_| scenario.world.run("greets", Run::exits(1)));
            scenario
        },
        act: adopt,
        after: async |scenario: &Scenario| {
            adopts(scenario).await;
            adopted::is_as_found(scenario);
        },
    };
    story.tell().await;
}

/// `promoter resume`, and what it finds: a promoter died before this call.
async fn resume_from(name: &'static str, call: &'static str) {
    let ready = ready().await;
    let story = Story {
        name,
        ends_at: Some(Color::Green),
        after_call: None,
        pauses: SOON_OR_LATE,
        setting: async || {
            let scenario = ready.twin();
            scenario.deploy_until(call).await;
            tokio::time::sleep(SOON_ONLY[0]).await;
            scenario
        },
        act: resume,
        after: resumes,
    };
    story.tell().await;
}

#[tokio::test(start_paused = true)]
async fn a_resume_from_the_start() {
    resume_from("resume from the start", "write deploying").await;
}

#[tokio::test(start_paused = true)]
async fn a_resume_amid_the_checks() {
    resume_from("resume amid the checks", "create Job").await;
}

#[tokio::test(start_paused = true)]
async fn a_resume_amid_the_switch() {
    resume_from("resume amid the switch", "point hello-a to green").await;
}

#[tokio::test(start_paused = true)]
async fn a_resume_amid_the_teardown() {
    let call = "delete Deployment hello-a-blue";
    resume_from("resume amid the teardown", call).await;
}
