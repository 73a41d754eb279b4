//! Keeping the old colour, letting it go callers first, and tidying up.

use std::time::Duration;

use promoter::group::name::AppName;
use promoter::plan::color::Color;
use promoter::port::ClusterError;
use promoter::promotion::phase::Phase;
use serde_json::json;

use crate::support::given::{self, app, check, manifest, templated};
use crate::support::scenario::Scenario;
use crate::support::world::State;

/// `ConfigMaps` but those with the variables for Services.
fn configuration(state: &State) -> Vec<String> {
    let names = state.names("ConfigMap").into_iter();
    let others = names.filter(|name| !name.contains("-links-"));
    others.map(str::to_owned).collect()
}

/// Does something at the moment when an object of that name goes.
fn names_of_old_pods(state: &State, color: Color) -> Vec<String> {
    let pods = state.pods.iter().filter(|pod| pod.state.color == color);
    let apps = pods.filter_map(|pod| pod.state.app.as_ref());
    apps.map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn callers_go_before_callees() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    let drain = Some(Duration::from_secs(40));
    scenario
        .world
        .state()
        .script
        .drains
        .insert("hello-a".to_owned(), drain);
    scenario.forget();
    scenario
        .world
        .when("delete Deployment hello-b-blue", |state| {
            let left = names_of_old_pods(state, Color::Blue);
            assert_eq!(left, ["hello-b", "hello-b"], "old hello-a pods still call");
        });
    scenario.promote().await;
    let state = scenario.world.state();
    let callers = state.journal.first("delete Deployment hello-a-blue");
    assert!(callers < state.journal.first("delete Deployment hello-b-blue"));
    // The colour's next pods are led to by the same Services.
    assert!(state.journal.calls("delete Service").is_empty());
    let gone = scenario.events.of("old-gone");
    let gone: Vec<_> = gone
        .iter()
        .map(|fact| fact["app"].as_str().unwrap())
        .collect();
    assert_eq!(gone, ["hello-a", "hello-b"]);
    drop(state);
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn without_needs_apps_with_an_entrance_go_first() {
    let entrance = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}";
    let apps = vec![
        app("inner"),
        templated("outer", &manifest("outer", entrance)),
    ];
    let scenario = Scenario::new(given::group(apps, vec![check("greets")]));
    scenario.promote().await;
    scenario.push_all();
    scenario.promote().await;
    let state = scenario.world.state();
    let deleted = state.journal.calls("delete Deployment");
    assert_eq!(
        deleted,
        [
            "delete Deployment outer-blue",
            "delete Deployment inner-blue"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_old_color_is_kept_as_long_as_the_group_says() {
    for seconds in [10, 30, 3600] {
        let mut group = given::hello();
        group.strategy.keep_old = Duration::from_secs(seconds);
        let scenario = Scenario::new(group);
        scenario.promote().await;
        scenario.push_all();
        let clock = scenario.clock;
        let switched = std::sync::Arc::new(std::sync::Mutex::new(Duration::ZERO));
        let noted = std::sync::Arc::clone(&switched);
        scenario.world.when("write settling", move |_| {
            *noted.lock().unwrap() = clock.elapsed();
        });
        scenario
            .world
            .when("delete Deployment hello-a-blue", move |_| {
                let kept = clock
                    .elapsed()
                    .checked_sub(*switched.lock().unwrap())
                    .unwrap();
                assert_eq!(kept.as_secs(), seconds);
            });
        scenario.promote().await;
        let said = "keep_old: blue stays for an instant way back".to_owned();
        assert!(scenario.events.waits().contains(&said));
        scenario.rests_at(Some(Color::Green));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_where_nothing_served() {
    let mut group = given::hello();
    group.strategy.keep_old = Duration::from_hours(1);
    let scenario = Scenario::new(group);
    scenario.promote().await;
    assert!(scenario.clock.elapsed() < Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn old_pods_that_do_not_end_are_named() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    scenario
        .world
        .state()
        .script
        .drains
        .insert("hello-a".to_owned(), None);
    let outcome = scenario.promote().await;
    let told = &outcome.reasons[0].text;
    assert!(
        told.starts_with("promoted, but old pods do not end: hello-a-blue-"),
        "{told}"
    );
    let state = scenario.world.state();
    assert_eq!(
        state.names("Deployment"),
        ["hello-a-green", "hello-b-blue", "hello-b-green"]
    );
    assert_eq!(
        state.journal.calls("delete Deployment hello-b-blue"),
        [""; 0]
    );
}

#[tokio::test(start_paused = true)]
async fn candidate_pods_that_do_not_end_need_a_person_and_the_next_deploy_goes_on() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    scenario
        .world
        .state()
        .script
        .drains
        .insert("hello-a".to_owned(), None);
    scenario
        .world
        .run("greets", crate::support::simulate::Run::exits(1));
    let outcome = scenario.outcome().await;
    assert_eq!(outcome.phase, Phase::Failed);
    let told = &outcome.reasons.last().unwrap().text;
    assert!(
        told.contains("of the candidate these do not end: hello-a-green-"),
        "{told}"
    );
    scenario.world.meddle(|state| {
        state.script.drains.clear();
        state.pods.retain(|pod| !pod.state.deleting);
    });
    scenario.push_all();
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn an_app_that_left_the_group_goes_with_all_that_is_its_own() {
    let extra = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\ndata: {a: b}\n---\n\
                 apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk}\n---\n\
                 apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: leaver}\nspec: {minAvailable: 1}";
    let leaver = templated("leaver", &manifest("leaver", extra));
    let mut scenario = Scenario::new(given::group(
        vec![app("stayer"), leaver],
        vec![check("greets")],
    ));
    scenario.promote().await;
    let foreign = ["ConfigMap", "Secret", "Service"];
    scenario.world.meddle(|state| {
        for kind in foreign {
            let labels = json!({ "app.kubernetes.io/managed-by": "promoter", "app": "leaver" });
            let metadata = json!({ "name": "somebody-elses", "labels": labels });
            state.put(json!({ "apiVersion": "v1", "kind": kind, "metadata": metadata }));
        }
        // Another group's, which is promoter's as well.
        let labels = json!({ "promoter.dev/group": "other", "promoter.dev/role": "shared" });
        let metadata = json!({ "name": "another-groups", "labels": labels });
        state.put(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata }));
    });
    assert_eq!(
        scenario.world.state().names("PersistentVolumeClaim"),
        ["disk"]
    );
    scenario.group = given::group(vec![app("stayer")], vec![check("greets")]);
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    let state = scenario.world.state();
    assert_eq!(state.names("Deployment"), ["stayer-green"]);
    assert_eq!(
        state.names("PersistentVolumeClaim"),
        ["disk"],
        "data is never deleted"
    );
    assert_eq!(configuration(&state), ["another-groups", "somebody-elses"]);
    for kind in foreign {
        assert!(state.get(kind, "somebody-elses").is_some(), "{kind}");
    }
    assert!(state.get("PodDisruptionBudget", "leaver-blue").is_none());
}

#[tokio::test(start_paused = true)]
async fn the_serving_color_never_sees_the_candidates_configuration() {
    let group = |greeting: &str| {
        let config = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{greeting: {greeting}}}"
        );
        let text = manifest("web", &config).replace(
            "image: \"{{ image }}\"",
            "image: \"{{ image }}\"\n          envFrom: [{configMapRef: {name: settings}}]",
        );
        given::group(vec![templated("web", &text)], vec![check("greets")])
    };
    let mut scenario = Scenario::new(group("hi"));
    scenario.promote().await;
    let old = configuration(&scenario.world.state());
    assert_eq!(old.len(), 1);
    scenario.group = group("hello");
    let (name, both) = (old[0].clone(), 2);
    scenario.world.when("point web to green", move |state| {
        assert_eq!(
            state
                .get("ConfigMap", &name)
                .unwrap()
                .str_at("/data/greeting"),
            Some("hi")
        );
        assert_eq!(configuration(state).len(), both);
    });
    scenario.forget();
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    let state = scenario.world.state();
    let new = configuration(&state);
    assert_eq!(new.len(), 1);
    assert_ne!(new, old);
    // The variables for Services come first.
    let reference = "/spec/template/spec/containers/0/envFrom/1/configMapRef/name";
    let deployment = state.get("Deployment", "web-green").unwrap();
    assert_eq!(deployment.str_at(reference), Some(new[0].as_str()));
    let applied = state.journal.calls("apply ConfigMap");
    assert_eq!(
        applied,
        [format!("apply ConfigMap {}", new[0])],
        "the old one was left alone"
    );
}

