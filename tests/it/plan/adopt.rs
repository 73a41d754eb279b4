//! What stands before promoter as a plan, and why some of it cannot be adopted.

use promoter::group::name::AppName;
use promoter::group::{Group, Start};
use promoter::plan::adopt::{Adoption, Standing, adopt};
use promoter::plan::color::Color;
use promoter::plan::label;
use promoter::plan::object::Object;
use promoter::plan::planner;
use promoter::plan::refusal::Refusal;
use promoter::plan::taking::merged;
use serde_json::{Value, json};

use crate::support::given;
use crate::support::standing::{deployment, pod, replica_set, service};

const HASH: &str = "5d8f";

/// An app that runs.
fn running(app: &str) -> Vec<Value> {
    vec![
        deployment(app),
        replica_set(app, HASH),
        service(app),
        pod(app, HASH, 0),
        pod(app, HASH, 1),
    ]
}

fn adopted(group: &Group, standing: Vec<Value>) -> Result<Adoption, Vec<Refusal>> {
    let (apps, refusals) = planner::paint(
        group,
        &given::resolved(group),
        &given::survey(),
        Color::Blue,
    );
    assert!(refusals.is_empty(), "{refusals:?}");
    let standing = Standing(standing.into_iter().map(Object).collect());
    adopt(group, &apps, Color::Blue, &standing)
}

fn web(more: &str) -> Group {
    given::web(&given::manifest("web", more))
}

/// What is said once something of `web` is another.
fn changed(kind: &str, pointer: &str, value: Value) -> Vec<String> {
    let mut standing = running("web");
    let found = standing.iter_mut().find(|object| object["kind"] == kind);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = found.unwrap().pointer_mut(parent).unwrap();
    parent[key] = value;
    said(adopted(&web(""), standing))
}

fn said(adopted: Result<Adoption, Vec<Refusal>>) -> Vec<String> {
    let refusals = adopted.err().unwrap_or_default();
    for refusal in &refusals {
        assert!(!refusal.hint.is_empty(), "{refusal}: no word on what to do");
    }
    refusals.iter().map(ToString::to_string).collect()
}

#[test]
fn what_stands_is_planned_as_it_is() {
    let adoption = adopted(
        &given::hello(),
        [running("hello-a"), running("hello-b")].concat(),
    );
    let Adoption { plan, warnings } = adoption.unwrap();
    assert_eq!(warnings, [""; 0]);
    assert_eq!(plan.candidate, Color::Green);
    let names: Vec<_> = plan.apps.iter().map(|app| app.deployment.name()).collect();
    assert_eq!(names, ["hello-a", "hello-b"]);
    let callers_first = plan.teardown_order();
    let names = |level: &Vec<AppName>| level.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        callers_first.iter().map(names).collect::<Vec<_>>(),
        [["hello-a"], ["hello-b"]]
    );

    let service = &plan.apps[0].services[0];
    let selector = json!({ "app": "hello-a", label::TEMPLATE_HASH: HASH });
    assert_eq!(json!(service.selector), selector);
    assert_eq!(service.colored.name(), "hello-a-green");
    assert_eq!(service.colored.at("/spec/selector"), Some(&selector));
    assert_eq!(service.active.at("/spec/selector"), None);
    // The server's own words are no part of a plan.
    for field in ["/metadata/uid", "/metadata/generation", "/status"] {
        assert_eq!(plan.apps[0].deployment.at(field), None, "{field}");
    }
    let image = &plan.apps[0].image;
    assert_eq!(
        (image.tag.as_str(), &image.digest.hex()[62..]),
        ("old", "aa")
    );
}

