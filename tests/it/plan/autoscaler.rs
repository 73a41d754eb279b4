//! An app's `HorizontalPodAutoscaler` in a colour, and those that are refused.

use promoter::group::Group;
use promoter::plan::capacity::capacity;
use promoter::plan::color::Color;
use promoter::plan::diff::changes;
use promoter::plan::fingerprint::ReleaseId;
use promoter::plan::planner::{self, Draft};
use promoter::plan::survey::{StandingDeployment, Survey};
use promoter::plan::{Plan, Serving, label};
use serde_json::{Value, json};

use crate::support::given::{self, autoscaler, check, manifest, templated};

fn web(more: &str) -> Group {
    let mut app = templated("web", &manifest("web", more));
    app.replicas = None;
    given::group(vec![app], vec![check("greets")])
}

/// Blue serves with so many pods that take requests.
fn serving(live: &Plan, ready: u32) -> Survey {
    let release: ReleaseId = serde_json::from_value("r".into()).unwrap();
    let deployment = StandingDeployment {
        name: "web-blue".to_owned(),
        ready,
        deleting: false,
    };
    let services = live.services().map(|service| {
        let mut active = service.active.clone();
        active.0["spec"]["selector"] = json!(service.selector);
        active
    });
    Survey {
        serving: Some(Serving {
            color: Color::Blue,
            release,
            plan: live.id(),
        }),
        live: Some(live.clone()),
        deployments: vec![deployment],
        services: services.collect(),
        ..given::survey()
    }
}

#[track_caller]
fn draft(group: &Group, survey: &Survey) -> Draft {
    let draft = planner::draft(group, &given::resolved(group), survey, Color::Green);
    draft.unwrap_or_else(|refusals| panic!("{refusals:?}"))
}

#[test]
fn it_scales_the_deployment_of_its_color_and_no_replicas_are_written_down() {
    let plan = given::plan(&web(&autoscaler("web", 2, 8)), Color::Green);
    let app = &plan.apps[0];
    let found = &app.autoscaler.as_ref().unwrap().object;
    assert_eq!(found.name(), "web-green");
    assert_eq!(
        found.at("/spec/scaleTargetRef"),
        Some(&json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web-green" }))
    );
    assert!(found.is_owned_by("master"));
    assert_eq!(found.label(label::COLOR), Some("green"));
    assert_eq!(found.label(label::APP), Some("web"));
    assert_eq!(found.label(label::ROLE), Some("colored"));
    assert_eq!(found.at("/spec/maxReplicas"), Some(&json!(8)));
    assert_eq!(app.deployment.at("/spec/replicas"), None);
    assert!(plan.inventory().contains(&found.reference()));
    assert!(planner::objects(app).any(|object| object == found));
}

#[test]
fn the_first_version_is_written_as_the_second() {
    let first = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n\
                 spec: {minReplicas: 2, maxReplicas: 8, targetCPUUtilizationPercentage: 60, \
                 scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}";
    let of = |more: &str| {
        given::plan(&web(more), Color::Blue)
            .apps
            .remove(0)
            .autoscaler
    };
    assert_eq!(of(first), of(&autoscaler("web", 2, 8)));
}

#[test]
fn those_that_two_colors_cannot_have() {
    let fine = autoscaler("web", 2, 8);
    let changed = |from: &str, to: &str| {
        assert!(fine.contains(from), "{from}");
        fine.replace(from, to)
    };
    let hidden =
        "metadata: {name: web, annotations: {autoscaling.alpha.kubernetes.io/behavior: x}}";
    let cases = [
        (
            changed("name: web}\n  metrics", "name: other}\n  metrics"),
            "does not scale the app's Deployment",
        ),
        (
            changed("kind: Deployment", "kind: StatefulSet"),
            "does not scale the app's Deployment",
        ),
        (
            changed("apps/v1", "example.org/v1"),
            "does not scale the app's Deployment",
        ),
        (
            changed("minReplicas: 2", "minReplicas: 0"),
            "may scale to no pods, so nothing would serve",
        ),
        (
            changed("minReplicas: 2", "minReplicas: two"),
            "may scale to no pods, so nothing would serve",
        ),
        (
            changed("minReplicas: 2", "minReplicas: 9"),
            "maxReplicas (8) is below minReplicas (9)",
        ),
        (changed("  maxReplicas: 8\n", ""), "has no maxReplicas"),
        (
            changed("autoscaling/v2", "autoscaling/v2beta2"),
            "its version autoscaling/v2beta2 cannot be carried over",
        ),
        (
            changed("autoscaling/v2", "autoscaling/v1").replace("metadata: {name: web}", hidden),
            "its version autoscaling/v1 cannot be carried over",
        ),
    ];
    let refused = |more: &str| {
        let group = web(more);
        let drafted = planner::draft(
            &group,
            &given::resolved(&group),
            &given::survey(),
            Color::Blue,
        );
        drafted.expect_err("it was taken")
    };
    for (more, reason) in cases {
        let told: Vec<_> = refused(&more).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [format!("app web, HorizontalPodAutoscaler web: {reason}")]
        );
    }
    let two = format!(
        "{fine}---\n{}",
        fine.replace("{name: web}\nspec", "{name: more}\nspec")
    );
    let told: Vec<_> = refused(&two).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["app web: its manifest has 2 HorizontalPodAutoscalers"]
    );
}