#[tokio::test(start_paused = true)]
async fn plans_that_nobody_needs_are_dropped() {
    let scenario = Scenario::new(given::hello());
    for round in 1..8 {
        scenario.promote().await;
        scenario.push_all();
        let state = scenario.world.state();
        assert_eq!(
            state.plans.len(),
            round.min(5),
            "what serves and the last few before"
        );
        let newest_first: Vec<_> = state.record.outcomes.iter().map(|o| &o.promotion).collect();
        assert!(newest_first.is_sorted_by(|a, b| a > b));
    }
}

#[tokio::test(start_paused = true)]
async fn ten_outcomes_are_remembered() {
    let scenario = Scenario::new(given::hello());
    for _ in 0..12 {
        scenario.promote().await;
        scenario.push_all();
    }
    assert_eq!(scenario.world.state().record.outcomes.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn candidates_are_pinned_to_candidates() {
    let mut group = given::hello();
    group.apps[0].needs = vec![AppName::parse("hello-b").unwrap()];
    let scenario = Scenario::new(group);
    scenario.promote().await;
    scenario.push_all();
    scenario.world.when("point hello-a", |state| {
        let address = |name: &str| {
            let service = state.get("Service", name).unwrap();
            service.str_at("/spec/clusterIP").unwrap().to_owned()
        };
        for pod in state.pods.iter().filter(|pod| pod.state.color == Color::Green) {
            for app in ["hello-a", "hello-b"] {
                let alias = json!({
                    "ip": address(&format!("{app}-green")),
                    "hostnames": [app, format!("{app}.shop"), format!("{app}.shop.svc"), format!("{app}.shop.svc.cluster.local")],
                });
                let aliases = pod.spec["hostAliases"].as_array().unwrap();
                assert!(aliases.contains(&alias), "{} {aliases:?}", pod.state.name);
            }
        }
        let checked = state.pods.iter().any(|pod| pod.state.check.is_some());
        assert!(checked, "the check's pod was looked at as well");
    });
    scenario.promote().await;
}

#[tokio::test(start_paused = true)]
async fn pods_of_an_app_that_no_plan_knows_are_waited_for() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    let labels = json!({
        "promoter.dev/group": "master",
        "promoter.dev/app": "ghost",
        "promoter.dev/color": "blue",
        "promoter.dev/role": "colored",
    });
    scenario.world.meddle(|state| {
        state.put(json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "ghost-blue", "labels": labels },
            "spec": { "template": { "metadata": { "labels": labels }, "spec": {} } },
        }));
        let ghost = state.get("Deployment", "ghost-blue").unwrap().clone();
        state.made(&ghost);
        state
            .script
            .drains
            .insert("ghost".to_owned(), Some(Duration::from_mins(1)));
    });
    scenario.world.when("write promoted", |state| {
        assert_eq!(names_of_old_pods(state, Color::Blue), [""; 0]);
    });
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
}

