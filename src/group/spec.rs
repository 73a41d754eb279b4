//! What a group file and an environment file say, each value with its place.
//!
//! Input: the text of a file. Output: what is written there, and everything
//! that is wrong with its form: syntax, unknown and missing keys, wrong types.
//! What the words mean is for [`super::validate`]; nothing is defaulted here.

mod environment;
mod group;
mod keys;
mod reader;
mod schema;
mod shared;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
pub use toml::Spanned;

use super::problem::{Problems, Source};
use reader::Reader;

/// A group file.
#[derive(Debug, Clone)]
pub struct GroupSpec {
    /// The file.
    pub source: Arc<Source>,
    /// Place of the `[group]` header, or of the file's start.
    pub place: Range<usize>,
    /// `group.name`.
    pub name: Option<Spanned<String>>,
    /// `group.environment`.
    pub environment: Option<Spanned<String>>,
    /// `group.branch`.
    pub branch: Option<Spanned<String>>,
    /// `group.tag`.
    pub tag: Option<Spanned<String>>,
    /// `group.schedule`.
    pub schedule: Option<Spanned<String>>,
    /// `group.timezone`.
    pub timezone: Option<Spanned<String>>,
    /// `group.jitter`.
    pub jitter: Option<Spanned<String>>,
    /// `group.on_push`.
    pub on_push: Option<Spanned<bool>>,
    /// `group.quiet_period`.
    pub quiet_period: Option<Spanned<String>>,
    /// `group.requires`.
    pub requires: Vec<Spanned<String>>,
    /// `group.proof`.
    pub proof: Option<Spanned<String>>,
    /// `group.newest`.
    pub newest: Option<Spanned<String>>,
    /// `[strategy]`.
    pub strategy: StrategySpec,
    /// The `[[app]]` tables.
    pub apps: Vec<AppSpec>,
    /// The `[[check]]` tables.
    pub checks: Vec<CheckSpec>,
    /// The `[[hook]]` tables.
    pub hooks: Vec<HookSpec>,
}

/// The `[strategy]` table.
#[derive(Debug, Clone, Default)]
pub struct StrategySpec {
    /// `kind`.
    pub kind: Option<Spanned<String>>,
    /// `keep_old`.
    pub keep_old: Option<Spanned<String>>,
    /// `keep_failed`.
    pub keep_failed: Option<Spanned<String>>,
    /// `deploy_timeout`.
    pub deploy_timeout: Option<Spanned<String>>,
    /// `endpoint_delay`.
    pub endpoint_delay: Option<Spanned<String>>,
    /// `isolation`.
    pub isolation: Option<Spanned<String>>,
    /// `on_regression`.
    pub on_regression: Option<Spanned<String>>,
    /// `parallel_checks`.
    pub parallel_checks: Option<Spanned<i64>>,
}

/// An `[[app]]` table.
#[derive(Debug, Clone)]
pub struct AppSpec {
    /// Place of its header.
    pub place: Range<usize>,
    /// `name`.
    pub name: Option<Spanned<String>>,
    /// `repository`.
    pub repository: Option<Spanned<String>>,
    /// `branch`.
    pub branch: Option<Spanned<String>>,
    /// `tag`.
    pub tag: Option<Spanned<String>>,
    /// `manifest`.
    pub manifest: Option<Spanned<String>>,
    /// `port`.
    pub port: Option<Spanned<i64>>,
    /// `replicas`.
    pub replicas: Option<Spanned<i64>>,
    /// `start`.
    pub start: Option<Spanned<String>>,
    /// `env`.
    pub env: Option<Spanned<Entries<String>>>,
    /// `resources`.
    pub resources: Option<Spanned<Entries<Value>>>,
    /// `needs`.
    pub needs: Vec<Spanned<String>>,
    /// `values`.
    pub values: Option<Spanned<Entries<Value>>>,
}

/// A `[[check]]` table.
#[derive(Debug, Clone)]
pub struct CheckSpec {
    /// Place of its header.
    pub place: Range<usize>,
    /// `name`.
    pub name: Option<Spanned<String>>,
    /// `repository`.
    pub repository: Option<Spanned<String>>,
    /// `app`.
    pub app: Option<Spanned<String>>,
    /// `image`.
    pub image: Option<Spanned<String>>,
    /// `branch`.
    pub branch: Option<Spanned<String>>,
    /// `tag`.
    pub tag: Option<Spanned<String>>,
    /// `command`.
    pub command: Vec<Spanned<String>>,
    /// `env`.
    pub env: Option<Spanned<Entries<String>>>,
    /// `timeout`.
    pub timeout: Option<Spanned<String>>,
    /// `start_timeout`.
    pub start_timeout: Option<Spanned<String>>,
    /// `report`.
    pub report: Option<Spanned<String>>,
    /// `report_file`.
    pub report_file: Option<Spanned<String>>,
}

/// A `[[hook]]` table.
#[derive(Debug, Clone)]
pub struct HookSpec {
    /// `when`.
    pub when: Option<Spanned<String>>,
    /// All other keys, which are those of a check.
    pub job: CheckSpec,
}

/// Keys of a free table with their values.
pub type Entries<T> = Vec<(Spanned<String>, T)>;

/// A free table as a map.
pub(super) fn map<T: Clone>(written: Option<&Spanned<Entries<T>>>) -> BTreeMap<String, T> {
    let entries = written.into_iter().flat_map(Spanned::get_ref);
    entries
        .map(|(key, value)| (key.get_ref().clone(), value.clone()))
        .collect()
}