#[test]
fn every_way_there_has_its_way_back() {
    let mut standing = running("web");
    standing.push(json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "name": "web", "uid": "s", "labels": { label::MANAGED_BY: "Helm" } },
    }));
    standing.push(json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": "web", "uid": "b" }, "spec": { "maxUnavailable": 1 },
    }));
    let more = "\
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
";
    let adoption = adopted(&web(more), standing.clone()).unwrap();
    let takings = adoption.plan.adopted.clone().unwrap().takings;
    let names: Vec<_> = takings
        .iter()
        .map(|taking| taking.object.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "Deployment web",
            "Service web",
            "ServiceAccount web",
            "PodDisruptionBudget web"
        ]
    );
    for taking in &takings {
        let found = standing.iter().cloned().map(Object);
        let found = found
            .into_iter()
            .find(|found| found.reference() == taking.object);
        let found = found.unwrap();
        assert!(taking.fits(&found), "{}", taking.object);
        let there = merged(&found, &taking.there);
        assert!(there.is_owned_by("master"), "{}", taking.object);
        assert_eq!(merged(&there, &taking.back), found);
    }
    // All of it is the plan's: an abort leaves it, and what passes takes its place.
    let inventory = adoption.plan.inventory();
    assert!(
        takings
            .iter()
            .all(|taking| inventory.contains(&taking.object))
    );
    let [warning] = adoption.warnings.as_slice() else {
        panic!("{:?}", adoption.warnings);
    };
    assert!(
        warning.starts_with(
            "ServiceAccount web is managed by Helm (app.kubernetes.io/managed-by: Helm): "
        ),
        "{warning}"
    );
}

#[test]
fn what_is_planned_then_is_seen_as_taken_over() {
    let adoption = adopted(&web(""), running("web")).unwrap();
    let mut survey = given::survey();
    survey.services = vec![Object(service("web"))];
    let survey = adoption.taken(survey);
    let [seen] = survey.services.as_slice() else {
        panic!("{:?}", survey.services);
    };
    assert!(adoption.plan.apps[0].services[0].is_followed_by(seen));
    let web = &AppName::parse("web").unwrap();
    assert_eq!(survey.ready(web), Some(2));
    // Nothing is in the way of the candidate any more.
    let group = self::web("");
    let draft = planner::draft(&group, &given::resolved(&group), &survey, Color::Blue);
    let plan = draft.unwrap_or_else(|refusals| panic!("{refusals:?}")).plan;
    assert_eq!(plan.replaces, Some(adoption.serving()));
}

#[test]
fn a_deployment_that_is_not_at_rest_is_refused() {
    let of_deployment = |pointer, value| changed("Deployment", pointer, value);
    let one = |pointer, value, reason: &str| {
        let expected = format!("app web, Deployment web: {reason}");
        assert_eq!(of_deployment(pointer, value), [expected], "{pointer}");
    };
    one(
        "/metadata/generation",
        json!(4),
        "is not rolled out: its last change was not begun yet",
    );
    one(
        "/status/readyReplicas",
        json!(1),
        "is not rolled out: of 2 pods 2 are new and 1 ready, and 2 stand",
    );
    one(
        "/status/replicas",
        json!(3),
        "is not rolled out: of 2 pods 2 are new and 2 ready, and 3 stand",
    );
    one(
        "/spec/replicas",
        json!(0),
        "asks for no pods, so nothing serves",
    );
    one("/spec/paused", json!(true), "is paused");
    one(
        "/metadata/deletionTimestamp",
        json!("2026-11-21T09:00:00Z"),
        "is being deleted",
    );
    one(
        "/metadata/labels",
        json!({ label::GROUP: "other" }),
        "belongs to group other of promoter already",
    );
    one(
        "/metadata/ownerReferences",
        json!([{ "kind": "Rollout", "name": "web" }]),
        "is owned by Rollout web, which would undo it",
    );
}

#[test]
fn a_service_that_cannot_be_narrowed_is_refused() {
    let of_service = |pointer, value, reason: &str| {
        let expected = format!("app web, Service web: {reason}");
        assert_eq!(changed("Service", pointer, value), [expected], "{pointer}");
    };
    of_service(
        "/spec/type",
        json!("ExternalName"),
        "is an ExternalName Service, which has no pods to switch",
    );
    of_service(
        "/spec/clusterIP",
        json!("None"),
        "is headless, so its callers keep pod addresses that no switch moves",
    );
    of_service(
        "/spec/selector",
        Value::Null,
        "has no selector, so somebody else says what it leads to",
    );
    of_service(
        "/spec/selector",
        json!({ "app": "web", label::TEMPLATE_HASH: HASH }),
        "selects by pod-template-hash, so that another tool leads it",
    );
    of_service(
        "/spec/selector",
        json!({ "app": "old" }),
        "does not lead to the pods of the app's Deployment",
    );
    of_service(
        "/metadata/labels",
        json!({ label::GROUP: "other" }),
        "belongs to group other of promoter already",
    );
}