/// A scenario in which a release of many apps replaces another.
async fn many_apps() -> (Scenario, Vec<String>) {
    let names: Vec<_> = (0..12).map(|n| format!("app-{n}")).collect();
    let apps = names.iter().map(|name| app(name)).collect();
    let checks = names.iter().map(|name| check(name)).collect();
    let scenario = Scenario::new(given::group(apps, checks));
    scenario.promote().await;
    scenario.push_all();
    scenario.forget();
    (scenario, names)
}

/// A server that is slow gives up, and a Role may be older than this.
#[tokio::test(start_paused = true)]
async fn many_objects_go_one_by_one_where_they_cannot_go_at_one_go() {
    let action = "delete Jobs".to_owned();
    let moved = ClusterError::Moved {
        action: action.clone(),
    };
    let reason = "no right".to_owned();
    for error in [moved, ClusterError::Forbidden { action, reason }] {
        let (scenario, names) = many_apps().await;
        scenario.world.fail("delete Jobs", 1, error);
        scenario.promote().await;
        let state = scenario.world.state();
        assert_eq!(state.journal.calls("delete Job ").len(), names.len());
        drop(state);
        scenario.rests_at(Some(Color::Green));
    }
}

#[tokio::test(start_paused = true)]
async fn many_objects_go_at_one_go() {
    let (scenario, names) = many_apps().await;
    let second = scenario.promote().await;
    let state = scenario.world.state();
    let deleted = |kind: &str| state.journal.calls(&format!("delete {kind}"));
    // These, and no others of the same names.
    assert_eq!(deleted("Deployment").len(), names.len());
    assert_eq!(
        deleted("Job"),
        [format!("delete Jobs of {}", second.promotion)]
    );
    drop(state);
    scenario.rests_at(Some(Color::Green));
}
