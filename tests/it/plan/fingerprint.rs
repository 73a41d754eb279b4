//! A fingerprint changes with every input, and with nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use promoter::group::name::{AppName, EnvironmentName, Namespace};
use promoter::group::{
    CheckImage, Group, Inline, Isolation, Manifest, Newest, Proof, Report, Start,
};
use promoter::plan::color::Color;
use promoter::plan::fingerprint;
use promoter::plan::image::Resolved;
use serde_json::json;

use crate::support::given::{self, app, check, manifest, templated};

fn group() -> Group {
    let mut first = app("hello-a");
    first.needs = vec![AppName::parse("hello-b").unwrap()];
    let second = templated("hello-b", &manifest("hello-b", ""));
    let mut own = check("own");
    own.image = CheckImage::Branch(given::branch_image("hello-tests"));
    given::group(vec![first, second], vec![check("greets"), own])
}

/// What of the hashes a change of the group, or of its images, moves.
fn moves(change: impl FnOnce(&mut Group, &mut Resolved)) -> (bool, bool) {
    let mut group = group();
    let mut images = given::resolved(&group);
    let before = fingerprint::of(&group, &images);
    change(&mut group, &mut images);
    let after = fingerprint::of(&group, &images);
    (before.0 != after.0, before.1 != after.1)
}

type Change = fn(&mut Group, &mut Resolved);

const RELEASE: [(&str, Change); 17] = [
    ("when an app starts", |g, _| {
        g.apps[0].start = Start::OnPromote;
    }),
    ("the environment's name", |g, _| {
        g.environment.name = EnvironmentName::parse("v3").unwrap();
    }),
    ("a digest", |_, r| {
        let other = r
            .checks
            .values()
            .find_map(|c| c.resolved())
            .unwrap()
            .digest
            .clone();
        r.apps.values_mut().next().unwrap().digest = other;
    }),
    ("a template", |g, _| {
        let Manifest::Template(template) = &mut g.apps[1].manifest else {
            panic!()
        };
        template.text.push('\n');
    }),
    ("an app's value", |g, _| {
        drop(g.apps[0].values.insert("a".into(), json!(1)));
    }),
    ("an environment's value", |g, _| {
        drop(g.environment.values.insert("a".into(), json!(1)));
    }),
    ("env", |g, _| {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        g.apps[0].manifest = Manifest::Inline(Inline {
            env,
            resources: None,
        });
    }),
    ("resources", |g, _| {
        let resources = Some(json!({ "limits": { "cpu": 1 } }));
        g.apps[0].manifest = Manifest::Inline(Inline {
            env: BTreeMap::new(),
            resources,
        });
    }),
    ("the way it is made", |g, _| {
        g.apps[1].manifest = Manifest::Inline(Inline::default());
    }),
    ("a port", |g, _| g.apps[0].port = Some(81)),
    ("no port", |g, _| g.apps[0].port = None),
    ("replicas", |g, _| g.apps[0].replicas = Some(9)),
    ("needs", |g, _| g.apps[0].needs.clear()),
    ("the namespace", |g, _| {
        g.environment.namespace = Namespace::parse("other").unwrap();
    }),
    ("the cluster's domain", |g, _| {
        g.environment.cluster_domain = "other.local".into();
    }),
    ("an app less", |g, _| drop(g.apps.pop())),
    ("an app's name", |g, r| {
        let name = AppName::parse("hello-c").unwrap();
        let image = r.apps.remove(&g.apps[0].name).unwrap();
        r.apps.insert(name.clone(), image);
        g.apps[0].name = name;
    }),
];

