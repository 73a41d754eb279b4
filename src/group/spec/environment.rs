//! The keys of an environment file.
//!
//! Input: the root table. Output: an [`EnvironmentSpec`], and problems in the
//! reader.

use std::sync::Arc;

use super::reader::{Reader, Table};
use super::{ClusterSpec, DefaultsSpec, EnvironmentSpec, GithubSpec};

const ENVIRONMENT: &[&str] = &["name", "namespace", "cluster", "cluster_domain", "untested"];
const CLUSTER: &[&str] = &["context", "eks", "region", "role", "in-cluster"];
const GITHUB: &[&str] = &["api", "owner", "required", "sources"];
const DEFAULTS: &[&str] = &[
    "branch",
    "tag",
    "replicas",
    "proof",
    "newest",
    "schedule",
    "timezone",
    "keep_old",
    "deploy_timeout",
    "endpoint_delay",
    "timeout",
];

pub(super) fn environment(reader: &mut Reader, root: &Table<'_>) -> EnvironmentSpec {
    let known = ["environment", "values", "defaults", "registry", "github"];
    reader.known(root, "an environment file", &known);
    let table = reader.required_table(root, "environment");
    reader.known(&table, "[environment]", ENVIRONMENT);
    let registry = reader.table(root, "registry").unwrap_or_default();
    reader.known(&registry, "[registry]", &["account", "region"]);
    EnvironmentSpec {
        source: Arc::clone(&reader.source),
        place: table.place.clone(),
        name: reader.required_text(&table, "name"),
        namespace: reader.required_text(&table, "namespace"),
        cluster: cluster(reader, &table),
        cluster_domain: reader.text(&table, "cluster_domain"),
        untested: reader.text(&table, "untested"),
        values: reader.values(root),
        defaults: defaults(reader, root),
        account: reader.text(&registry, "account"),
        region: reader.text(&registry, "region"),
        github: github(reader, root),
    }
}

fn github(reader: &mut Reader, root: &Table<'_>) -> GithubSpec {
    let Some(table) = reader.table(root, "github") else {
        return GithubSpec::default();
    };
    reader.known(&table, "[github]", GITHUB);
    GithubSpec {
        api: reader.text(&table, "api"),
        owner: reader.text(&table, "owner"),
        required: reader.texts(&table, "required"),
        sources: reader.env(&table, "sources"),
    }
}

fn cluster(reader: &mut Reader, environment: &Table<'_>) -> Option<ClusterSpec> {
    if !environment.is_missing() && !environment.has("cluster") {
        reader.missing(environment, "cluster");
    }
    let table = reader.table(environment, "cluster")?;
    reader.known(&table, "cluster", CLUSTER);
    Some(ClusterSpec {
        place: table.place.clone(),
        context: reader.text(&table, "context"),
        eks: reader.text(&table, "eks"),
        region: reader.text(&table, "region"),
        role: reader.text(&table, "role"),
        in_cluster: reader.boolean(&table, "in-cluster"),
    })
}

fn defaults(reader: &mut Reader, root: &Table<'_>) -> DefaultsSpec {
    let Some(table) = reader.table(root, "defaults") else {
        return DefaultsSpec::default();
    };
    reader.known(&table, "[defaults]", DEFAULTS);
    DefaultsSpec {
        branch: reader.text(&table, "branch"),
        tag: reader.text(&table, "tag"),
        replicas: reader.integer(&table, "replicas"),
        proof: reader.text(&table, "proof"),
        newest: reader.text(&table, "newest"),
        schedule: reader.text(&table, "schedule"),
        timezone: reader.text(&table, "timezone"),
        keep_old: reader.text(&table, "keep_old"),
        deploy_timeout: reader.text(&table, "deploy_timeout"),
        endpoint_delay: reader.text(&table, "endpoint_delay"),
        timeout: reader.text(&table, "timeout"),
    }
}
