//! Groups, apps and checks, as small as a test can have them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use promoter::engine::undo::Wish;
use promoter::group::cloudwatch::CloudWatchRef;
use promoter::group::github::GithubRef;
use promoter::group::image::{Branch, RepositoryName, TagPattern};
use promoter::group::name::{AppName, CheckName, EnvironmentName, GroupName, Namespace};
use promoter::group::report::ReportFile;
use promoter::group::triggers::Triggers;
use promoter::group::{
    App, BranchImage, Check, CheckImage, ClusterRef, Environment, Group, Hook, Inline, Isolation,
    Manifest, Newest, OnRegression, Proof, RegistryRef, Report, Start, Strategy, Template,
    Untested, When,
};
use promoter::plan::color::Color;
use promoter::plan::config::ConfigKey;
use promoter::plan::image::{CheckImageRef, Digest, Resolved, ResolvedImage};
use promoter::plan::survey::{Node, Resources, Survey};
use promoter::plan::{Plan, Serving, planner};
use promoter::promotion::observed::PodState;
use promoter::promotion::request::Action;
use proptest::test_runner::{Config as ProptestConfig, RngSeed};

use super::registry::platform;

/// hello-a calls hello-b; one check, `greets`.
pub(crate) fn hello() -> Group {
    let mut caller = app("hello-a");
    caller.needs = vec![AppName::parse("hello-b").unwrap()];
    group(vec![caller, app("hello-b")], vec![check("greets")])
}

/// A group called `master` in the environment `v2`.
pub(crate) fn group(apps: Vec<App>, checks: Vec<Check>) -> Group {
    Group {
        name: GroupName::parse("master").unwrap(),
        environment: Environment {
            name: EnvironmentName::parse("v2").unwrap(),
            namespace: Namespace::parse("shop").unwrap(),
            cluster: ClusterRef::Context("test".to_owned()),
            cluster_domain: "cluster.local".to_owned(),
            untested: Untested::Refused,
            registry: RegistryRef::default(),
            github: GithubRef::default(),
            budget_guard: None,
            cloudwatch: CloudWatchRef::default(),
            values: BTreeMap::new(),
        },
        triggers: Triggers::default(),
        requires: Vec::new(),
        proof: Proof::Pushed,
        newest: Newest::Pushed,
        strategy: Strategy {
            on_regression: OnRegression::SwitchBack,
            parallel_checks: 4,
            isolation: Isolation::Pinning,
            keep_failed: Duration::ZERO,
            keep_old: Duration::from_secs(30),
            deploy_timeout: Duration::from_mins(5),
            // Checks do not begin early, so that each run says something.
            endpoint_delay: Duration::ZERO,
        },
        apps,
        checks,
        hooks: Vec::new(),
    }
}

/// An app without a manifest file, two pods on port 8080.
pub(crate) fn app(name: &str) -> App {
    App {
        name: AppName::parse(name).unwrap(),
        image: branch_image(name),
        manifest: Manifest::Inline(Inline::default()),
        port: Some(8080),
        replicas: Some(2),
        start: Start::Beside,
        needs: Vec::new(),
        values: BTreeMap::new(),
    }
}

/// An app, `web`, with checks `check-0` and so on that run at the same time, and
/// their names.
pub(crate) fn checked_at_once(number: usize) -> (Group, Vec<String>) {
    let names: Vec<_> = (0..number).map(|n| format!("check-{n}")).collect();
    let checks = names.iter().map(|name| check(name)).collect();
    let mut group = group(vec![app("web")], checks);
    group.strategy.parallel_checks = number;
    (group, names)
}

/// [`hello`], with a hook at each point: `migrate`, `warm`, `tell`.
pub(crate) fn hooked() -> Group {
    let mut group = hello();
    let hook = |when, name| Hook {
        when,
        job: check(name),
    };
    group.hooks = vec![
        hook(When::BeforeDeploy, "migrate"),
        hook(When::BeforeSwitch, "warm"),
        hook(When::AfterPromote, "tell"),
    ];
    group
}

/// [`hello`], with time to go back.
pub(crate) fn hello_with_window() -> Group {
    let mut group = hello();
    group.strategy.keep_old = Duration::from_mins(5);
    group
}

