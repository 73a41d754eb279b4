//! One app's objects in a colour.

use promoter::plan::color::Color;
use promoter::plan::label;
use promoter::plan::object::Object;
use promoter::plan::{AppPlan, Plan};
use serde_json::json;

use crate::support::given::{self, app, check, manifest, templated};

const MANIFEST: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {team: shop}}
spec:
  replicas: 7
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      topologySpreadConstraints:
        - {maxSkew: 1, labelSelector: {matchLabels: {app: web}}}
        - {maxSkew: 1, labelSelector: {matchLabels: {app: other}}}
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - {topologyKey: host, labelSelector: {matchLabels: {tier: front}}}
      containers: [{name: web, image: \"{{ image }}\"}]
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {external-dns.alpha.kubernetes.io/hostname: web.example.org}
  labels: {monitored: \"true\"}
spec:
  type: LoadBalancer
  selector: {app: web}
  sessionAffinity: ClientIP
  ipFamilyPolicy: PreferDualStack
  ipFamilies: [IPv4, IPv6]
  loadBalancerClass: expensive
  externalTrafficPolicy: Local
  externalIPs: [192.0.2.9]
  ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080, protocol: TCP, appProtocol: http}]
---
apiVersion: v1
kind: Service
metadata: {name: web-admin}
spec: {selector: {app: web, tier: front}, ports: [{port: 81}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: unused}
";

fn plan(color: Color) -> Plan {
    given::plan(
        &given::group(vec![templated("web", MANIFEST)], vec![check("greets")]),
        color,
    )
}

fn web(color: Color) -> AppPlan {
    plan(color).apps.remove(0)
}

#[test]
fn the_deployment_is_one_of_two() {
    let deployment = web(Color::Green).deployment;
    assert_eq!(deployment.name(), "web-green");
    assert_eq!(deployment.label("team"), Some("shop"));
    assert_eq!(
        deployment.at("/spec/replicas"),
        Some(&json!(2)),
        "the group's number wins"
    );
    let colored = json!({
        "app": "web",
        "promoter.dev/group": "master",
        "promoter.dev/app": "web",
        "promoter.dev/color": "green",
    });
    assert_eq!(deployment.at("/spec/selector/matchLabels"), Some(&colored));
    let mut pods = colored;
    pods["tier"] = "front".into();
    assert_eq!(deployment.at("/spec/template/metadata/labels"), Some(&pods));
}

#[test]
fn terms_about_its_own_pods_mean_those_of_its_color() {
    let deployment = web(Color::Green).deployment;
    let color = |pointer: &str| deployment.at(pointer).unwrap().get(label::COLOR).cloned();
    let spread = "/spec/template/spec/topologySpreadConstraints";
    assert_eq!(
        color(&format!("{spread}/0/labelSelector/matchLabels")),
        Some(json!("green"))
    );
    assert_eq!(
        color(&format!("{spread}/1/labelSelector/matchLabels")),
        None,
        "of another app"
    );
    let affinity = "/spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0";
    assert_eq!(
        color(&format!("{affinity}/labelSelector/matchLabels")),
        Some(json!("green"))
    );
}

#[test]
fn a_color_service_balances_and_does_nothing_else() {
    let service = &web(Color::Green).services[0];
    let mut colored = service.colored.clone();
    let spec = colored.0["spec"].take();
    assert_eq!(
        spec,
        json!({
            "type": "ClusterIP",
            "selector": { "app": "web", "promoter.dev/group": "master", "promoter.dev/color": "green" },
            "sessionAffinity": "ClientIP",
            "ipFamilyPolicy": "PreferDualStack",
            "ipFamilies": ["IPv4", "IPv6"],
            "ports": [{ "name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP", "appProtocol": "http" }],
        })
    );
    assert_eq!(colored.name(), "web-green");
    assert_eq!(
        colored.at("/metadata/annotations"),
        None,
        "it would be announced"
    );
    assert_eq!(colored.label("monitored"), None);
}

#[test]
fn the_users_services_stay_as_they_are_but_for_the_selector() {
    let app = web(Color::Green);
    assert_eq!(app.services.len(), 2, "all of them switch together");
    for service in &app.services {
        assert_eq!(service.active.at("/spec/selector"), None);
        assert_eq!(service.active.label(label::COLOR), None);
        assert_eq!(service.active.label(label::ROLE), Some("active"));
    }
    let active = &app.services[0].active;
    assert_eq!(active.at("/spec/ports/0/nodePort"), Some(&json!(30080)));
    assert!(
        active
            .annotation("external-dns.alpha.kubernetes.io/hostname")
            .is_some()
    );
    assert_eq!(app.services[1].selector["tier"], "front");
}

#[test]
fn a_budget_follows_its_color_and_what_is_shared_does_not() {
    let app = web(Color::Green);
    let [budget] = &app.colored[..] else {
        panic!("{:?}", app.colored)
    };
    assert_eq!(budget.name(), "web-green");
    assert_eq!(
        budget.at("/spec/selector/matchLabels/promoter.dev~1color"),
        Some(&json!("green"))
    );
    let [shared] = &app.shared[..] else {
        panic!("{:?}", app.shared)
    };
    assert_eq!(shared.name(), "unused", "no pod uses it, so its name stays");
    assert_eq!(shared.label(label::COLOR), None);
}

#[test]
fn nothing_of_one_color_has_the_name_of_the_other() {
    let shared = ["Service web", "Service web-admin", "ConfigMap unused"];
    let names = |color| -> Vec<String> {
        let all = plan(color)
            .inventory()
            .into_iter()
            .map(|object| object.to_string());
        all.filter(|name| !shared.contains(&name.as_str()))
            .collect()
    };
    let green = names(Color::Green);
    assert_eq!(green.len(), 4);
    assert!(names(Color::Blue).iter().all(|name| !green.contains(name)));
}

#[test]
fn everything_carries_the_groups_mark() {
    let plan = plan(Color::Blue);
    for object in plan.apps.iter().flat_map(promoter::plan::planner::objects) {
        assert!(object.is_owned_by("master"), "{}", object.reference());
        assert_eq!(object.label(label::APP), Some("web"));
        assert_eq!(
            object.label("app.kubernetes.io/managed-by"),
            Some("promoter")
        );
    }
}

#[test]
fn an_app_without_a_manifest() {
    let plan = given::plan(
        &given::group(vec![app("web")], vec![check("greets")]),
        Color::Blue,
    );
    let Object(deployment) = &plan.apps[0].deployment;
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["readinessProbe"]["tcpSocket"]["port"], 8080);
    assert_eq!(container["image"], plan.apps[0].image.reference.as_str());
    let ports = plan.apps[0].services[0].active.at("/spec/ports");
    assert_eq!(
        ports,
        Some(&json!([{ "name": "http", "port": 80, "targetPort": 8080 }]))
    );
    let mut worker = app("worker");
    worker.port = None;
    let plan = given::plan(
        &given::group(vec![worker], vec![check("greets")]),
        Color::Blue,
    );
    assert!(plan.apps[0].services.is_empty());
}

#[test]
fn a_manifest_in_json_and_as_a_list_is_the_same() {
    let yaml = manifest("web", "");
    let objects: Vec<serde_json::Value> = yaml
        .split("---\n")
        .filter(|document| !document.is_empty())
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let mut in_json = templated("web", &list.to_string().replace("\"\\\"{{", "\"{{"));
    let promoter::group::Manifest::Template(template) = &mut in_json.manifest else {
        panic!()
    };
    template.path = "manifests/web.json".to_owned();
    let of = |app| given::plan(&given::group(vec![app], vec![check("greets")]), Color::Blue).apps;
    assert_eq!(of(in_json), of(templated("web", &yaml)));
}

#[test]
fn a_cron_job_is_one_of_two_and_so_are_its_jobs() {
    let plan = given::plan(&given::working(), Color::Green);
    let app = &plan.apps[1];
    let cron = &app.crons[0];
    assert_eq!(cron.name(), "nightly-green");
    assert_eq!(cron.label(label::APP), Some("hello-b"));
    assert_eq!(cron.label(label::COLOR), Some("green"));
    let at = |pointer: &str| cron.at(&format!("/spec/jobTemplate{pointer}")).cloned();
    let of_job = json!({
        "promoter.dev/group": "master",
        "promoter.dev/app": "hello-b",
        "promoter.dev/color": "green",
        "promoter.dev/cron": "nightly",
    });
    assert_eq!(at("/metadata/labels"), Some(of_job));
    // Not the app's: they take none of its requests.
    let of_pods = json!({
        "job": "nightly",
        "promoter.dev/group": "master",
        "promoter.dev/color": "green",
        "promoter.dev/cron": "nightly",
    });
    assert_eq!(at("/spec/template/metadata/labels"), Some(of_pods));
    let container = at("/spec/template/spec/containers/0").unwrap();
    assert_eq!(container["image"], app.image.reference);
    let settings = app.config[0].name();
    assert!(settings.starts_with("settings-"));
    assert_eq!(container["envFrom"][0]["configMapRef"]["name"], settings);
    assert_eq!(app.shared, []);
}

#[test]
fn a_worker_keeps_its_number_of_pods_in_the_plan() {
    let plan = given::plan(&given::working(), Color::Green);
    let worker = &plan.apps[2];
    assert_eq!((worker.replicas(), worker.services.len()), (2, 0));
    assert_eq!(
        plan.workers().map(|app| &app.name).collect::<Vec<_>>(),
        [&worker.name]
    );
}
