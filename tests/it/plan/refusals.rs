//! What cannot be promoted blue/green is refused, with what to do instead.

use promoter::group::{Group, Isolation, Start};
use promoter::plan::Serving;
use promoter::plan::color::Color;
use promoter::plan::planner;
use promoter::plan::refusal::Refusal;
use promoter::plan::survey::Survey;
use serde_json::json;

use crate::support::given::{self, app, check, manifest, templated};

fn refused(group: &Group, survey: &Survey) -> Vec<Refusal> {
    match planner::draft(group, &given::resolved(group), survey, Color::Green) {
        Ok(_) => Vec::new(),
        Err(refusals) => refusals,
    }
}

/// What is said of an app with this manifest.
fn of_manifest(text: &str) -> Vec<Refusal> {
    let group = given::group(vec![templated("web", text)], vec![check("greets")]);
    refused(&group, &given::survey())
}

fn with(more: &str) -> Vec<Refusal> {
    of_manifest(&manifest("web", more))
}

#[track_caller]
fn one(refusals: &[Refusal], told: &str, hint: &str) {
    let [refusal] = refusals else {
        panic!("{refusals:?}");
    };
    assert_eq!(refusal.to_string(), told);
    assert!(refusal.hint.contains(hint), "{}", refusal.hint);
}

#[test]
fn kinds() {
    let refused = [
        ("apps/v1", "StatefulSet", "use a Deployment"),
        ("apps/v1", "DaemonSet", "use a Deployment"),
        ("apps/v1", "ReplicaSet", "use a Deployment"),
        ("v1", "ReplicationController", "use a Deployment"),
        ("v1", "Pod", "use a Deployment"),
        ("batch/v1", "Job", "[[check]]"),
        ("v1", "Namespace", "create it once"),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "outside the group",
        ),
        ("v1", "PersistentVolume", "outside the group"),
        (
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            "outside the group",
        ),
        (
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            "outside the group",
        ),
        ("storage.k8s.io/v1", "StorageClass", "outside the group"),
        ("networking.k8s.io/v1", "IngressClass", "outside the group"),
        ("scheduling.k8s.io/v1", "PriorityClass", "outside the group"),
        (
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "outside the group",
        ),
    ];
    for (api, kind, hint) in refused {
        let found = with(&format!(
            "apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}"
        ));
        one(
            &found,
            &format!("app web, {kind} x: cannot be promoted blue/green"),
            hint,
        );
    }
    let taken = [
        "v1 ServiceAccount",
        "v1 PersistentVolumeClaim",
        "networking.k8s.io/v1 Ingress",
        "rbac.authorization.k8s.io/v1 Role",
        "example.org/v1 Whatever",
        "v1 ConfigMap",
        "v1 Secret",
    ];
    for taken in taken {
        let (api, kind) = taken.split_once(' ').unwrap();
        let found = with(&format!(
            "apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}"
        ));
        assert_eq!(found, [], "{kind}");
    }
}