/// An app made from a YAML template.
pub(crate) fn templated(name: &str, text: &str) -> App {
    let template = Template {
        path: format!("manifests/{name}.yaml"),
        text: text.to_owned(),
    };
    App {
        manifest: Manifest::Template(template),
        ..app(name)
    }
}

/// hello-a, which is autoscaled, calls hello-b; one check, `greets`.
pub(crate) fn autoscaled(min: u32, max: u32) -> Group {
    let mut caller = templated(
        "hello-a",
        &manifest("hello-a", &autoscaler("hello-a", min, max)),
    );
    caller.replicas = None;
    caller.needs = vec![AppName::parse("hello-b").unwrap()];
    group(vec![caller, app("hello-b")], vec![check("greets")])
}

/// The plan that serves in blue, and the one that replaces it in green.
pub(crate) fn plans(group: &Group) -> (Plan, Plan) {
    let (old, mut new) = (plan(group, Color::Blue), plan(group, Color::Green));
    new.replaces = Some(Serving {
        color: Color::Blue,
        release: old.release.clone(),
        plan: old.id(),
    });
    (old, new)
}

/// What a person wishes who wants what served before back.
pub(crate) fn rollback(actor: &str) -> Wish {
    Wish {
        action: Action::Rollback,
        actor: actor.to_owned(),
        reason: None,
    }
}

/// An autoscaler of an app, as a manifest has it.
pub(crate) fn autoscaler(app: &str, min: u32, max: u32) -> String {
    format!(
        "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {app}}}
spec:
  minReplicas: {min}
  maxReplicas: {max}
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {app}}}
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 60}}}}}}]
"
    )
}

/// [`autoscaled`], with whatever else a manifest may bring. What both colours
/// share is another one with each image.
pub(crate) fn rich() -> Group {
    let more = "\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {image: \"{{ image }}\"}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: hello-a}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: hello-a}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: hello-a}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: hello-a, annotations: {image: \"{{ image }}\"}}
spec: {defaultBackend: {service: {name: hello-a, port: {number: 80}}}}
";
    let text = manifest("hello-a", &format!("{}{more}", autoscaler("hello-a", 2, 8)));
    let configured = "          envFrom: [{configMapRef: {name: settings}}]\n          image:";
    let mut group = autoscaled(2, 8);
    group.apps[0].manifest =
        templated("hello-a", &text.replace("          image:", configured)).manifest;
    group
}

/// [`hello`], with a worker that starts when it is promoted, and a nightly `CronJob`
/// of hello-b. Both take `settings` from a `ConfigMap`.
pub(crate) fn working() -> Group {
    let nightly = "\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: \"0 2 * * *\"
  jobTemplate:
    spec:
      template:
        metadata: {labels: {job: nightly}}
        spec:
          restartPolicy: Never
          containers:
            - {name: nightly, image: \"{{ image }}\", envFrom: [{configMapRef: {name: settings}}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {image: \"{{ image }}\"}
";
    let mut group = hello();
    group.apps[1] = templated("hello-b", &manifest("hello-b", nightly));
    group.apps.push(worker("worker"));
    group
}

/// A pod of a colour that is ready, named as its uid, of which nothing else is known.
pub(crate) fn running_pod(name: &str, color: Color, created_at: Timestamp) -> PodState {
    PodState {
        name: name.to_owned(),
        uid: name.to_owned(),
        app: None,
        check: None,
        color,
        promotion: String::new(),
        owner: None,
        phase: "Running".to_owned(),
        ready: true,
        unheard: false,
        unheard_at: None,
        node: None,
        addresses: Vec::new(),
        deleting: false,
        disrupted: None,
        reason: None,
        unschedulable: None,
        created_at,
        containers: Vec::new(),
    }
}

/// An app that nobody calls, of two pods that start when it is promoted.
pub(crate) fn worker(name: &str) -> App {
    App {
        port: None,
        start: Start::OnPromote,
        needs: vec![AppName::parse("hello-b").unwrap()],
        ..app(name)
    }
}

/// As many apps as it takes for things to be done at one go, with as many ports
/// as it takes for variables to be in a `ConfigMap`.
pub(crate) fn large() -> Group {
    let ports = "[{name: a, port: 80}, {name: b, port: 81}, {name: c, port: 82}]";
    let large = |n| {
        let name = format!("app-{n}");
        let text = manifest(&name, "").replace("[{port: 80, targetPort: 8080}]", ports);
        App {
            port: None,
            ..templated(&name, &text)
        }
    };
    let checks = (0..8).map(|n| check(&format!("check-{n}"))).collect();
    let mut group = group((0..8).map(large).collect(), checks);
    group.strategy.parallel_checks = 8;
    group
}

/// A manifest with a Deployment and a Service, and more documents behind.
pub(crate) fn manifest(name: &str, more: &str) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: {name}
          image: \"{{{{ image }}}}\"
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{port: 80, targetPort: 8080}}]
---
{more}"
    )
}

