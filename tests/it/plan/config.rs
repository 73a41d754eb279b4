//! Configuration is named by its content, wherever it is referred to.

use promoter::plan::config::{ConfigKey, name_by_content, rewrite_references};
use promoter::plan::object::Object;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::given;

const KEY: ConfigKey = ConfigKey([1; 32]);

fn named(object: Value, key: &ConfigKey) -> Object {
    let (objects, renames) = name_by_content(vec![Object(object)], key);
    assert_eq!(renames.values().collect::<Vec<_>>(), [objects[0].name()]);
    objects.into_iter().next().unwrap()
}

fn settings(value: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "settings" },
        "data": { "greeting": value },
    })
}

#[test]
fn the_name_says_what_is_inside_to_those_who_have_the_key() {
    let one = named(settings("hi"), &KEY);
    assert_eq!(one, named(settings("hi"), &KEY));
    assert_ne!(one.name(), named(settings("hello"), &KEY).name());
    assert_ne!(
        one.name(),
        named(settings("hi"), &ConfigKey([2; 32])).name()
    );
    let mut secret = settings("hi");
    secret["kind"] = "Secret".into();
    assert_ne!(one.name(), named(secret, &KEY).name());
    let (base, hash) = one.name().rsplit_once('-').unwrap();
    assert_eq!((base, hash.len()), ("settings", 8));
    assert_eq!(one.at("/immutable"), Some(&json!(true)));
    assert!(!format!("{KEY:?}").contains('1'), "the key is never shown");
}

#[test]
fn every_field_of_content_counts() {
    let base = || {
        json!({
            "kind": "Secret",
            "metadata": { "name": "s" },
            "type": "Opaque",
            "data": { "a": "YQ==" },
            "stringData": { "b": "b" },
            "binaryData": { "c": "Yw==" },
        })
    };
    let name = named(base(), &KEY).name().to_owned();
    for field in ["/type", "/data/a", "/stringData/b", "/binaryData/c"] {
        let mut changed = base();
        *changed.pointer_mut(field).unwrap() = "other".into();
        assert_ne!(named(changed, &KEY).name(), name, "{field}");
    }
    let mut labelled = base();
    labelled["metadata"]["labels"] = json!({ "a": "b" });
    assert_eq!(named(labelled, &KEY).name(), name, "labels are no content");
}

#[test]
fn references_are_rewritten_wherever_they_stand() {
    let mut secret = settings("x");
    secret["kind"] = "Secret".into();
    let (_, renames) = name_by_content(vec![Object(settings("x")), Object(secret)], &KEY);
    let container = json!({
        "name": "c",
        "envFrom": [
            { "configMapRef": { "name": "settings" } },
            { "secretRef": { "name": "settings" } },
            { "configMapRef": { "name": "others" } },
        ],
        "env": [
            { "name": "a", "valueFrom": { "configMapKeyRef": { "name": "settings", "key": "k" } } },
            { "name": "b", "valueFrom": { "secretKeyRef": { "name": "settings", "key": "k" } } },
            { "name": "settings", "value": "settings" },
        ],
    });
    let spec = json!({
        "containers": [container],
        "initContainers": [container],
        "imagePullSecrets": [{ "name": "settings" }],
        "volumes": [
            { "name": "settings", "configMap": { "name": "settings" } },
            { "name": "s", "secret": { "secretName": "settings" } },
            { "name": "p", "projected": { "sources": [
                { "configMap": { "name": "settings" } },
                { "secret": { "name": "settings" } },
            ] } },
            { "name": "e", "emptyDir": {} },
        ],
    });
    let mut workload = Object(json!({ "spec": { "template": { "spec": spec } } }));
    rewrite_references(&mut workload, &renames);
    let text = workload.0.to_string();
    let config = &renames[&("ConfigMap".to_owned(), "settings".to_owned())];
    let secret = &renames[&("Secret".to_owned(), "settings".to_owned())];
    assert_eq!(text.matches(config.as_str()).count(), 6);
    assert_eq!(text.matches(secret.as_str()).count(), 7);
    assert_eq!(
        text.matches("\"others\"").count(),
        2,
        "what is not ours stays"
    );
    // What only has the name, but is no reference, stays as well.
    assert_eq!(text.matches("\"settings\"").count(), 5);
}

proptest! {
    #![proptest_config(given::cases(100))]

    /// A name stays within what the API takes, and is the same for the same content.
    #[test]
    fn names_follow_content(one in ".{0,20}", other in ".{0,20}") {
        let (first, second) = (named(settings(&one), &KEY), named(settings(&other), &KEY));
        prop_assert_eq!(first.name() == second.name(), one == other);
    }
}
