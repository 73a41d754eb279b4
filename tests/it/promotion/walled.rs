//! The wall between the colours: it stands before the candidate's first pod, follows
//! the old pods' addresses, and goes with one of the colours.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use promoter::engine::propose::ProposeError;
use promoter::engine::remove::Removed;
use promoter::engine::undo::Undone;
use promoter::engine::{Deployed, EngineError};
use promoter::group::{Group, Isolation};
use promoter::plan::color::Color;
use promoter::plan::object::{Object, ObjectRef};
use promoter::plan::wall;
use promoter::port::ClusterError;
use promoter::promotion::ReasonKind;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::adopted;
use crate::support::given;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::{End, Run};
use crate::support::world::State;

pub(super) fn walled(mut group: Group) -> Group {
    group.strategy.isolation = Isolation::NetworkPolicy;
    group
}

async fn ready() -> Scenario {
    Scenario::ready_for_green(walled(given::hello_with_window())).await
}

fn standing(state: &State) -> Option<&Object> {
    state.get("NetworkPolicy", "master-green")
}

fn closed(state: &State) -> BTreeSet<IpAddr> {
    standing(state).map(wall::closed).unwrap_or_default()
}

/// Addresses of the pods of a colour.
fn addresses(state: &State, color: Color) -> BTreeSet<IpAddr> {
    let pods = state.pods.iter().map(|pod| &pod.state);
    let pods = pods.filter(|pod| pod.color == color && !pod.has_ended());
    pods.flat_map(|pod| &pod.addresses).copied().collect()
}

/// Addresses of a colour's pods and own Services.
fn outside(state: &State, color: Color) -> BTreeSet<IpAddr> {
    let mut outside = addresses(state, color);
    for app in ["hello-a", "hello-b"] {
        outside.extend(cluster_ips(state, &format!("{app}-{color}")));
    }
    outside
}

fn cluster_ips(state: &State, service: &str) -> Vec<IpAddr> {
    let found = state.get("Service", service).unwrap();
    let ips = found.at("/spec/clusterIPs").and_then(Value::as_array);
    let ips = ips.into_iter().flatten().filter_map(Value::as_str);
    ips.map(|ip| ip.parse().unwrap()).collect()
}

/// Another pod comes in the place of an old one.
fn replace_an_old_pod(state: &mut State) {
    state.scale("hello-a-blue", 1);
    state.scale("hello-a-blue", 2);
}

fn policy(name: &str, selector: &Value) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": { "name": name },
        "spec": { "podSelector": selector, "policyTypes": ["Ingress"] },
    })
}

/// Once the last pod has ended.
async fn rests(scenario: &Scenario, color: Color) {
    tokio::time::sleep(Duration::from_mins(1)).await;
    scenario.rests_at(Some(color));
}

#[tokio::test(start_paused = true)]
async fn it_stands_before_the_first_pod_and_goes_after_the_last() {
    let scenario = ready().await;
    let pods = addresses(&scenario.world.state(), Color::Blue);
    assert_eq!(pods.len(), 4);
    scenario.world.when("create Deployment", move |state| {
        assert_eq!(closed(state), outside(state, Color::Blue));
        assert!(closed(state).is_superset(&pods));
        assert!(addresses(state, Color::Green).is_empty());
    });
    scenario.promote().await;
    {
        let state = scenario.world.state();
        let journal = &state.journal;
        let gone = journal.first("delete NetworkPolicy master-green");
        assert!(journal.last("delete Deployment") < gone, "{journal}");
        assert!(standing(&state).is_none());
    }
    rests(&scenario, Color::Green).await;
}

#[tokio::test(start_paused = true)]
async fn hooks_before_the_candidate_are_behind_it() {
    let scenario = Scenario::ready_for_green(walled(given::hooked())).await;
    scenario.promote().await;
    {
        let journal = &scenario.world.state().journal;
        let walled = journal.first("apply NetworkPolicy master-green");
        assert!(
            walled < journal.first("create Job master-migrate"),
            "{journal}"
        );
    }
    rests(&scenario, Color::Green).await;
}

