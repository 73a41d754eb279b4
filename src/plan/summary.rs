//! What a plan was made from and what it made, as it is remembered.
//!
//! Input: a plan. Output: its images, checks and objects as text, without
//! secrets and without its colour, so that any two of a group can be compared
//! however long ago they were carried out. Nobody deploys by a summary.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::Plan;
use super::color::Color;
use super::diff::masked_yaml;
use super::fingerprint::Fingerprint;
use super::image::ResolvedImage;
use super::label;
use super::object::Object;
use super::planner::objects;
use crate::group::name::{AppName, CheckName};

/// A plan as it is remembered; [`Summarized`] writes it down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Its inputs in one hash.
    pub fingerprint: Fingerprint,
    /// Its apps and their images, in the order of the group file.
    pub apps: Vec<AppImage>,
    /// Every object, by kind and name.
    pub objects: BTreeMap<String, String>,
    /// What runs each check and hook: its Job.
    pub checks: BTreeMap<CheckName, String>,
}

/// An app and the image it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppImage {
    /// The app.
    pub app: AppName,
    /// Its image.
    pub image: ResolvedImage,
}

/// A plan that is written down as its [`Summary`], one object after the other: all
/// at once, those of a large group would take megabytes of memory.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summarized<'a> {
    fingerprint: &'a Fingerprint,
    #[serde(serialize_with = "apps")]
    apps: &'a Plan,
    #[serde(serialize_with = "object_texts")]
    objects: &'a Plan,
    #[serde(serialize_with = "check_texts")]
    checks: &'a Plan,
}

impl<'a> From<&'a Plan> for Summarized<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self {
            fingerprint: &plan.fingerprint,
            apps: plan,
            objects: plan,
            checks: plan,
        }
    }
}

fn apps<S: Serializer>(plan: &Plan, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(plan.apps.iter().map(|app| AppImage {
        app: app.name.clone(),
        image: app.image.clone(),
    }))
}

fn object_texts<S: Serializer>(plan: &Plan, serializer: S) -> Result<S::Ok, S::Error> {
    let all = plan.apps.iter().flat_map(|app| {
        // What is made of the user's own Services says nothing more.
        let derived = |object: &&Object| app.services.iter().any(|s| s.colored == **object);
        let objects = objects(app).filter(move |object| !derived(object));
        objects.map(move |object| (app.config.contains(object), object))
    });
    serializer.collect_map(all.map(|(is_hashed, object)| {
        let object = neutral(object, plan.candidate);
        (named(&object, is_hashed), masked_yaml(&object))
    }))
}

fn check_texts<S: Serializer>(plan: &Plan, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(plan.jobs().map(|check| {
        let job = neutral(&check.job, plan.candidate);
        (&check.name, masked_yaml(&job))
    }))
}

/// Version, kind and name; that of hashed configuration without the hash, so that
/// another content is a change of it.
fn named(object: &Object, is_hashed: bool) -> String {
    let name = object.name();
    let base = name.rsplit_once('-').filter(|_| is_hashed);
    let name = base.map_or(name, |(base, _)| base);
    format!("{} {} {name}", object.api_version(), object.kind())
}

/// The object without its colour: neither in its names nor in its labels.
fn neutral(object: &Object, color: Color) -> Object {
    let mut neutral = object.clone();
    bleach(&mut neutral.0, &format!("-{color}"));
    neutral
}

/// Takes the colour's label out, and its suffix off names: whole words that end
/// with it, as `hello-a-green` does.
fn bleach(value: &mut Value, suffix: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(label::COLOR);
            fields.values_mut().for_each(|value| bleach(value, suffix));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| bleach(item, suffix)),
        Value::String(text) => {
            if let Some(name) = text.strip_suffix(suffix)
                && !name.is_empty()
                && !name.contains(char::is_whitespace)
            {
                *text = name.to_owned();
            }
        }
        _ => {}
    }
}

