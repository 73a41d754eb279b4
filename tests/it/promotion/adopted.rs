//! A group that runs already is adopted: its first promotion is beside what stands,
//! which goes if that passes and is as it was found if it does not.

use std::sync::Arc;
use std::time::Duration;

use promoter::engine::adopt::GivenBack;
use promoter::engine::propose::ProposeError;
use promoter::engine::remove::Removed;
use promoter::engine::resume::Resumed;
use promoter::engine::undo::{Undone, Wish};
use promoter::engine::{Deployed, EngineError};
use promoter::plan::color::Color;
use promoter::plan::label;
use promoter::plan::object::{Object, ObjectRef};
use promoter::port::ClusterError;
use promoter::promotion::ReasonKind;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::{GroupRecord, Outcome};
use promoter::promotion::request::Action;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::given;
use crate::support::process::Process;
use crate::support::scenario::{Scenario, reasons};
use crate::support::simulate::Run;
use crate::support::world::State;

const APPS: [&str; 2] = ["hello-a", "hello-b"];

/// hello-a and hello-b run as somebody else made them; hello-a has an Ingress, which
/// the group's manifest describes as well.
pub(super) fn standing() -> Scenario {
    let mut group = given::hello_with_window();
    let ingress = "\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: hello-a, annotations: {image: \"{{ image }}\"}}
spec: {defaultBackend: {service: {name: hello-a, port: {number: 80}}}}
";
    let manifest = given::templated("hello-a", &given::manifest("hello-a", ingress)).manifest;
    group.apps[0].manifest = manifest;
    let scenario = Scenario::new(group);
    scenario.world.meddle(|state| {
        for app in APPS {
            state.stand(app);
        }
        state.put(json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": { "name": "hello-a", "labels": { label::MANAGED_BY: "Helm" } },
            "spec": {
                "ingressClassName": "outside",
                "defaultBackend": { "service": { "name": "hello-a", "port": { "number": 80 } } },
            },
        }));
    });
    scenario
}

/// `None`: the promoter was killed.
pub(super) async fn adopt_by(
    scenario: &Scenario,
    process: &Arc<Process>,
) -> Option<Result<Deployed, EngineError>> {
    let engine = scenario.engine(process);
    let never = CancellationToken::new();
    let adopted = engine.adopt(
        scenario.sources(process.as_ref()),
        &scenario.group,
        scenario.options(),
        never,
    );
    scenario.until_dead(process, Box::pin(adopted)).await
}

pub(super) async fn adopt(scenario: &Scenario) -> Result<Deployed, EngineError> {
    let adopted = adopt_by(scenario, &scenario.process(None)).await;
    adopted.expect("nobody kills it")
}

async fn outcome(scenario: &Scenario) -> Outcome {
    match adopt(scenario).await.unwrap() {
        Deployed::Ended { outcome, .. } => *outcome,
        other => panic!("not carried out: {other:?}"),
    }
}

/// Adopts, and dies with the first call that begins with these words.
async fn adopt_until(scenario: &Scenario, call: &str) {
    let process = scenario.process(None);
    let dying = Arc::clone(&process);
    scenario.world.when(call, move |_| dying.doom());
    let adopted = adopt_by(scenario, &process).await;
    assert!(adopted.is_none(), "{call} never came");
    scenario.world.meddle(|state| state.lease = None);
}

/// An object without what any write moves.
fn bare(object: &Object) -> Value {
    let mut bare = object.0.clone();
    bare["metadata"]["generation"] = Value::Null;
    if let Some(status) = bare.get_mut("status") {
        status["observedGeneration"] = Value::Null;
    }
    bare
}