/// While checks run, and while the old colour is kept.
#[tokio::test(start_paused = true)]
async fn it_follows_the_old_pods() {
    for (call, lasts) in [("create Job", 50), ("point hello-a to green", 5)] {
        let scenario = ready().await;
        scenario.world.run("greets", Run::exits(0).lasts(lasts));
        scenario.world.when(call, |state| {
            state.later(Duration::from_secs(20), replace_an_old_pod);
            state.later(Duration::from_secs(30), |state| {
                assert_eq!(addresses(state, Color::Blue).len(), 4);
                assert_eq!(closed(state), outside(state, Color::Blue));
            });
        });
        scenario.promote().await;
        rests(&scenario, Color::Green).await;
    }
}

/// Some networks judge a call by the Service's address. What users call leads to the
/// candidate after the switch.
#[tokio::test(start_paused = true)]
async fn it_is_closed_to_services_of_the_other_colour_alone() {
    let scenario = ready().await;
    let second: IpAddr = "fd00::b".parse().unwrap();
    scenario.world.meddle(|state| {
        state.edit("Service", "hello-b-blue", |service| {
            let first = service["spec"]["clusterIP"].clone();
            service["spec"]["clusterIPs"] = json!([first, second]);
        });
    });
    scenario.world.when("create Job", move |state| {
        let closed = closed(state);
        assert!(closed.contains(&second));
        let is_closed = |service: &&str| {
            let ips = cluster_ips(state, service);
            assert!(!ips.is_empty(), "{service}");
            ips.iter().all(|ip| closed.contains(ip))
        };
        let mut services = state.names("Service");
        services.retain(is_closed);
        assert_eq!(services, ["hello-a-blue", "hello-b-blue"]);
    });
    scenario.promote().await;
    rests(&scenario, Color::Green).await;
}

/// Jobs of the old colour may run for long, and call old pods.
#[tokio::test(start_paused = true)]
async fn it_follows_old_pods_that_stay_for_their_jobs() {
    let mut group = walled(given::working());
    group.strategy.keep_old = Duration::from_secs(30);
    let scenario = Scenario::ready_for_green(group).await;
    scenario
        .world
        .meddle(|state| state.tick(Duration::from_mins(14)));
    scenario.world.when("write settling", |state| {
        state.later(Duration::from_mins(3), replace_an_old_pod);
        state.later(Duration::from_mins(4), |state| {
            assert!(closed(state).is_superset(&addresses(state, Color::Blue)));
            assert!(!addresses(state, Color::Blue).is_empty());
        });
    });
    scenario.promote().await;
    let waits = scenario.events.waits();
    assert!(waits.iter().any(|wait| wait.starts_with("Jobs of blue")));
    rests(&scenario, Color::Green).await;
}

/// What failed is looked at for a while.
#[tokio::test(start_paused = true)]
async fn it_follows_the_old_pods_while_what_failed_stays() {
    let mut group = walled(given::hello());
    group.strategy.keep_failed = Duration::from_mins(10);
    let scenario = Scenario::ready_for_green(group).await;
    scenario.world.run("greets", Run::exits(1));
    scenario.world.when("write aborting", |state| {
        state.later(Duration::from_mins(3), replace_an_old_pod);
        state.later(Duration::from_mins(4), |state| {
            assert!(!addresses(state, Color::Green).is_empty());
            assert_eq!(closed(state), outside(state, Color::Blue));
        });
    });
    scenario.abort().await;
    rests(&scenario, Color::Blue).await;
}