#[test]
fn replicas_beside_it_are_only_where_the_first_promotion_starts() {
    let mut group = web(&autoscaler("web", 2, 8));
    group.apps[0].replicas = Some(5);
    let told =
        "app web: `replicas` only counts where nothing serves yet; after that its autoscaler rules";
    let first = draft(&group, &given::survey());
    assert_eq!(first.warnings, [told]);
    let app = &first.plan.apps[0];
    assert_eq!(app.deployment.at("/spec/replicas"), None);
    assert_eq!((app.count(None), app.count(Some(3))), (5, 3));
    group.apps[0].replicas = None;
    assert_eq!(draft(&group, &given::survey()).warnings, [""; 0]);
}

#[test]
fn a_number_of_pods_that_changes_is_said_beforehand() {
    let scaled = |max| web(&autoscaler("web", 2, max));
    let live = given::plan(&scaled(8), Color::Blue);
    let warnings = |group: &Group, ready| draft(group, &serving(&live, ready)).warnings;
    assert_eq!(warnings(&scaled(8), 7), [""; 0]);
    assert_eq!(
        warnings(&scaled(4), 7),
        ["app web: 7 pods serve, but its autoscaler allows 4 from now on"]
    );
    assert_eq!(
        warnings(&web(""), 7),
        ["app web: its autoscaler goes; 7 pods serve, and 1 will"]
    );
}

#[test]
fn the_second_color_takes_the_room_of_what_serves() {
    let live = given::plan(&web(&autoscaler("web", 2, 8)), Color::Blue);
    let survey = serving(&live, 7);
    let next = draft(&web(&autoscaler("web", 2, 8)), &survey).plan;
    assert_eq!(capacity(&next, &survey).needed.pods, 7 + 1, "and a check");
}

#[test]
fn only_what_the_manifest_says_of_it_is_a_change() {
    let of = |max| given::plan(&web(&autoscaler("web", 2, max)), Color::Blue);
    assert_eq!(changes(Some(&of(8)), &of(8)), []);
    let objects = |found: &[promoter::plan::diff::Change]| -> Vec<String> {
        found.iter().map(|change| change.object.clone()).collect()
    };
    let named = "HorizontalPodAutoscaler web-blue";
    assert_eq!(objects(&changes(Some(&of(8)), &of(9))), [named]);
    let plain = given::plan(&web(""), Color::Blue);
    assert_eq!(objects(&changes(Some(&of(8)), &plain)), [named]);
}

#[test]
fn a_stored_plan_from_before_there_were_any_is_read() {
    let plan = given::plan(&given::hello(), Color::Blue);
    let stored = serde_json::to_value(&plan).unwrap();
    let has = |app: &Value| app.get("autoscaler").is_some();
    assert!(!stored["apps"].as_array().unwrap().iter().any(has));
    assert_eq!(serde_json::from_value::<Plan>(stored).unwrap(), plan);
}
