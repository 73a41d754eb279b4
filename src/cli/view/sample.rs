//! Things to show in tests.

use std::collections::BTreeMap;

use serde_json::json;

use super::line::width;
use crate::engine::propose::Proposal;
use crate::group::Report;
use crate::plan::capacity::Capacity;
use crate::plan::color::Color;
use crate::plan::diff::Change;
use crate::plan::image::ResolvedImage;
use crate::plan::object::{Object, ObjectRef};
use crate::plan::survey::Resources;
use crate::plan::taking::{Adopted, Taking};
use crate::plan::{AppPlan, CheckPlan, Plan, ServicePlan, Serving};
use crate::promotion::{Actor, Trigger};

/// A value from its JSON text.
pub(in crate::cli) fn from<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(json!(text)).unwrap()
}

/// Who asks.
pub(in crate::cli) fn actor() -> Actor {
    Actor {
        name: "ada@laptop".to_owned(),
        trigger: Trigger::Cli,
    }
}

/// Without colour.
pub(in crate::cli) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// A view says the same on narrow terminals, in lines that fit and without
/// broken words.
#[track_caller]
pub(in crate::cli) fn fits(view: impl Fn(usize) -> String) {
    let wide = plain(&view(usize::MAX));
    for columns in [60, 40] {
        let narrow = plain(&view(columns));
        for line in narrow.lines() {
            let words = line.split_whitespace().count();
            assert!(words == 1 || width(line) <= columns, "{columns}: {line}");
        }
        let words: Vec<_> = narrow.split_whitespace().collect();
        let lost = wide.split_whitespace().find(|word| !words.contains(word));
        assert_eq!(lost, None, "{columns}:\n{narrow}");
    }
}

/// An image of which everything follows from branch and build.
pub(in crate::cli) fn image(repository: &str, branch: &str, build: u64) -> ResolvedImage {
    let digest = format!("sha256:{build:04x}{:060x}", 0);
    ResolvedImage {
        repository: from(repository),
        reference: format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/{repository}@{digest}"),
        branch: from(branch),
        tag: format!("{branch}-{build}-{build:07x}"),
        digest: from(&digest),
        build,
        commit: Some(format!("{build:07x}")),
        pushed_at: "2026-11-20T21:04:59Z".parse().unwrap(),
        platforms: Vec::new(),
        warnings: Vec::new(),
    }
}

fn app(name: &str, build: u64) -> AppPlan {
    AppPlan {
        name: from(name),
        image: image(name, "master", build),
        needs: Vec::new(),
        deployment: Object(json!({ "kind": "Deployment", "metadata": { "name": name } })),
        services: Vec::new(),
        config: Vec::new(),
        colored: Vec::new(),
        autoscaler: None,
        start: crate::group::Start::Beside,
        crons: Vec::new(),
        shared: Vec::new(),
    }
}

/// A plan with these apps and builds, and a check.
pub(in crate::cli) fn plan(candidate: Color, apps: &[(&str, u64)]) -> Plan {
    let image = image("hello-tests", "master", 12);
    Plan {
        on_regression: crate::group::OnRegression::SwitchBack,
        requires: Vec::new(),
        source: None,
        adopted: None,
        hooks: Vec::new(),
        parallel_checks: 4,
        isolation: crate::group::Isolation::Pinning,
        format: Plan::FORMAT,
        group: from("master"),
        environment: from("v2"),
        namespace: from("hello"),
        cluster_domain: "cluster.local".to_owned(),
        release: from(&format!("{candidate}release0000000000")),
        fingerprint: from(&format!("{apps:?}")),
        candidate,
        replaces: None,
        apps: apps.iter().map(|(name, build)| app(name, *build)).collect(),
        checks: vec![CheckPlan {
            name: from("greets"),
            image: image.reference.clone(),
            source: format!("{} {}", image.branch, image.tag),
            job: Object(json!({})),
            timeout: std::time::Duration::from_mins(5),
            start_timeout: std::time::Duration::from_mins(2),
            report: Report::Tap,
        }],
        untested_allowed: false,
        keep_old: std::time::Duration::from_secs(30),
        deploy_timeout: std::time::Duration::from_mins(5),
        keep_failed: std::time::Duration::ZERO,
        endpoint_delay: std::time::Duration::from_secs(2),
    }
}

/// A proposal to adopt two apps, one of them with a Service and an Ingress.
pub(in crate::cli) fn adopting() -> Proposal {
    let taking = |kind: &str, name: &str| Taking {
        object: ObjectRef::new("v1", kind, name),
        uid: "1".to_owned(),
        generation: None,
        selector: BTreeMap::new(),
        there: json!({}),
        back: json!({}),
    };
    let object = |name: &str| Object(json!({ "kind": "Service", "metadata": { "name": name } }));
    let mut proposal = proposal();
    let mut live = plan(Color::Green, &[("hello-a", 41), ("hello-b", 7)]);
    live.apps[0].services.push(ServicePlan {
        active: object("hello-a"),
        selector: BTreeMap::new(),
        colored: object("hello-a-green"),
    });
    live.apps[0].needs = vec![live.apps[1].name.clone()];
    let takings = [
        ("Deployment", "hello-a"),
        ("Service", "hello-a"),
        ("Ingress", "hello-a"),
        ("Deployment", "hello-b"),
    ];
    live.adopted = Some(Adopted {
        takings: takings.map(|(kind, name)| taking(kind, name)).into(),
        sets: BTreeMap::new(),
    });
    proposal.plan.candidate = Color::Blue;
    proposal.plan.replaces = Some(serving(Color::Green));
    proposal.changes.clear();
    proposal.live = Some(live);
    proposal
}

/// A proposal that changes one image, leaves one app and removes one.
pub(in crate::cli) fn proposal() -> Proposal {
    let live = plan(Color::Blue, &[("hello-a", 41), ("hello-b", 7), ("old", 3)]);
    let mut next = plan(Color::Green, &[("hello-a", 42), ("hello-b", 7)]);
    next.replaces = Some(serving(Color::Blue));
    let yaml = |n: u64| {
        format!(
            "kind: Deployment\nmetadata:\n  name: hello-a-blue\nspec:\n  replicas: 2\n  template:\n    image: {n}\n    port: 1\n"
        )
    };
    let change = |app: &str, object: &str, before: String, after: String| Change {
        app: from(app),
        object: object.to_owned(),
        before,
        after,
    };
    Proposal {
        plan: next,
        live: Some(live),
        changes: vec![
            change("hello-a", "Deployment hello-a-blue", yaml(41), yaml(42)),
            change(
                "hello-a",
                "ConfigMap hello-a-12ab34cd",
                String::new(),
                "kind: ConfigMap\n".to_owned(),
            ),
            change(
                "old",
                "Deployment old-blue",
                "kind: Deployment\n".to_owned(),
                String::new(),
            ),
        ],
        capacity: Capacity {
            needed: Resources {
                pods: 5,
                cpu_millis: 500,
                memory: 512 << 20,
            },
            free: Resources {
                pods: 107,
                cpu_millis: 3600,
                memory: 7900 << 20,
            },
        },
        missing: Vec::new(),
        restraints: Vec::new(),
        warnings: vec!["hello-b: no label names the branch".to_owned()],
    }
}

/// What serves in a colour.
pub(in crate::cli) fn serving(color: Color) -> Serving {
    Serving {
        color,
        release: from(&format!("{color}release0000000000")),
        plan: from("plan"),
    }
}
