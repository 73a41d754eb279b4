//! What a plan changes, without what nobody may see.

use promoter::plan::Plan;
use promoter::plan::color::Color;
use promoter::plan::diff::changes;
use promoter::plan::fingerprint::{PlanId, ReleaseId};
use proptest::prelude::*;

use crate::support::given::{self, check, manifest, templated};

/// An app with a Secret that its pods use, and one that they do not.
fn with_secrets(value: &str, more: &str) -> Plan {
    let value = serde_json::to_string(value).unwrap();
    let secrets = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: used}}\nstringData: {{password: {value}, {more} same: \"aaaaaa\"}}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: unused}}\nstringData: {{token: {value}}}"
    );
    let text = manifest("web", &secrets).replace(
        "image: \"{{ image }}\"",
        "image: \"{{ image }}\"\n          envFrom: [{secretRef: {name: used}}]",
    );
    // The template would read braces of a value as its own.
    let text = text.replace(&value, "{{ values.secret | tojson }}");
    let mut app = templated("web", &text);
    let plain = serde_json::from_str(&value).unwrap();
    app.values.insert("secret".to_owned(), plain);
    given::plan(&given::group(vec![app], vec![check("greets")]), Color::Blue)
}

#[test]
fn the_same_plan_changes_nothing() {
    let plan = given::plan(&given::hello(), Color::Blue);
    assert_eq!(changes(Some(&plan), &plan), []);
}

#[test]
fn a_first_plan_adds_everything() {
    let plan = given::plan(&given::hello(), Color::Blue);
    let found = changes(None, &plan);
    let objects: Vec<_> = found.iter().map(|change| change.object.as_str()).collect();
    assert_eq!(
        objects,
        [
            "Deployment hello-a-blue",
            "Service hello-a",
            "Service hello-a-blue",
            "Deployment hello-b-blue",
            "Service hello-b",
            "Service hello-b-blue"
        ]
    );
    assert!(
        found
            .iter()
            .all(|c| c.before.is_empty() && c.after.contains("apiVersion"))
    );
}

#[test]
fn only_what_changes_is_named_and_what_goes_is_named_too() {
    let mut group = given::hello();
    let before = given::plan(&group, Color::Blue);
    group.apps[0].replicas = Some(3);
    group.apps.pop();
    let found = changes(Some(&before), &given::plan(&group, Color::Blue));
    let objects: Vec<_> = found
        .iter()
        .map(|c| (c.object.as_str(), c.after.is_empty()))
        .collect();
    assert_eq!(
        objects,
        [
            ("Deployment hello-a-blue", false),
            ("Deployment hello-b-blue", true),
            ("Service hello-b", true),
            ("Service hello-b-blue", true)
        ]
    );
    assert!(found[0].before.contains("replicas: 2") && found[0].after.contains("replicas: 3"));
}

#[test]
fn a_secret_says_that_it_changes_and_not_how() {
    let found = changes(
        Some(&with_secrets("old-value", "")),
        &with_secrets("new-value", ""),
    );
    let of = |name: &str| {
        let object = found.iter().find(|change| change.object.starts_with(name));
        object.unwrap_or_else(|| panic!("{name} is not in {found:?}"))
    };
    let used = of("Secret used-");
    assert!(
        used.before.contains("password: '***'") || used.before.contains("password: \"***\""),
        "{}",
        used.before
    );
    assert!(used.after.contains("*** (changed)"), "{}", used.after);
    assert_eq!(
        used.after.matches("(changed)").count(),
        1,
        "only what changed: {}",
        used.after
    );
    assert!(of("Secret unused").after.contains("*** (changed)"));
}

proptest! {
    #![proptest_config(given::cases(32))]

    /// Promise 9, for whatever a Secret holds.
    #[test]
    fn no_value_of_a_secret_is_shown(old in "[!-~]{6,30}", new in "[!-~]{6,30}") {
        prop_assume!(!"aaaaaa".contains(&old) && !"aaaaaa".contains(&new));
        let (before, after) = (with_secrets(&old, ""), with_secrets(&new, "added: \"bbbbbb\","));
        for found in [changes(Some(&before), &after), changes(None, &after), changes(Some(&after), &given::plan(&given::hello(), Color::Blue))] {
            let shown = serde_json::to_string(&found).unwrap();
            let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
            let texts: Vec<String> = shown.as_array().unwrap().iter()
                .flat_map(|c| [c["before"].as_str().unwrap().to_owned(), c["after"].as_str().unwrap().to_owned()])
                .collect();
            for text in texts.iter().filter(|text| text.contains("kind: Secret")) {
                for value in [old.as_str(), new.as_str(), "aaaaaa", "bbbbbb"] {
                    prop_assert!(!text.contains(value), "{value} in {text}");
                }
            }
        }
    }
}

#[test]
fn ids_are_short_for_people() {
    let plan = given::plan(&given::hello(), Color::Blue);
    let (id, release): (PlanId, &ReleaseId) = (plan.id(), &plan.release);
    assert_eq!(id.short().len(), 12);
    assert_eq!(release.to_string(), release.short());
    assert!(id.as_ref().starts_with(id.short()));
}