const CHECKS: [(&str, Change); 10] = [
    ("a check less", |g, _| drop(g.checks.pop())),
    ("a command", |g, _| {
        g.checks[0].command = vec!["npm".into(), "test".into()];
    }),
    ("a check's env", |g, _| {
        drop(g.checks[0].env.insert("A".into(), "1".into()));
    }),
    ("a timeout", |g, _| {
        g.checks[0].timeout = Duration::from_secs(61);
    }),
    ("a start timeout", |g, _| {
        g.checks[0].start_timeout = Duration::from_secs(61);
    }),
    ("a report", |g, _| g.checks[0].report = Report::Tap),
    ("a report in a file", |g, _| {
        g.checks[0].report = given::junit("x").report;
    }),
    ("a check's image", |_, r| {
        let app = r.apps.values().next().unwrap().clone();
        let check = r.checks.values_mut().next().unwrap();
        *check = promoter::plan::image::CheckImageRef::Resolved(app);
    }),
    ("what keeps the colours apart", |g, _| {
        g.strategy.isolation = Isolation::NetworkPolicy;
    }),
    ("how long the old colour stays", |g, _| {
        g.strategy.keep_old = Duration::from_secs(31);
    }),
];

const NOTHING: [(&str, Change); 9] = [
    ("the deploy's deadline", |g, _| {
        g.strategy.deploy_timeout = Duration::from_secs(1);
    }),
    ("required groups", |g, _| g.requires.push(g.name.clone())),
    ("what shows that images are good", |g, _| {
        g.proof = Proof::GithubChecks;
    }),
    ("which image is the newest", |g, _| {
        g.newest = Newest::MovingTag;
    }),
    ("a template's path", |g, _| {
        let Manifest::Template(template) = &mut g.apps[1].manifest else {
            panic!()
        };
        template.path = "elsewhere.yaml".into();
    }),
    ("a warning", |_, r| {
        r.apps
            .values_mut()
            .next()
            .unwrap()
            .warnings
            .push("x".into());
    }),
    ("when it was pushed", |_, r| {
        r.apps.values_mut().next().unwrap().pushed_at = jiff::Timestamp::MAX;
    }),
    ("another tag of the same digest", |_, r| {
        r.apps.values_mut().next().unwrap().tag = "x-2".into();
    }),
    ("platforms", |_, r| {
        r.apps.values_mut().next().unwrap().platforms.clear();
    }),
];

#[test]
fn what_runs_changes_release_and_fingerprint() {
    for (what, change) in RELEASE {
        assert_eq!(moves(change), (true, true), "{what}");
    }
}

#[test]
fn what_proves_it_changes_the_fingerprint_alone() {
    for (what, change) in CHECKS {
        assert_eq!(moves(change), (true, false), "{what}");
    }
}

#[test]
fn nothing_else_changes_anything() {
    for (what, change) in NOTHING {
        assert_eq!(moves(change), (false, false), "{what}");
    }
}

#[test]
fn words_of_a_command_do_not_run_together() {
    let of = |words: &[&str]| {
        let mut group = group();
        group.checks[0].command = words.iter().map(|word| (*word).to_owned()).collect();
        fingerprint::of(&group, &given::resolved(&group)).0
    };
    assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    assert_ne!(of(&["a b"]), of(&["a", "b"]));
}

#[test]
fn the_color_is_no_input_but_part_of_the_plan() {
    let (blue, green) = (
        given::plan(&group(), Color::Blue),
        given::plan(&group(), Color::Green),
    );
    assert_eq!(blue.fingerprint, green.fingerprint);
    assert_eq!(blue.release, green.release);
    assert_ne!(blue.id(), green.id());
}

/// Promise 10: the hash of known inputs never changes by itself. Should this
/// fail, every group would be promoted again by an upgrade of promoter.
#[test]
fn known_inputs_have_known_hashes() {
    let group = group();
    let (fingerprint, release) = fingerprint::of(&group, &given::resolved(&group));
    insta::assert_snapshot!(format!("{} {}", fingerprint.as_ref(), release.as_ref()), @"1683c522d4ebb4aaa967c5ca8c0e9ae1661b26909d9104d0bfaca7c95ea07194 4b9d861cdefeb3159b744da8c87d6201ce5e3b36444a7cb91a1dea15052e817a");
}