/// Nobody follows them any more once it is promoted.
#[tokio::test(start_paused = true)]
async fn it_goes_even_if_old_pods_do_not() {
    let scenario = Scenario::ready_for_green(walled(given::hello())).await;
    scenario.world.meddle(|state| {
        state.script.drains.insert("hello-a".to_owned(), None);
    });
    let outcome = scenario.promote().await;
    let told = &outcome.reasons[0].text;
    assert!(told.contains("old pods do not end"), "{told}");
    {
        let state = scenario.world.state();
        assert!(!addresses(&state, Color::Blue).is_empty());
        assert_eq!(state.names("NetworkPolicy"), [""; 0]);
    }

    // It ends, even if the cluster refuses.
    let scenario = Scenario::ready_for_green(walled(given::hello())).await;
    let error = ClusterError::Refused {
        action: "delete it".to_owned(),
        reason: "no".to_owned(),
    };
    scenario.world.fail("delete NetworkPolicy", 100_000, error);
    let outcome = scenario.promote().await;
    assert!(!outcome.reasons.is_empty());
    assert!(standing(&scenario.world.state()).is_some());
}

/// Whatever it is that ends it.
#[tokio::test(start_paused = true)]
async fn it_goes_with_the_candidate() {
    let scenario = ready().await;
    scenario.world.run("greets", Run::exits(1));
    scenario.abort().await;
    rests(&scenario, Color::Blue).await;

    let scenario = ready().await;
    let detached = scenario.detach().await;
    assert!(matches!(detached, Deployed::Detached(_)), "{detached:?}");
    assert!(standing(&scenario.world.state()).is_some());
    let engine = scenario.engine(&scenario.process(None));
    let undone = engine.undo(given::rollback("bob@desk"), CancellationToken::new());
    let undone = undone.await;
    assert!(matches!(undone, Ok(Undone::Ended(_))), "{undone:?}");
    rests(&scenario, Color::Blue).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_takes_down_ends_the_promotion() {
    type Deed = fn(&mut State);
    let cases: [(Deed, &str); 3] = [
        (
            |state| {
                state
                    .objects
                    .retain(|object, _| object.kind != "NetworkPolicy");
            },
            "NetworkPolicy master-green is gone",
        ),
        (
            |state| {
                state.edit("NetworkPolicy", "master-green", |wall| {
                    wall["spec"]["ingress"] = json!([{}]);
                });
            },
            "somebody changed NetworkPolicy master-green",
        ),
        (
            |state| {
                state.put(policy(
                    "open",
                    &json!({ "matchLabels": { "promoter.dev/app": "hello-b" } }),
                ));
            },
            "NetworkPolicy open came to select pods of app hello-b",
        ),
    ];
    for (deed, told) in cases {
        let scenario = ready().await;
        scenario.world.run("greets", Run::new(End::Never));
        scenario.world.when("create Job", move |state| {
            state.later(Duration::from_secs(20), deed);
        });
        let outcome = scenario.abort().await;
        assert_eq!(reasons(&outcome), [(ReasonKind::Gate, told)]);
        scenario.world.meddle(|state| {
            state.objects.retain(|object, _| object.name != "open");
        });
        rests(&scenario, Color::Blue).await;
    }
}

/// Once users are there, an old pod that calls them is no reason to take them back.
#[tokio::test(start_paused = true)]
async fn one_that_is_taken_down_later_is_put_up_again() {
    let scenario = ready().await;
    scenario.world.when("point hello-a to green", |state| {
        state.later(Duration::from_secs(20), |state| {
            state
                .objects
                .retain(|object, _| object.kind != "NetworkPolicy");
        });
        state.later(Duration::from_secs(25), |state| {
            assert_eq!(closed(state), outside(state, Color::Blue));
        });
    });
    scenario.promote().await;
    rests(&scenario, Color::Green).await;
}

/// Whoever changes it all the time is named, rather than waited for without end.
#[tokio::test(start_paused = true)]
async fn one_that_does_not_stay_as_it_is_made_ends_the_promotion() {
    let scenario = ready().await;
    scenario.world.meddle(|state| {
        let wall = ObjectRef::new("networking.k8s.io/v1", "NetworkPolicy", "master-green");
        state.script.added.insert(wall, json!({ "ingress": [{}] }));
    });
    let outcome = scenario.abort().await;
    let told = "somebody changed NetworkPolicy master-green";
    assert_eq!(reasons(&outcome), [(ReasonKind::Gate, told)]);
    rests(&scenario, Color::Blue).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_planned_beside_policies_of_others() {
    let scenario = ready().await;
    scenario.world.meddle(|state| {
        state.put(policy("closed", &json!({})));
        state.put(policy(
            "elsewhere",
            &json!({ "matchLabels": { "app": "other" } }),
        ));
        state.put(policy(
            "master-green",
            &json!({ "matchLabels": { "app": "other" } }),
        ));
    });
    let refused = scenario.deploy().await;
    let Err(EngineError::Propose(ProposeError::Refused(refusals))) = refused else {
        panic!("{refused:?}");
    };
    let subjects: Vec<_> = refusals.iter().map(|refusal| &refusal.subject).collect();
    assert_eq!(
        subjects,
        ["NetworkPolicy master-green", "NetworkPolicy closed"]
    );
    let pods = "selects pods of app hello-a, app hello-b, check greets,";
    assert!(refusals[1].reason.starts_with(pods), "{}", refusals[1]);
    // It is nobody's business without a wall.
    let mut scenario = scenario;
    scenario.group.strategy.isolation = Isolation::Pinning;
    scenario.promote().await;
}

/// The wall of what serves, as its promotion had it.
fn left_wall(scenario: &Scenario) -> Value {
    let state = scenario.world.state();
    let serving = state.record.serving.as_ref().unwrap();
    let wall = wall::wall(&state.plans[&serving.plan], &BTreeSet::new());
    wall.unwrap().0
}

/// What is left of a wall goes with the next promotion, whatever that asks for.
#[tokio::test(start_paused = true)]
async fn one_that_was_left_goes_next_time() {
    let mut scenario = ready().await;
    let left = left_wall(&scenario);
    scenario.world.meddle(|state| state.put(left));
    scenario.group.strategy.isolation = Isolation::Pinning;
    scenario.promote().await;
    rests(&scenario, Color::Green).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_was_left_goes_with_the_group() {
    let scenario = ready().await;
    let left = left_wall(&scenario);
    scenario.world.meddle(|state| {
        state.put(left);
        state.promises.outage_expected = true;
    });
    let engine = scenario.engine(&scenario.process(None));
    let removed = engine.remove("bob@desk", CancellationToken::new()).await;
    assert!(matches!(removed, Ok(Removed::Gone(_))), "{removed:?}");
    assert_eq!(scenario.world.state().names("NetworkPolicy"), [""; 0]);
}

/// What is adopted calls by the active Services, past any pinning.
#[tokio::test(start_paused = true)]
async fn what_is_adopted_gets_no_wall() {
    let mut scenario = adopted::standing();
    scenario.group.strategy.isolation = Isolation::NetworkPolicy;
    let refused = adopted::adopt(&scenario).await;
    let Err(EngineError::Propose(ProposeError::Refused(refusals))) = refused else {
        panic!("{refused:?}");
    };
    let [refusal] = refusals.as_slice() else {
        panic!("{refusals:?}");
    };
    assert!(refusal.reason.contains("is not pinned"), "{refusal}");
    assert!(refusal.hint.contains("\"pinning\""), "{}", refusal.hint);
    // What could not be given back is adopted still.
    scenario.group.strategy.isolation = Isolation::Pinning;
    adopted::cannot_be_given_back(&scenario).await;
    scenario.group.strategy.isolation = Isolation::NetworkPolicy;
    scenario.push_all();
    let refused = scenario.deploy().await;
    let Err(EngineError::Propose(ProposeError::Refused(again))) = refused else {
        panic!("{refused:?}");
    };
    assert!(again.contains(&refusals[0]), "{again:?}");
}