/// A group whose only app, `web`, is of this manifest.
pub(crate) fn web(manifest: &str) -> Group {
    group(vec![templated("web", manifest)], vec![check("greets")])
}

/// The manifest of `web`, with this name for its Service.
pub(crate) fn web_behind(service: &str) -> String {
    let named = |name: &str| format!("kind: Service\nmetadata: {{name: {name}}}");
    let manifest = manifest("web", "");
    assert!(manifest.contains(&named("web")));
    manifest.replace(&named("web"), &named(service))
}

/// The newest master image of a repository.
pub(crate) fn branch_image(repository: &str) -> BranchImage {
    BranchImage {
        repository: RepositoryName::parse(repository).unwrap(),
        branch: Branch::parse("master").unwrap(),
        tag: TagPattern::default(),
    }
}

/// A check in a fixed image, whose exit code counts.
pub(crate) fn check(name: &str) -> Check {
    Check {
        name: CheckName::parse(name).unwrap(),
        image: CheckImage::Image("registry.test/tests@sha256:0".to_owned()),
        command: Vec::new(),
        env: BTreeMap::new(),
        timeout: Duration::from_mins(1),
        start_timeout: Duration::from_mins(2),
        report: Report::None,
    }
}

/// A check whose TAP report counts as well.
pub(crate) fn tap(name: &str) -> Check {
    Check {
        report: Report::Tap,
        ..check(name)
    }
}

/// A check that leaves a `JUnit` report in a file.
pub(crate) fn junit(name: &str) -> Check {
    let file = ReportFile::parse("/reports/junit.xml").unwrap();
    Check {
        report: Report::Junit(file),
        ..check(name)
    }
}

/// Images as if each branch had been resolved to its first build.
pub(crate) fn resolved(group: &Group) -> Resolved {
    let image = |wanted: &BranchImage, n: u8| {
        let digest = Digest::parse(&format!("sha256:{}", format!("{n:02x}").repeat(32))).unwrap();
        ResolvedImage {
            repository: wanted.repository.clone(),
            reference: format!("registry.test/{}@{digest}", wanted.repository),
            branch: wanted.branch.clone(),
            tag: format!("{}-1-abc1234", wanted.branch),
            digest,
            build: 1,
            commit: Some("abc1234".to_owned()),
            pushed_at: jiff::Timestamp::UNIX_EPOCH,
            platforms: vec![platform("linux", "amd64")],
            warnings: Vec::new(),
        }
    };
    let mut resolved = Resolved::default();
    for (n, app) in (1..).zip(&group.apps) {
        resolved.apps.insert(app.name.clone(), image(&app.image, n));
    }
    for (n, check) in (101..).zip(&group.checks) {
        let of = match &check.image {
            CheckImage::Branch(wanted) => CheckImageRef::Resolved(image(wanted, n)),
            CheckImage::App(app) => CheckImageRef::Resolved(resolved.apps[app].clone()),
            CheckImage::Image(text) => CheckImageRef::Written(text.clone()),
        };
        resolved.checks.insert(check.name.clone(), of);
    }
    resolved
}

/// An empty namespace with one node.
pub(crate) fn survey() -> Survey {
    let node = Node {
        name: "node-1".to_owned(),
        platform: platform("linux", "amd64"),
        allocatable: Resources::default(),
        requested: Resources::default(),
    };
    Survey {
        namespace: Some(BTreeMap::new()),
        nodes: vec![node],
        config_key: Some(ConfigKey([7; 32])),
        ..Survey::default()
    }
}

/// The plan of a group in a colour, which nothing speaks against.
#[track_caller]
pub(crate) fn plan(group: &Group, color: Color) -> Plan {
    let draft = planner::draft(group, &resolved(group), &survey(), color);
    draft.unwrap_or_else(|refusals| panic!("{refusals:?}")).plan
}

/// Generated cases, the same ones in every run.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20_261_121),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