/// An environment file.
#[derive(Debug, Clone)]
pub struct EnvironmentSpec {
    /// The file.
    pub source: Arc<Source>,
    /// Place of the `[environment]` header, or of the file's start.
    pub place: Range<usize>,
    /// `environment.name`.
    pub name: Option<Spanned<String>>,
    /// `environment.namespace`.
    pub namespace: Option<Spanned<String>>,
    /// `environment.cluster`.
    pub cluster: Option<ClusterSpec>,
    /// `environment.cluster_domain`.
    pub cluster_domain: Option<Spanned<String>>,
    /// `environment.untested`.
    pub untested: Option<Spanned<String>>,
    /// `environment.budget_guard`.
    pub budget_guard: Option<Spanned<TextOrNumber>>,
    /// `[values]`.
    pub values: Option<Spanned<Entries<Value>>>,
    /// `[defaults]`.
    pub defaults: DefaultsSpec,
    /// `registry.account`.
    pub account: Option<Spanned<String>>,
    /// `registry.region`.
    pub region: Option<Spanned<String>>,
    /// `[github]`.
    pub github: GithubSpec,
    /// `[cloudwatch]`.
    pub cloudwatch: CloudWatchSpec,
}

/// What may be said in words or as a number.
#[derive(Debug, Clone, PartialEq)]
pub enum TextOrNumber {
    /// In words.
    Text(String),
    /// As a number, whole or not.
    Number(f64),
}

/// The `[cloudwatch]` table of an environment.
#[derive(Debug, Clone, Default)]
pub struct CloudWatchSpec {
    /// `billing_alarms`.
    pub billing_alarms: Vec<Spanned<String>>,
    /// `metrics`.
    pub metrics: Option<Spanned<bool>>,
    /// `region`.
    pub region: Option<Spanned<String>>,
}

/// The `[github]` table of an environment.
#[derive(Debug, Clone, Default)]
pub struct GithubSpec {
    /// `api`.
    pub api: Option<Spanned<String>>,
    /// `owner`.
    pub owner: Option<Spanned<String>>,
    /// `required`.
    pub required: Vec<Spanned<String>>,
    /// `sources`.
    pub sources: Option<Spanned<Entries<String>>>,
}

/// The `cluster` table of an environment.
#[derive(Debug, Clone)]
pub struct ClusterSpec {
    /// Its place.
    pub place: Range<usize>,
    /// `context`.
    pub context: Option<Spanned<String>>,
    /// `eks`.
    pub eks: Option<Spanned<String>>,
    /// `region`, of an EKS cluster.
    pub region: Option<Spanned<String>>,
    /// `role`, of an EKS cluster.
    pub role: Option<Spanned<String>>,
    /// `in-cluster`.
    pub in_cluster: Option<Spanned<bool>>,
}

/// The `[defaults]` table of an environment.
#[derive(Debug, Clone, Default)]
pub struct DefaultsSpec {
    /// `branch`.
    pub branch: Option<Spanned<String>>,
    /// `tag`.
    pub tag: Option<Spanned<String>>,
    /// `replicas`.
    pub replicas: Option<Spanned<i64>>,
    /// `proof`.
    pub proof: Option<Spanned<String>>,
    /// `newest`.
    pub newest: Option<Spanned<String>>,
    /// `schedule`.
    pub schedule: Option<Spanned<String>>,
    /// `timezone`.
    pub timezone: Option<Spanned<String>>,
    /// `jitter`.
    pub jitter: Option<Spanned<String>>,
    /// `on_push`.
    pub on_push: Option<Spanned<bool>>,
    /// `quiet_period`.
    pub quiet_period: Option<Spanned<String>>,
    /// `keep_old`.
    pub keep_old: Option<Spanned<String>>,
    /// `deploy_timeout`.
    pub deploy_timeout: Option<Spanned<String>>,
    /// `endpoint_delay`.
    pub endpoint_delay: Option<Spanned<String>>,
    /// `isolation`.
    pub isolation: Option<Spanned<String>>,
    /// `timeout`, of checks.
    pub timeout: Option<Spanned<String>>,
}

impl GroupSpec {
    /// Everything that runs as a Job: checks, then hooks.
    pub fn jobs(&self) -> impl Iterator<Item = &CheckSpec> {
        let hooks = self.hooks.iter().map(|hook| &hook.job);
        self.checks.iter().chain(hooks)
    }

    /// Reads a group file; `path` is what people are shown.
    ///
    /// There is a spec even where there are problems of form, so that what is
    /// left can be validated and all problems are shown at once. There is none
    /// where the syntax is broken: too little could be trusted.
    pub fn read(path: &str, text: &str) -> (Option<Self>, Problems) {
        Reader::read(path, text, &group::FILE, group::group)
    }

    /// The JSON schema of group files.
    pub fn schema() -> Value {
        schema::file("A deployment group of promoter", &group::FILE)
    }
}

impl EnvironmentSpec {
    /// Reads an environment file; see [`GroupSpec::read`].
    pub fn read(path: &str, text: &str) -> (Option<Self>, Problems) {
        Reader::read(path, text, &environment::FILE, environment::environment)
    }

    /// The JSON schema of environment files.
    pub fn schema() -> Value {
        schema::file("An environment of promoter", &environment::FILE)
    }
}

#[cfg(test)]
mod tests;
