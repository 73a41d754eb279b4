//! What is refused before anything is made, and all of it at once.

use promoter::engine::EngineError;
use promoter::engine::propose::{Proposal, ProposeError};
use promoter::plan::color::Color;
use promoter::plan::object::ObjectRef;
use promoter::port::ClusterError;
use promoter::port::registry::{RegistryError, Said};
use promoter::promotion::ReasonKind;
use promoter::promotion::record::GroupRecord;
use serde_json::json;

use crate::support::given::{self, check, manifest, templated, web, web_behind};
use crate::support::scenario::{Scenario, reasons};

/// The refusals of a deploy, one per line, which has changed nothing.
async fn refusals(scenario: &Scenario) -> String {
    scenario.forget();
    let refused = match scenario.deploy().await {
        Err(EngineError::Propose(ProposeError::Refused(refused))) => refused,
        other => panic!("not refused: {other:?}"),
    };
    let state = scenario.world.state();
    for verb in ["create", "apply", "delete", "point", "store plan", "write"] {
        assert_eq!(state.journal.calls(verb), [""; 0]);
    }
    assert!(state.lease.is_none(), "the lock was not given back");
    let lines: Vec<_> = refused.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_service_of_somebody_else_that_would_get_candidates() {
    let scenario = Scenario::new(given::hello());
    scenario.world.meddle(|state| {
        for (name, selector) in [
            ("metrics", json!({ "app.kubernetes.io/name": "hello-b" })),
            ("other", json!({ "app.kubernetes.io/name": "other" })),
            ("external", json!({})),
        ] {
            state.put(json!({
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": { "name": name },
                "spec": { "selector": selector },
            }));
        }
    });
    assert_eq!(
        refusals(&scenario).await,
        "Service metrics: is not of this group and selects the pods of app hello-b"
    );
}

/// What `promoter plan` shows.
async fn proposal(scenario: &Scenario) -> Proposal {
    let engine = scenario.engine(&scenario.process(None));
    let sources = scenario.sources(scenario.registry.as_ref());
    engine.propose(sources, &scenario.group).await.unwrap()
}

/// Users are at it, and would be led to the candidate.
#[tokio::test(start_paused = true)]
async fn a_service_of_users_that_has_the_name_of_a_colours() {
    let plain = manifest("web", "");
    let mut scenario = Scenario::new(web(&web_behind("web-blue")));
    scenario.promote().await;
    scenario.push_all();
    scenario.group = web(&plain);
    // The other colour is next, and its Service has another name.
    proposal(&scenario).await;
    scenario.group = web(&web_behind("web-blue"));
    scenario.promote().await;
    scenario.push_all();
    scenario.group = web(&plain);
    let said = "app web, Service web-blue: has the name of a Service that users are at";
    assert_eq!(refusals(&scenario).await, said);
}

/// Pods are led by it, and users would be led elsewhere.
#[tokio::test(start_paused = true)]
async fn a_service_that_has_the_name_of_one_that_leads_pods() {
    let plain = manifest("web", "");
    let mut scenario = Scenario::new(web(&plain));
    for _ in 0..2 {
        scenario.group = web(&plain);
        scenario.promote().await;
        scenario.push_all();
        scenario.group = web(&web_behind("web-blue"));
        assert_eq!(
            refusals(&scenario).await,
            "app web, Service web-blue: has the name of a Service by which pods of a colour call each other"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn two_services_of_one_name_in_either_colour() {
    for (color, said) in [
        ("blue", "app web, Service web-blue: is also made by app web"),
        (
            "green",
            "app web, Service web-green: has the name that Service web has for its green pods",
        ),
    ] {
        let second = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: web-{color}}}\n\
             spec: {{selector: {{app: web}}, ports: [{{port: 81}}]}}\n"
        );
        let scenario = Scenario::new(web(&manifest("web", &second)));
        assert_eq!(refusals(&scenario).await, said);
    }
}

#[tokio::test(start_paused = true)]
async fn objects_of_somebody_else_and_of_other_managers() {
    let mut group = given::hello();
    group.checks.push(check("smokes"));
    let scenario = Scenario::new(group);
    scenario.world.meddle(|state| {
        state.put(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": "hello-a" },
            "spec": { "selector": { "app.kubernetes.io/name": "hello-a" } },
        }));
        let manager = "helm: .spec.ports".to_owned();
        let service = ObjectRef::new("v1", "Service", "hello-b");
        state.script.conflicts.insert(service, manager);
        let deployment = ObjectRef::new("apps/v1", "Deployment", "hello-b-blue");
        state
            .script
            .refused
            .insert(deployment, "spec.x: unknown field".to_owned());
    });
    assert_eq!(
        refusals(&scenario).await,
        "app hello-a, Service hello-a: is there already and is not promoter's\n\
         app hello-b, Deployment hello-b-blue: the cluster refuses it: spec.x: unknown field\n\
         app hello-b, Service hello-b: another field manager owns what the manifest sets: helm: .spec.ports"
    );
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_comes_up_later_aborts_and_names_the_manager() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    scenario.world.when("apply Service hello-b-green", |state| {
        let service = ObjectRef::new("v1", "Service", "hello-b-green");
        state
            .script
            .conflicts
            .insert(service, "helm: .spec.ports".to_owned());
    });
    let outcome = scenario.abort().await;
    let said = "failed to apply Service hello-b-green: helm: .spec.ports";
    assert_eq!(reasons(&outcome), [(ReasonKind::Apply, said)]);
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_the_group_at_once() {
    let statefulset = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}";
    let mut headless = manifest("app-b", "");
    headless.push_str("apiVersion: v1\nkind: Service\nmetadata: {name: b-peers}\nspec: {clusterIP: None, selector: {app: app-b}}");
    let apps = vec![
        templated("app-a", &manifest("app-a", statefulset)),
        templated("app-b", &headless),
        templated("app-c", "kind: Deployment\nmetadata: {name: {{ nobody }}}"),
    ];
    let scenario = Scenario::new(given::group(apps, vec![check("greets")]));
    scenario.world.meddle(|state| {
        state.namespace = Some([("istio-injection".to_owned(), "enabled".to_owned())].into());
    });
    let told = refusals(&scenario).await;
    let starts: Vec<_> = told
        .lines()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        starts,
        [
            "namespace shop",
            "app app-a, StatefulSet db",
            "app app-b, Service b-peers",
            "app app-c"
        ]
    );
    assert!(told.contains("manifests/app-c.yaml:2: "), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_quota_without_room_for_a_second_color() {
    let scenario = Scenario::new(given::hello());
    scenario.world.meddle(|state| {
        state.quotas.push(promoter::plan::survey::Quota {
            name: "small".to_owned(),
            left: [("pods".to_owned(), 4)].into(),
        });
    });
    assert_eq!(
        refusals(&scenario).await,
        "quota small: has no room for a second colour (pods: 5 needed, 4 left)"
    );
}

#[tokio::test(start_paused = true)]
async fn an_image_for_other_nodes() {
    let scenario = Scenario::new(given::hello());
    scenario.registry.runs_on("linux", "arm64");
    let told = refusals(&scenario).await;
    assert!(
        told.contains("is for linux/arm64, the nodes are linux/amd64"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_deleted_with_its_plans_does_not_take_users_down() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    scenario.world.meddle(|state| {
        state.record = GroupRecord::default();
        state.plans.clear();
    });
    let told = refusals(&scenario).await;
    for object in ["Service hello-a", "Deployment hello-b-blue"] {
        assert!(told.contains(&format!("{object}: serves, but")), "{told}");
    }
    let state = scenario.world.state();
    assert_eq!(state.names("Deployment"), ["hello-a-blue", "hello-b-blue"]);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_does_not_answer() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.registry.fail(RegistryError::Unreachable {
        source: Said("timeout".to_owned()),
    });
    scenario.forget();
    let error = scenario.deploy().await.unwrap_err();
    let EngineError::Propose(ProposeError::Resolve(errors)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(errors.len(), 2, "each app is named");
    scenario.rests_at(Some(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn branches_without_an_image_are_all_named() {
    let mut group = given::hello();
    for app in &mut group.apps {
        app.image.branch = promoter::group::image::Branch::parse("nobody/pushed").unwrap();
    }
    let mut scenario = Scenario::new(given::hello());
    scenario.group = group;
    let error = scenario.deploy().await.unwrap_err();
    let EngineError::Propose(ProposeError::Resolve(errors)) = error else {
        panic!("{error:?}");
    };
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["hello-a", "hello-b"].map(|app| format!(
            "failed to find the image of app `{app}`: branch `nobody/pushed` of repository `{app}`"
        ))
    );
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_not_there() {
    let scenario = Scenario::new(given::hello());
    scenario.world.meddle(|state| state.namespace = None);
    assert_eq!(refusals(&scenario).await, "namespace shop: does not exist");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_does_not_answer_while_planning() {
    let scenario = Scenario::new(given::hello());
    let refused = ClusterError::Forbidden {
        action: "list Services".to_owned(),
        reason: "no".to_owned(),
    };
    scenario.world.fail("survey", 1, refused.clone());
    let error = scenario.deploy().await.unwrap_err();
    assert!(matches!(
        error,
        EngineError::Propose(ProposeError::Cluster(found)) if found == refused
    ));
    scenario.rests_at(None);
}

#[tokio::test(start_paused = true)]
async fn a_stored_plan_that_was_deleted_does_not_take_users_down() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    scenario.world.meddle(|state| state.plans.clear());
    let told = refusals(&scenario).await;
    assert!(told.contains("the plan of what serves"), "{told}");
    let state = scenario.world.state();
    assert_eq!(state.names("Deployment"), ["hello-a-blue", "hello-b-blue"]);
}

#[tokio::test(start_paused = true)]
async fn an_active_service_that_would_reach_candidates_is_put_right_first() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    scenario.push_all();
    // What a plain apply of the user's own manifest makes of it.
    scenario.world.meddle(|state| {
        state.edit("Service", "hello-a", |service| {
            let selector = service["spec"]["selector"].as_object_mut().unwrap();
            selector.retain(|label, _| !label.starts_with("promoter.dev/"));
        });
    });
    scenario.promote().await;
    scenario.rests_at(Some(Color::Green));
    let repaired = scenario.events.of("repaired");
    assert_eq!(repaired.len(), 1, "{repaired:?}");
    assert_eq!(repaired[0]["service"], "hello-a");
}

#[tokio::test(start_paused = true)]
async fn what_is_recorded_but_gone_is_not_up_to_date() {
    let scenario = Scenario::new(given::hello());
    scenario.promote().await;
    assert!(proposal(&scenario).await.is_up_to_date());
    scenario.world.meddle(|state| {
        let gone = ObjectRef::new("apps/v1", "Deployment", "hello-b-blue");
        state.objects.remove(&gone);
    });
    let proposal = proposal(&scenario).await;
    assert!(!proposal.is_up_to_date());
    let said = "recorded as serving, but gone: Deployment hello-b-blue";
    assert!(
        proposal.warnings.iter().any(|warning| warning == said),
        "{:?}",
        proposal.warnings
    );
}