/// What differs between two plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Whether anything they were made from differs, be it masked below.
    pub inputs: bool,
    /// Apps that run other images, are new or are gone.
    pub apps: Vec<ImageChange>,
    /// Checks that run otherwise, are new or are gone.
    pub checks: Vec<TextChange>,
    /// Objects that are otherwise, are new or are gone.
    pub objects: Vec<TextChange>,
}

/// An app whose image is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageChange {
    /// The app.
    pub app: AppName,
    /// What it ran before; `None`: it was not there.
    pub before: Option<ResolvedImage>,
    /// What it runs after; `None`: it is not there any more.
    pub after: Option<ResolvedImage>,
}

/// A text that is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TextChange {
    /// Of what.
    pub name: String,
    /// YAML before; empty: it was not there.
    pub before: String,
    /// YAML after; empty: it is not there any more.
    pub after: String,
}

impl Difference {
    /// From one plan to a later one.
    pub fn between(before: &Summary, after: &Summary) -> Self {
        Self {
            inputs: before.fingerprint != after.fingerprint,
            apps: images(&before.apps, &after.apps),
            checks: texts(&before.checks, &after.checks),
            objects: texts(&before.objects, &after.objects),
        }
    }

    /// Whether there is none to show.
    pub fn is_none(&self) -> bool {
        self.apps.is_empty() && self.checks.is_empty() && self.objects.is_empty()
    }
}

fn images(before: &[AppImage], after: &[AppImage]) -> Vec<ImageChange> {
    let find = |apps: &[AppImage], name: &AppName| {
        let found = apps.iter().find(|known| known.app == *name);
        found.map(|known| known.image.clone())
    };
    let gone = before.iter().filter(|old| find(after, &old.app).is_none());
    let names = after.iter().chain(gone).map(|known| &known.app);
    let changes = names.map(|app| ImageChange {
        app: app.clone(),
        before: find(before, app),
        after: find(after, app),
    });
    let digest = |image: &Option<ResolvedImage>| image.as_ref().map(|i| i.digest.clone());
    changes
        .filter(|c| digest(&c.before) != digest(&c.after))
        .collect()
}

fn texts<Name: Ord + Display>(
    before: &BTreeMap<Name, String>,
    after: &BTreeMap<Name, String>,
) -> Vec<TextChange> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let changes = after.keys().chain(gone).map(|name| TextChange {
        name: name.to_string(),
        before: before.get(name).cloned().unwrap_or_default(),
        after: after.get(name).cloned().unwrap_or_default(),
    });
    changes
        .filter(|change| change.before != change.after)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_colour_is_no_difference() {
        let of = |color: Color| {
            Object(json!({
                "kind": "Deployment",
                "metadata": { "name": format!("hello-a-{color}"), "labels": { label::COLOR: color } },
                "spec": {
                    "selector": { "matchLabels": { "app": "hello-a", label::COLOR: color } },
                    "template": { "args": ["--greeting", "ever green", format!("hello-b-{color}")] },
                },
            }))
        };
        let [blue, green] = Color::ALL.map(|color| neutral(&of(color), color));
        assert_eq!(blue, green);
        assert_eq!(blue.name(), "hello-a");
        let text = blue.0.to_string();
        assert!(text.contains("ever green"), "{text}");
        // Only its own colour is taken out.
        let other = neutral(&of(Color::Green), Color::Blue);
        assert_eq!(other.name(), "hello-a-green");
    }

    #[test]
    fn texts_that_come_go_or_change() {
        let all = |texts: &[(&str, &str)]| {
            let texts = texts.iter();
            texts
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect()
        };
        let before = all(&[("same", "1"), ("other", "1"), ("gone", "1")]);
        let after = all(&[("same", "1"), ("other", "2"), ("new", "1")]);
        let found: Vec<_> = texts(&before, &after)
            .into_iter()
            .map(|change| (change.name, change.before, change.after))
            .collect();
        let expected = [("new", "", "1"), ("other", "1", "2"), ("gone", "1", "")];
        let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(found, expected);
    }
}