/// What stood before promoter came is as it was then, and nothing else is there.
#[track_caller]
pub(super) fn is_as_found(scenario: &Scenario) {
    let (now, before) = (objects(scenario), objects(&standing()));
    assert_eq!(now, before);
    let labels = |scenario: &Scenario| {
        let state = scenario.world.state();
        let pods = state.pods.iter();
        pods.map(|pod| (pod.state.name.clone(), pod.labels.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(scenario), labels(&standing()));
    let state = scenario.world.state();
    assert_eq!(state.record.serving, None);
    assert_eq!(state.record.kept().count(), 0);
}

fn objects(scenario: &Scenario) -> Vec<(ObjectRef, Value)> {
    let state = scenario.world.state();
    let objects = state.objects.iter();
    objects
        .map(|(name, object)| (name.clone(), bare(object)))
        .collect()
}

fn stands(state: &State) -> [bool; 2] {
    APPS.map(|app| state.get("Deployment", app).is_some())
}

#[tokio::test(start_paused = true)]
async fn what_stands_goes_once_the_first_promotion_has_passed() {
    let scenario = standing();
    let outcome = outcome(&scenario).await;
    assert_eq!(outcome.phase, Phase::Promoted, "{:?}", outcome.reasons);
    assert_eq!(outcome.color, Color::Blue);
    scenario.rests_at(Some(Color::Blue));
    let state = scenario.world.state();
    assert_eq!(stands(&state), [false, false]);
    assert_eq!(state.record.kept().count(), 0, "it cannot be made again");
    // What others own of a shared object stays theirs.
    let ingress = state.get("Ingress", "hello-a").unwrap();
    assert_eq!(ingress.str_at("/spec/ingressClassName"), Some("outside"));
    assert!(ingress.annotation("image").is_some());
    // Callers first, and none before `keep_old` is over.
    let calls: Vec<_> = state
        .journal
        .0
        .iter()
        .map(|entry| entry.call.as_str())
        .collect();
    let place = |call: &str| calls.iter().position(|found| *found == call).unwrap();
    let [a, b] = ["hello-a", "hello-b"].map(|app| place(&format!("delete Deployment {app}")));
    let kept = place("write settling");
    assert!(kept < a && a < b, "{kept} {a} {b}");
}

#[tokio::test(start_paused = true)]
async fn it_serves_on_from_its_own_pods_alone_until_the_switch() {
    let scenario = standing();
    let ends = scenario.world.state().endpoints();
    adopt_until(&scenario, "create Job").await;
    let state = scenario.world.state();
    let now = state.endpoints();
    for app in APPS {
        assert_eq!(now[app], ends[app], "{app}");
        assert_eq!(now[&format!("{app}-green")], ends[app], "{app}");
        let deployment = state.get("Deployment", app).unwrap();
        assert_eq!(deployment.at("/spec/paused"), Some(&json!(true)));
        let selector = state.selector(app);
        assert_eq!(selector.get("app").map(String::as_str), Some(app));
        assert!(selector.contains_key(label::TEMPLATE_HASH));
    }
    assert_eq!(stands(&state), [true, true]);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_fails_leaves_all_as_it_was_found() {
    let scenario = standing();
    scenario.world.run("greets", Run::exits(1));
    let outcome = outcome(&scenario).await;
    assert_eq!(outcome.phase, Phase::Aborted);
    is_as_found(&scenario);
    scenario.rests_at(None);
    // What promoter itself narrowed and gave back is nobody's change.
    assert!(scenario.events.of("astray").is_empty());
    assert!(
        scenario.world.state().plans.is_empty(),
        "plans nobody needs"
    );
    // What failed is not tried again by itself, and adopting is no exception.
    let again = adopt(&scenario).await.unwrap();
    assert!(matches!(again, Deployed::Refused(_)), "{again:?}");
    is_as_found(&scenario);
    scenario.push_all();
    let next = self::outcome(&scenario).await;
    assert_eq!(next.phase, Phase::Promoted);
}

/// As [`standing`], with whatever else a manifest may bring standing already.
fn rich() -> Scenario {
    let mut group = given::rich();
    group.strategy.keep_old = Duration::from_mins(5);
    let scenario = Scenario::new(group);
    scenario.world.meddle(|state| {
        for app in APPS {
            state.stand(app);
        }
        let ingress = json!({ "defaultBackend": { "service": { "name": "hello-a" } } });
        let budget =
            json!({ "maxUnavailable": 1, "selector": { "matchLabels": { "app": "hello-a" } } });
        for (api, kind, spec) in [
            ("v1", "ServiceAccount", Value::Null),
            ("networking.k8s.io/v1", "Ingress", ingress),
            ("policy/v1", "PodDisruptionBudget", budget),
        ] {
            let metadata = json!({ "name": "hello-a" });
            state.put(
                json!({ "apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec }),
            );
        }
    });
    scenario
}

#[tokio::test(start_paused = true)]
async fn all_that_a_manifest_may_bring_is_taken_over_or_given_back() {
    let scenario = rich();
    let outcome = outcome(&scenario).await;
    assert_eq!(outcome.phase, Phase::Promoted, "{:?}", outcome.reasons);
    scenario.rests_at(Some(Color::Blue));
    // Two budgets for one pod would keep it from ever being evicted.
    {
        let state = scenario.world.state();
        assert_eq!(state.names("PodDisruptionBudget"), ["hello-a-blue"]);
    }

    let scenario = rich();
    let before = objects(&scenario);
    let (outcome, ()) = tokio::join!(self::outcome(&scenario), async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(
            scenario.world.state().selector("hello-a")[label::COLOR],
            "blue"
        );
        give_up(&scenario).await.unwrap();
    });
    assert_eq!(outcome.phase, Phase::Aborted);
    assert_eq!(objects(&scenario), before);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_the_manifests_do_not_know_is_refused() {
    let scenario = standing();
    scenario.world.meddle(|state| {
        let mut second = crate::support::standing::service("hello-a");
        second["metadata"] = json!({ "name": "second" });
        state.put(second);
    });
    let refused = adopt(&scenario).await.unwrap_err();
    let EngineError::Propose(ProposeError::Refused(refusals)) = refused else {
        panic!("{refused:?}");
    };
    let said: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["Service second: is not of this group and selects the pods of app hello-a"]
    );
}

#[tokio::test(start_paused = true)]
async fn it_can_be_aborted() {
    let scenario = standing();
    scenario.world.run("greets", Run::exits(0).lasts(50));
    let (outcome, undone) = tokio::join!(outcome(&scenario), async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        give_up(&scenario).await.unwrap()
    });
    assert_eq!(outcome.phase, Phase::Aborted);
    assert!(
        matches!(undone, GivenBack::Undone(Action::Abort, Undone::Ended(_))),
        "{undone:?}"
    );
    is_as_found(&scenario);
    let nothing = give_up(&scenario).await.unwrap();
    assert!(matches!(nothing, GivenBack::Nothing(_)), "{nothing:?}");
}

async fn give_up(scenario: &Scenario) -> Result<GivenBack, EngineError> {
    let engine = scenario.engine(&scenario.process(None));
    let never = CancellationToken::new();
    engine.give_up_adopted("bob@desk", None, never).await
}

#[tokio::test(start_paused = true)]
async fn inside_keep_old_it_goes_back_to_what_was_found() {
    for by_undo in [false, true] {
        let scenario = standing();
        let (outcome, ()) = tokio::join!(outcome(&scenario), async {
            tokio::time::sleep(Duration::from_mins(1)).await;
            assert_eq!(
                scenario.world.state().selector("hello-a")[label::COLOR],
                "blue"
            );
            if by_undo {
                give_up(&scenario).await.unwrap();
            } else {
                let engine = scenario.engine(&scenario.process(None));
                let never = CancellationToken::new();
                engine
                    .undo(given::rollback("bob@desk"), never)
                    .await
                    .unwrap();
            }
        });
        assert_eq!(outcome.phase, Phase::Aborted);
        assert_eq!(reasons(&outcome)[0].0, ReasonKind::RolledBack);
        is_as_found(&scenario);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_what_stands_gives_it_up() {
    let scenario = standing();
    scenario.world.when("create Job", |state| {
        state.edit("Deployment", "hello-b", |deployment| {
            deployment["spec"]["replicas"] = json!(3);
        });
    });
    let outcome = outcome(&scenario).await;
    assert_eq!(
        reasons(&outcome),
        [(
            ReasonKind::Gate,
            "somebody changed Deployment hello-b while it was adopted"
        )]
    );
    scenario.world.meddle(|state| {
        let spec = |deployment: &mut Value| deployment["spec"]["replicas"] = json!(2);
        state.edit("Deployment", "hello-b", spec);
    });
    is_as_found(&scenario);
}

#[tokio::test(start_paused = true)]
async fn a_change_right_before_it_is_taken_over_gives_it_up() {
    fn scale(state: &mut State) {
        state.edit("Deployment", "hello-b", |found| {
            found["spec"]["replicas"] = json!(3);
        });
    }
    fn mislead(state: &mut State) {
        state.promises.outage_expected = true;
        state.edit("Service", "hello-b", |found| {
            found["spec"]["selector"] = json!({ "x": "y" });
        });
    }
    let changes = [
        ("alter Deployment hello-a", scale as fn(&mut State)),
        ("alter Service hello-a", mislead),
    ];
    for (call, change) in changes {
        let scenario = standing();
        scenario.world.when(call, change);
        let outcome = outcome(&scenario).await;
        assert_eq!(outcome.phase, Phase::Aborted);
        let text = reasons(&outcome)[0].1;
        assert!(
            text.contains("hello-b over: it was changed by somebody else"),
            "{text}"
        );
        let state = scenario.world.state();
        for app in APPS {
            assert_eq!(
                state.get("Deployment", app).unwrap().at("/spec/paused"),
                None
            );
        }
        assert!(state.owned().is_empty(), "{:?}", state.owned());
    }
}

/// What stood before bears no colour in its Services' selectors.
#[tokio::test(start_paused = true)]
async fn what_somebody_led_users_back_to_stays() {
    let scenario = standing();
    let narrowed = json!({ "app": "hello-b", label::TEMPLATE_HASH: "h7" });
    scenario.world.when("write settling", |state| {
        state.edit("Service", "hello-b", |service| {
            service["spec"]["selector"] = narrowed;
        });
    });
    let outcome = outcome(&scenario).await;
    assert_eq!(outcome.phase, Phase::Promoted);
    let said = "promoted, but somebody pointed Service hello-b at green, which therefore stays";
    assert_eq!(reasons(&outcome), [(ReasonKind::Deploy, said)]);
    assert_eq!(stands(&scenario.world.state()), [true, true]);
}

/// A pod that comes in the place of another has no labels of promoter's.
#[tokio::test(start_paused = true)]
async fn a_pod_that_is_replaced_counts_as_what_can_be_gone_back_to() {
    let scenario = standing();
    scenario.world.when("write settling", |state| {
        let old = state
            .pods
            .iter()
            .position(|pod| pod.state.name == "hello-b-h7-0");
        state.pods.remove(old.unwrap());
        state.stand_pod("hello-b", "h7", 7);
    });
    let (outcome, ()) = tokio::join!(outcome(&scenario), async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        let labels = scenario
            .world
            .state()
            .pods
            .iter()
            .filter(|pod| pod.state.promotion == label::ADOPTED && pod.state.name == "hello-b-h7-7")
            .count();
        assert_eq!(labels, 1, "it was not labelled");
        give_up(&scenario).await.unwrap();
    });
    assert_eq!(outcome.phase, Phase::Aborted);
    let state = scenario.world.state();
    assert_eq!(state.pods.len(), 4, "two of each app");
    assert!(
        state
            .pods
            .iter()
            .all(|pod| !pod.labels.contains_key(label::GROUP))
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_later_drives_it_on() {
    for call in [
        "write deploying",
        "alter Deployment hello-b",
        "alter Pod",
        "apply Service hello-b-green",
        "alter Service hello-b",
        "alter Ingress",
    ] {
        let scenario = standing();
        adopt_until(&scenario, call).await;
        let engine = scenario.engine(&scenario.process(None));
        let resumed = engine
            .resume("bob@desk", CancellationToken::new())
            .await
            .unwrap();
        assert!(matches!(resumed, Resumed::Driven(_)), "{call}: {resumed:?}");
        scenario.rests_at(Some(Color::Blue));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_it_up_after_a_crash_gives_all_back() {
    for call in [
        "alter Deployment hello-b",
        "alter Service hello-b",
        "create Job",
    ] {
        let scenario = standing();
        adopt_until(&scenario, call).await;
        let engine = scenario.engine(&scenario.process(None));
        let wish = Wish {
            action: Action::Abort,
            actor: "bob@desk".to_owned(),
            reason: None,
        };
        let undone = engine.undo(wish, CancellationToken::new()).await.unwrap();
        assert!(matches!(undone, Undone::Ended(_)), "{call}: {undone:?}");
        is_as_found(&scenario);
    }
}

/// What is adopted fails its check, and the cluster refuses to give it back in time.
pub(super) async fn cannot_be_given_back(scenario: &Scenario) {
    scenario.world.run("greets", Run::exits(1));
    let refused = ClusterError::Refused {
        action: "change it".to_owned(),
        reason: "no".to_owned(),
    };
    scenario.world.when("write aborting", move |state| {
        state.script.faults.push(crate::support::world::Fault {
            start: "alter Service hello-b".to_owned(),
            error: refused,
            times: 100_000,
            done: false,
        });
    });
    let outcome = outcome(scenario).await;
    assert_eq!(outcome.phase, Phase::Failed);
    {
        let mut state = scenario.world.state();
        assert!(state.record.serving.is_some(), "it is adopted still");
        state.script.faults.clear();
    }
}

/// What the cluster refuses until the abort is over is given back by who comes later.
#[tokio::test(start_paused = true)]
async fn what_could_not_be_given_back_is_later() {
    let scenario = standing();
    cannot_be_given_back(&scenario).await;
    let process = scenario.process(None);
    let engine = scenario.engine(&process);
    let removed = engine.remove("bob@desk", CancellationToken::new()).await;
    assert_eq!(removed.unwrap(), Removed::Adopted, "it is not promoter's");
    assert_eq!(stands(&scenario.world.state()), [true, true]);
    let given_back = give_up(&scenario).await.unwrap();
    assert_eq!(given_back, GivenBack::Done);
    is_as_found(&scenario);
}

#[tokio::test(start_paused = true)]
async fn what_was_promoted_before_is_not_adopted() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    let refused = adopt(&scenario).await.unwrap_err();
    let EngineError::Propose(ProposeError::Refused(refusals)) = refused else {
        panic!("{refused:?}");
    };
    let [refusal] = refusals.as_slice() else {
        panic!("{refusals:?}");
    };
    assert!(
        refusal.reason.starts_with("was promoted before"),
        "{refusal}"
    );
    assert!(refusal.hint.contains("promoter deploy"), "{}", refusal.hint);
}

#[tokio::test(start_paused = true)]
async fn to_plan_it_changes_nothing() {
    let scenario = standing();
    let process = scenario.process(None);
    let engine = scenario.engine(&process);
    let proposal = engine
        .propose_adoption(scenario.sources(process.as_ref()), &scenario.group)
        .await
        .unwrap();
    let live = proposal.live.unwrap();
    assert_eq!(live.candidate, Color::Green);
    assert_eq!(live.apps[0].deployment.name(), "hello-a");
    assert_eq!(proposal.plan.candidate, Color::Blue);
    assert_eq!(proposal.plan.replaces.unwrap().plan, live.id());
    assert!(process.calls().iter().all(|entry| entry.epoch.is_none()));
    is_as_found(&scenario);
}

/// Without a record nobody knows what to give back, so nothing is touched.
#[tokio::test(start_paused = true)]
async fn a_lost_record_touches_nothing() {
    let scenario = standing();
    adopt_until(&scenario, "create Job").await;
    scenario
        .world
        .meddle(|state| state.record = GroupRecord::default());
    let before = objects(&scenario);
    let engine = scenario.engine(&scenario.process(None));
    let resumed = engine.resume("bob@desk", CancellationToken::new()).await;
    assert!(matches!(resumed, Err(EngineError::Unknown)), "{resumed:?}");
    let unstamped = |objects: Vec<(ObjectRef, Value)>| {
        let objects = objects.into_iter().map(|(name, mut object)| {
            object["metadata"]["annotations"] = Value::Null;
            (name, object)
        });
        objects.collect::<Vec<_>>()
    };
    assert_eq!(unstamped(objects(&scenario)), unstamped(before));
}
