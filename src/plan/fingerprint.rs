//! The hashes that identify a plan, a release and a promotion's inputs.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::image::Resolved;
use super::{AppPlan, Plan};
use crate::group::choice::Choice;
use crate::group::{App, Check, CheckImage, Group, Isolation, Manifest};

macro_rules! hash {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The first twelve hex digits, for people and labels.
            pub fn short(&self) -> &str {
                self.0.get(..12).unwrap_or(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.short())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

hash!(
    /// Hash of a promotion's inputs: digests, template bytes, values, check
    /// definitions. Never of rendered output: upgrading promoter must not look
    /// like a change.
    Fingerprint
);
hash!(
    /// Identity of a release: what runs, without the checks that prove it.
    ReleaseId
);
hash!(
    /// Identity of a plan: the hash of its whole content.
    PlanId
);

impl PlanId {
    /// A plan's identity as it was written somewhere; `None`: that is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| Self(text.to_owned()))
    }

    /// The identity of a plan.
    pub fn of(plan: &Plan) -> Self {
        Self::of_json(&json(plan))
    }

    /// The identity of a plan from its stored text. A later promoter may read
    /// the same text into more fields, so it is the text that counts.
    pub fn of_json(text: &str) -> Self {
        let mut hasher = Hasher::new("plan");
        hasher.field("content", text);
        Self(hasher.finish())
    }
}

/// The fingerprint and the release of a group with its images.
pub fn of(group: &Group, resolved: &Resolved) -> (Fingerprint, ReleaseId) {
    let mut release = Hasher::new("release");
    let environment = &group.environment;
    // Templates may use the names.
    release.field("group", group.name.as_str());
    release.field("environment", environment.name.as_str());
    release.field("namespace", environment.namespace.as_ref());
    release.field("cluster-domain", &environment.cluster_domain);
    release.json("environment-values", &environment.values);
    for app in &group.apps {
        hash_app(&mut release, app, resolved);
    }
    let mut fingerprint = Hasher::new("fingerprint");
    let release = ReleaseId(release.finish());
    fingerprint.field("release", release.as_ref());
    fingerprint.json("keep-old", &group.strategy.keep_old.as_millis().to_string());
    // What was promoted before it could be set was pinned.
    if group.strategy.isolation != Isolation::Pinning {
        fingerprint.field("isolation", group.strategy.isolation.word());
    }
    for check in &group.checks {
        hash_check(&mut fingerprint, check, resolved);
    }
    for hook in &group.hooks {
        fingerprint.field("hook", hook.when.word());
        hash_check(&mut fingerprint, &hook.job, resolved);
    }
    (Fingerprint(fingerprint.finish()), release)
}

/// The fingerprint and the release of apps that stood before promoter came: no
/// inputs of a promotion give the same.
pub fn of_standing(apps: &[AppPlan]) -> (Fingerprint, ReleaseId) {
    let mut release = Hasher::new("standing");
    release.json("apps", &apps);
    let release = release.finish();
    (Fingerprint(release.clone()), ReleaseId(release))
}

fn hash_app(hasher: &mut Hasher, app: &App, resolved: &Resolved) {
    hasher.field("app", app.name.as_ref());
    hasher.field("repository", app.image.repository.as_ref());
    if let Some(image) = resolved.apps.get(&app.name) {
        hasher.field("digest", image.digest.as_str());
    }
    hasher.json("port", &app.port);
    hasher.json("replicas", &app.replicas);
    if !app.start.is_default() {
        hasher.json("start", &app.start);
    }
    hasher.json("values", &app.values);
    for needed in &app.needs {
        hasher.field("needs", needed.as_ref());
    }
    match &app.manifest {
        Manifest::Template(template) => hasher.field("template", &template.text),
        Manifest::Inline(inline) => {
            hasher.json("env", &inline.env);
            hasher.json("resources", &inline.resources);
        }
    }
}

fn hash_check(hasher: &mut Hasher, check: &Check, resolved: &Resolved) {
    hasher.field("check", check.name.as_ref());
    match &check.image {
        CheckImage::App(app) => hasher.field("image-of-app", app.as_ref()),
        CheckImage::Image(image) => hasher.field("image", image),
        CheckImage::Branch(source) => hasher.field("repository", source.repository.as_ref()),
    }
    if let Some(image) = resolved.checks.get(&check.name) {
        hasher.field("reference", image.reference());
    }
    for word in &check.command {
        hasher.field("command", word);
    }
    hasher.json("env", &check.env);
    hasher.json("timeout", &check.timeout.as_millis().to_string());
    hasher.json(
        "start-timeout",
        &check.start_timeout.as_millis().to_string(),
    );
    hasher.json("report", &check.report);
}

/// Hashes named fields so that no two different inputs give the same bytes.
struct Hasher(Sha256);

impl Hasher {
    fn new(domain: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.field("domain", domain);
        hasher
    }

    fn field(&mut self, name: &str, value: &str) {
        for part in [name, value] {
            self.0.update((part.len() as u64).to_be_bytes());
            self.0.update(part.as_bytes());
        }
    }

    fn json(&mut self, name: &str, value: &impl Serialize) {
        self.field(name, &json(value));
    }

    fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plans and settings are made of strings, numbers and maps")
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