#[test]
fn cron_jobs_that_cannot_be_one_of_two() {
    let cron = |name: &str, api: &str, pods: &str| {
        with(&format!(
            "\
apiVersion: {api}
kind: CronJob
metadata: {{name: {name}}}
spec: {{schedule: \"0 2 * * *\", jobTemplate: {{spec: {{template: {pods}}}}}}}"
        ))
    };
    let fine = "{metadata: {labels: {job: x}}, spec: {}}";
    assert_eq!(cron(&"x".repeat(46), "batch/v1", fine), []);
    let long = "x".repeat(47);
    one(
        &cron(&long, "batch/v1", fine),
        &format!("app web, CronJob {long}: its name leaves no room for the colour"),
        "at most 46 characters",
    );
    one(
        &cron("x", "batch/v1beta1", fine),
        "app web, CronJob x: its version batch/v1beta1 cannot be carried over",
        "batch/v1",
    );
    one(
        &cron("x", "batch/v1", "{spec: {hostNetwork: true}}"),
        "app web, CronJob x: uses the host's network, where its calls are not kept to one colour",
        "leave hostNetwork out",
    );
    one(
        &cron("x", "batch/v1", "{metadata: {labels: {app: web}}}"),
        "app web, CronJob x: Service web would send requests to its pods",
        "other labels",
    );
}

#[test]
fn apps_that_start_when_they_are_promoted() {
    let of = |manifest: &str| {
        let mut group = given::web(manifest);
        group.apps[0].port = None;
        group.apps[0].start = Start::OnPromote;
        group
    };
    let (deployment, service) = {
        let manifest = manifest("web", "");
        let (deployment, service) = manifest.split_once("---\n").unwrap();
        (deployment.to_owned(), service.to_owned())
    };
    let said = |manifest: &str| refused(&of(manifest), &given::survey());
    assert_eq!(said(&deployment), []);
    one(
        &said(&format!("{deployment}---\n{service}")),
        "app web, Service web: would lead to no pod while the app waits for its promotion",
        "leave out `start",
    );
    let scaled = format!("{deployment}---\n{}", given::autoscaler("web", 1, 3));
    one(
        &said(&scaled),
        "app web, HorizontalPodAutoscaler web: cannot scale pods that start when they are promoted",
        "set `replicas`",
    );
    // What is stopped first may not be what users are at.
    let live = given::plan(&given::web(&manifest("web", "")), Color::Blue);
    let mut before = given::survey();
    before.serving = Some(Serving {
        color: Color::Blue,
        release: live.release.clone(),
        plan: live.id(),
    });
    let service = &live.apps[0].services[0];
    let mut active = service.active.clone();
    active.0["spec"]["selector"] = json!(service.selector);
    before.services.push(active);
    before.live = Some(live);
    one(
        &refused(&of(&deployment), &before),
        "app web: starts when it is promoted, but what serves of it takes requests by Service web",
        "promote it once",
    );
}

#[test]
fn services_that_cannot_be_kept_to_a_color() {
    let service = |spec: &str| {
        with(&format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: x}}\nspec: {{{spec}}}"
        ))
    };
    one(
        &service("clusterIP: None, selector: {app: web}"),
        "app web, Service x: a headless Service hands out pod addresses, which cannot be kept to one colour",
        "leave spec.clusterIP out",
    );
    one(
        &service("type: ExternalName, externalName: example.org"),
        "app web, Service x: an ExternalName Service has no pods to switch",
        "outside the group",
    );
    let said = "app web, Service x: its selector does not select the app's pods";
    one(
        &service("selector: {app: other}"),
        said,
        "labels of the Deployment's pod template",
    );
    one(
        &service("ports: [{port: 80}]"),
        said,
        "labels of the Deployment's pod template",
    );
    let long = "x".repeat(58);
    let found = with(&format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {long}}}\nspec: {{selector: {{app: web}}}}"
    ));
    one(
        &found,
        &format!("app web, Service {long}: its name leaves no room for the colour"),
        "57",
    );
}

#[test]
fn deployments_that_do_not_fit() {
    let text = manifest("web", "");
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        of_manifest(&text.replacen(from, to, 1))
    };
    one(
        &changed("metadata: {name: web}", "metadata: {name: shop}"),
        "app web, Deployment shop: is not named as the app",
        "name it web",
    );
    one(
        &changed("{{ image }}", "registry.test/web:latest"),
        "app web, Deployment web: no container runs the resolved image",
        "{{ image }}",
    );
    one(
        &changed(
            "      containers:",
            "      hostNetwork: true\n      containers:",
        ),
        "app web, Deployment web: uses the host's network, where two colours collide",
        "leave hostNetwork out",
    );
    one(
        &changed(
            "selector: {matchLabels: {app: web}}",
            "selector: {matchLabels: {app: shop}}",
        ),
        "app web, Deployment web: spec.selector.matchLabels does not select its own pod template",
        "",
    );
    one(
        &of_manifest("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}"),
        "app web: its manifest has 0 Deployments",
        "one app is one Deployment",
    );
    one(
        &of_manifest(&format!("{text}{text}").replacen("name: web", "name: webb", 0)),
        "app web: its manifest has 2 Deployments",
        "make further ones apps of their own",
    );
}

#[test]
fn manifests_that_cannot_be_read() {
    let told = |text: &str| {
        of_manifest(text)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let undefined = told("apiVersion: v1\nkind: {{ values.nobody }}");
    assert!(
        undefined.starts_with("app web: manifests/web.yaml:2: "),
        "{undefined}"
    );
    let endless =
        told("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}");
    assert!(
        endless.starts_with("app web: manifests/web.yaml"),
        "{endless}"
    );
    let broken = told("a: [");
    assert!(broken.contains("is not YAML once rendered"), "{broken}");
    let nameless = told("apiVersion: v1\nkind: ConfigMap");
    assert!(
        nameless.contains("lacks apiVersion, kind or metadata.name"),
        "{nameless}"
    );
    let elsewhere = with("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: other}");
    one(
        &elsewhere,
        "app web, ConfigMap x: names the namespace \"other\"",
        "leave metadata.namespace out",
    );
    assert_eq!(
        with("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: shop}"),
        []
    );
}

#[test]
fn objects_that_two_apps_make() {
    let shared = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: both}";
    let apps = vec![
        templated("one", &manifest("one", shared)),
        templated("two", &manifest("two", shared)),
    ];
    let found = refused(&given::group(apps, vec![check("greets")]), &given::survey());
    one(
        &found,
        "app two, ServiceAccount both: is also made by app one",
        "",
    );
}

