//! The API server was away: what nodes know is trusted again a while after it is back.

use std::time::Duration;

use promoter::plan::color::Color;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::Outcome;
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::scenario::Scenario;
use crate::support::simulate::{End, Run};
use crate::support::world::{Deed, State};

/// From the end of an outage on, nodes may be behind for this long.
const RECOVERY: Duration = Duration::from_secs(30);

/// The API server is away some time after the first call that begins with
/// `call`; the next one that begins with `held` waits for the nodes.
fn outage(scenario: &Scenario, call: &str, after: Duration, held: &'static str) {
    let clock = scenario.clock;
    scenario.world.when(call, move |state| {
        state.later(after, move |state: &mut State| {
            state.outages += 1;
            let since = clock.elapsed();
            let look = move |_: &mut State| {
                let waited = clock.elapsed().checked_sub(since).unwrap();
                assert!(waited >= RECOVERY, "`{held}` {waited:?} after the outage");
            };
            let hook = (held.to_owned(), Some(Box::new(look) as Deed));
            state.script.hooks.push(hook);
        });
    });
}

/// The call was made, and the wait for it was told.
#[track_caller]
fn held(scenario: &Scenario, call: &str, told: &str) {
    let state = scenario.world.state();
    let open = state.script.hooks.iter().filter(|(_, deed)| deed.is_some());
    assert_eq!(open.count(), 0, "no `{call}` came after the outage");
    drop(state);
    let waits = scenario.events.waits();
    assert!(waits.iter().any(|wait| wait.contains(told)), "{waits:?}");
}

const AGAIN: &str = "nodes to learn the endpoints again, as the API server was away";
const FIRST: &str = "every node to learn the candidate's endpoints";

#[tokio::test(start_paused = true)]
async fn old_pods_stay_until_nodes_have_left_them() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let late = Duration::from_secs(29);
    let call = "delete Deployment hello-a-blue";
    outage(&scenario, "write settling", late, call);
    scenario.promote().await;
    held(&scenario, call, AGAIN);
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_users_may_reach_stays_until_nodes_have_left_it() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.detach().await;
    let never = CancellationToken::new();
    let call = "delete Deployment hello-a-green";
    let soon = Duration::from_secs(5);
    outage(&scenario, "point hello-a to blue", soon, call);
    let engine = scenario.engine(&scenario.process(None));
    engine
        .undo(given::rollback("bob@desk"), never)
        .await
        .unwrap();
    held(&scenario, call, AGAIN);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn checks_begin_once_nodes_know_the_candidate() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    let soon = Duration::from_millis(1);
    outage(&scenario, "create Deployment", soon, "create Job");
    scenario.promote().await;
    held(&scenario, "create Job", FIRST);
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn a_lost_run_is_repeated_once_nodes_know_the_candidate() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::new(End::Evicted));
    let soon = Duration::from_millis(1);
    outage(&scenario, "create Job", soon, "create Job");
    scenario.promote().await;
    held(&scenario, "create Job", FIRST);
    assert_eq!(scenario.events.of("check-repeated").len(), 1);
    scenario.rests_at(Some(Color::Green));
}

/// For ten seconds inside `keep_old` nothing is heard of a node on which a pod
/// of hello-b is, and whatever else is `beside`.
async fn silence(beside: &'static str) -> (Scenario, Outcome) {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.when("write settling", move |state| {
        let silent = move |is: bool| {
            move |state: &mut State| {
                for named in ["hello-b-green", beside] {
                    let mut pods = state.pods.iter_mut().map(|pod| &mut pod.state);
                    let pod = pods.find(|pod| pod.name.starts_with(named)).unwrap();
                    (pod.ready, pod.unheard) = (!is, is);
                    pod.node = Some("silent".to_owned());
                }
            }
        };
        state.later(Duration::from_secs(5), silent(true));
        state.later(Duration::from_secs(15), silent(false));
    });
    let outcome = scenario.outcome().await;
    (scenario, outcome)
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_of_both_colours_is_no_regression() {
    let (scenario, outcome) = silence("hello-a-blue").await;
    assert_eq!((outcome.phase, outcome.reasons), (Phase::Promoted, vec![]));
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_of_the_candidate_is_left() {
    let (scenario, outcome) = silence("hello-a-green").await;
    assert_eq!(outcome.phase, Phase::Aborted);
    assert!(
        outcome.reasons[0]
            .text
            .contains("only 1 of 2 pods are ready"),
        "{:?}",
        outcome.reasons
    );
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_goes_is_named_first() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(1));
    scenario
        .world
        .when("create Job", |state| state.namespace = None);
    let outcome = scenario.abort().await;
    let [first, failed] = outcome.reasons.as_slice() else {
        panic!("{:?}", outcome.reasons);
    };
    assert_eq!(first.text, "namespace shop is being deleted");
    assert!(
        failed.text.starts_with("check greets failed"),
        "{}",
        failed.text
    );
}

/// A check that fails beside a candidate's pod of whose node nothing is heard says
/// nothing of the release.
#[tokio::test(start_paused = true)]
async fn a_failure_beside_a_silent_node_is_repeated_once_it_is_heard_of() {
    let scenario = Scenario::ready_for_green(given::hello()).await;
    scenario.world.run("greets", Run::exits(1));
    scenario.world.when("create Job", |state| {
        let silent = |is: bool| {
            move |state: &mut State| {
                let mut pods = state.pods.iter_mut().map(|pod| &mut pod.state);
                let pod = pods.find(|pod| pod.name.starts_with("hello-b-green"));
                let pod = pod.unwrap();
                (pod.ready, pod.unheard) = (!is, is);
            }
        };
        state.later(Duration::from_secs(1), silent(true));
        state.later(Duration::from_secs(30), silent(false));
    });
    scenario.promote().await;
    let repeated = scenario.events.of("check-repeated");
    let reason = repeated[0]["reason"].as_str().unwrap();
    assert_eq!(
        reason,
        "exit 1, but the node of a pod of hello-b was not heard of meanwhile"
    );
    scenario.rests_at(Some(Color::Green));
}