#[test]
fn a_service_of_more_than_one_app_is_refused() {
    let mut standing = running("web");
    let mut other = pod("web", "another", 7);
    standing.push(other.clone());
    let reason = "app web, Service web: leads to pods of others too, such as web-another-7";
    assert_eq!(said(adopted(&web(""), standing.clone())), [reason]);
    // One that has ended takes no requests.
    other["status"]["phase"] = json!("Succeeded");
    *standing.last_mut().unwrap() = other;
    assert_eq!(said(adopted(&web(""), standing)), [""; 0]);
}

#[test]
fn what_scales_it_or_has_the_colours_name_is_refused() {
    let mut standing = running("web");
    standing.push(json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": "by-load" },
        "spec": { "scaleTargetRef": { "kind": "Deployment", "name": "web" } },
    }));
    let mut clash = service("web");
    clash["metadata"]["name"] = json!("web-green");
    standing.push(clash);
    // All at once, but for what is looked at only where pods stand.
    let said = said(adopted(&web(""), standing.clone()));
    let scaled = "app web, Deployment web: is scaled by HorizontalPodAutoscaler by-load, \
                  which would change it meanwhile";
    assert_eq!(said, [scaled]);
    standing.remove(5);
    let clash = "app web, Service web-green: has the name that Service web has for its green pods";
    assert_eq!(self::said(adopted(&web(""), standing)), [clash]);
}

#[test]
fn reasons_of_all_apps_are_told_at_once() {
    let mut standing = running("hello-b");
    standing[2]["spec"]["clusterIP"] = json!("None");
    let said = said(adopted(&given::hello(), standing));
    assert_eq!(
        said,
        [
            "app hello-a, Deployment hello-a: does not stand, so there is nothing to adopt",
            "app hello-b, Service hello-b: is headless, so its callers keep pod addresses that no switch moves",
        ]
    );
}

#[test]
fn without_a_service_there_is_nothing_to_narrow() {
    let mut standing = running("web");
    standing.remove(2);
    let plan = adopted(&web(""), standing).unwrap().plan;
    assert_eq!(plan.services().count(), 0);
    assert_eq!(plan.adopted.unwrap().takings.len(), 1);
}

#[test]
fn tools_that_would_fight_are_named() {
    let of = |metadata: Value| {
        let mut standing = running("web");
        let found = standing[0]["metadata"].as_object_mut().unwrap();
        found.extend(metadata.as_object().unwrap().clone());
        adopted(&web(""), standing).unwrap().warnings
    };
    for (metadata, told) in [
        (
            json!({ "annotations": { "meta.helm.sh/release-name": "shop" } }),
            "Deployment web is managed by Helm (meta.helm.sh/release-name: shop): ",
        ),
        (
            json!({ "labels": { "argocd.argoproj.io/instance": "shop" } }),
            "Deployment web is managed by Argo CD (argocd.argoproj.io/instance: shop): ",
        ),
        (
            json!({ "labels": { "kustomize.toolkit.fluxcd.io/name": "apps" } }),
            "Deployment web is managed by Flux (kustomize.toolkit.fluxcd.io/name: apps): ",
        ),
    ] {
        let warnings = of(metadata);
        let [warning] = warnings.as_slice() else {
            panic!("{warnings:?}");
        };
        assert!(warning.starts_with(told), "{warning}");
    }
    assert_eq!(of(json!({})), [""; 0]);
}

#[test]
fn fewer_pods_than_serve_are_warned_of() {
    let mut group = web("");
    group.apps[0].replicas = Some(1);
    let warnings = adopted(&group, running("web")).unwrap().warnings;
    assert_eq!(warnings, ["app web: 2 pods serve, and 1 will"]);
}

#[test]
fn what_takes_work_by_itself_is_not_adopted() {
    let mut group = web("");
    let without_service = given::manifest("web", "");
    let (deployment, _) = without_service.split_once("---\n").unwrap();
    group.apps[0] = given::templated("web", deployment);
    group.apps[0].start = Start::OnPromote;
    assert_eq!(
        said(adopted(&group, running("web"))),
        ["app web: starts when it is promoted, and what stands of it works"]
    );
    let nightly = "\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: \"0 2 * * *\", jobTemplate: {spec: {template: {spec: {}}}}}";
    let mut standing = running("web");
    assert_eq!(said(adopted(&web(nightly), standing.clone())), [""; 0]);
    let cron =
        json!({ "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": "nightly" } });
    standing.push(cron);
    assert_eq!(
        said(adopted(&web(nightly), standing)),
        ["app web, CronJob nightly: runs, and would go on beside the group's"]
    );
}