#[test]
fn configuration_that_two_apps_share_is_one_object() {
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: both}\ndata: {a: b}";
    let using = |name: &str| {
        let text = manifest(name, config).replace(
            "image: \"{{ image }}\"",
            "image: \"{{ image }}\"\n          envFrom: [{configMapRef: {name: both}}]",
        );
        templated(name, &text)
    };
    let group = given::group(vec![using("one"), using("two")], vec![check("greets")]);
    let told: Vec<_> = refused(&group, &given::survey())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told, [""; 0]);
}

#[test]
fn namespaces() {
    let group = given::group(vec![app("web")], vec![check("greets")]);
    let of = |survey: &Survey| refused(&group, survey);
    let mut survey = given::survey();
    survey.namespace = None;
    one(
        &of(&survey),
        "namespace shop: does not exist",
        "promoter install",
    );
    for (mark, value, refused) in [
        ("istio-injection", "enabled", true),
        ("istio-injection", "disabled", false),
        ("istio.io/rev", "stable", true),
        ("linkerd.io/inject", "enabled", true),
        ("team", "shop", false),
    ] {
        let mut survey = given::survey();
        survey.namespace = Some([(mark.to_owned(), value.to_owned())].into());
        assert_eq!(!of(&survey).is_empty(), refused, "{mark}={value}");
    }
}

#[test]
fn services_in_the_namespace() {
    let group = given::group(vec![app("web")], vec![check("greets")]);
    let service = |name: &str, labels: serde_json::Value, selector: serde_json::Value| {
        promoter::plan::object::Object(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": name, "labels": labels },
            "spec": { "selector": selector },
        }))
    };
    let ours = json!({ "promoter.dev/group": "master", "promoter.dev/role": "active" });
    let pods = json!({ "app.kubernetes.io/name": "web" });
    let by_color = json!({ "promoter.dev/color": "green" });
    for (name, labels, selector, refused_too) in [
        ("foreign", json!({}), pods.clone(), true),
        ("every-green-pod", json!({}), by_color, true),
        (
            "not-these",
            json!({}),
            json!({ "app.kubernetes.io/name": "db" }),
            false,
        ),
        ("without-selector", json!({}), json!({}), false),
        // Reported once, as an object that is somebody else's.
        ("web", json!({}), pods.clone(), false),
        ("ours", ours.clone(), pods.clone(), false),
    ] {
        let mut survey = given::survey();
        survey.services = vec![service(name, labels, selector)];
        let found = refused(&group, &survey);
        assert_eq!(!found.is_empty(), refused_too, "{name}: {found:?}");
        assert!(
            found
                .iter()
                .all(|refusal| refusal.subject == format!("Service {name}"))
        );
    }
    let mut survey = given::survey();
    survey.services = vec![service(
        "web",
        ours,
        json!({ "promoter.dev/color": "blue" }),
    )];
    let found = refused(&group, &survey);
    one(
        &found,
        "Service web: serves, but the DeploymentGroup that says so is gone",
        "promoter resume",
    );
}

/// What keeps the colours apart, in this promotion or the next.
#[test]
fn a_policy_named_as_the_wall() {
    for color in ["green", "blue"] {
        let policy = format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
             metadata: {{name: master-{color}}}\nspec: {{podSelector: {{matchLabels: {{x: y}}}}}}"
        );
        let mut group = given::web(&manifest("web", &policy));
        assert_eq!(refused(&group, &given::survey()), []);
        group.strategy.isolation = Isolation::NetworkPolicy;
        let survey = Survey {
            policies: Some(Vec::new()),
            ..given::survey()
        };
        let told = format!(
            "NetworkPolicy master-{color}: has the name of a policy that keeps the colours apart"
        );
        one(&refused(&group, &survey), &told, "another name");
    }
}
