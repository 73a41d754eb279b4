//! The keys of an environment file.
//!
//! Input: the root table. Output: an [`EnvironmentSpec`], and problems in the
//! reader.

use std::sync::Arc;

use super::keys::{Key, Keys, Kind};
use super::reader::{Reader, Table};
use super::shared::{
    BRANCH_OF_ALL, DEPLOY_TIMEOUT, ENDPOINT_DELAY, ISOLATION, JITTER, KEEP_OLD, NEWEST, ON_PUSH,
    PROOF, QUIET_PERIOD, REPLICAS_WANTED, SCHEDULE, TAG, TIMEOUT, TIMEZONE,
};
use super::{CloudWatchSpec, ClusterSpec, DefaultsSpec, EnvironmentSpec, GithubSpec};
use crate::group::Untested;

/// An environment file.
pub(super) const FILE: Keys = Keys {
    title: "an environment file",
    parts: &[&[
        Key::new(
            "environment",
            Kind::Table(&ENVIRONMENT),
            "What the environment is",
        )
        .required(),
        Key::new(
            "values",
            Kind::Free,
            "Values for manifest templates, as {{ values.name }}",
        ),
        Key::new(
            "defaults",
            Kind::Table(&DEFAULTS),
            "For every group here that does not say otherwise",
        ),
        Key::new(
            "registry",
            Kind::Table(&REGISTRY),
            "The ECR registry of the groups' repositories",
        ),
        Key::new(
            "github",
            Kind::Table(&GITHUB),
            "Where commits are proven, for groups that ask for it",
        ),
        Key::new(
            "cloudwatch",
            Kind::Table(&CLOUDWATCH),
            "The alarms on what AWS charges, and promoter's own metrics",
        ),
    ]],
};

const ENVIRONMENT: Keys = Keys {
    title: "[environment]",
    parts: &[&[
        Key::text("name", "The name of this file, without .toml").required(),
        Key::text("namespace", "The Kubernetes namespace of its groups").required(),
        Key::new(
            "cluster",
            Kind::Table(&CLUSTER),
            "How the cluster is reached",
        )
        .required(),
        Key::text(
            "cluster_domain",
            "What the cluster's DNS names end in; cluster.local unless told",
        ),
        Key::word::<Untested>("untested", "Whether groups without a check are valid"),
        Key::new(
            "budget_guard",
            Kind::TextOrAmount,
            "Nothing is promoted while this alarm of CloudWatch is in ALARM, or AWS has charged more than this many USD this month",
        ),
    ]],
};

const CLUSTER: Keys = Keys {
    title: "cluster",
    parts: &[&[
        Key::text("context", "A context of the kubeconfig"),
        Key::text("eks", "The name of an EKS cluster"),
        Key::text(
            "region",
            "The AWS region of an EKS cluster; that of the AWS defaults if left out",
        ),
        Key::text(
            "role",
            "ARN of an IAM role that is assumed first, for an EKS cluster",
        ),
        Key::new(
            "in-cluster",
            Kind::Flag,
            "The cluster that promoter runs in",
        ),
    ]],
};

const DEFAULTS: Keys = Keys {
    title: "[defaults]",
    parts: &[&[
        BRANCH_OF_ALL,
        TAG,
        REPLICAS_WANTED,
        PROOF,
        NEWEST,
        SCHEDULE,
        TIMEZONE,
        JITTER,
        ON_PUSH,
        QUIET_PERIOD,
        KEEP_OLD,
        DEPLOY_TIMEOUT,
        ENDPOINT_DELAY,
        ISOLATION,
        TIMEOUT,
    ]],
};

const REGISTRY: Keys = Keys {
    title: "[registry]",
    parts: &[&[
        Key::text(
            "account",
            "The AWS account, twelve digits; that of the credentials if left out",
        ),
        Key::text(
            "region",
            "The AWS region; that of the AWS defaults if left out",
        ),
    ]],
};

const GITHUB: Keys = Keys {
    title: "[github]",
    parts: &[&[
        Key::text(
            "api",
            "The API's address; an enterprise's server has https://<host>/api/v3",
        ),
        Key::text(
            "owner",
            "Who owns the repositories that images are built from",
        ),
        Key::texts(
            "required",
            "Statuses and check runs that have to pass and alone count; all if left out",
        ),
        Key::new(
            "sources",
            Kind::Entries,
            "What is built from a GitHub repository of another name",
        ),
    ]],
};

const CLOUDWATCH: Keys = Keys {
    title: "[cloudwatch]",
    parts: &[&[
        Key::texts(
            "billing_alarms",
            "The alarms on what AWS charges, by name; in us-east-1",
        ),
        Key::new(
            "metrics",
            Kind::Flag,
            "Whether promoter puts its own metrics there; false unless told",
        ),
        Key::text(
            "region",
            "The AWS region these go to; the registry's if left out",
        ),
    ]],
};

pub(super) fn environment(reader: &mut Reader, root: &Table<'_>) -> EnvironmentSpec {
    let table = reader.table(root, "environment", &ENVIRONMENT);
    let registry = reader.table(root, "registry", &REGISTRY);
    EnvironmentSpec {
        source: Arc::clone(&reader.source),
        place: table.place.clone(),
        name: reader.text(&table, "name"),
        namespace: reader.text(&table, "namespace"),
        cluster: cluster(reader, &table),
        cluster_domain: reader.text(&table, "cluster_domain"),
        untested: reader.text(&table, "untested"),
        values: reader.json(root, "values"),
        defaults: defaults(reader, root),
        account: reader.text(&registry, "account"),
        region: reader.text(&registry, "region"),
        budget_guard: reader.text_or_number(&table, "budget_guard"),
        github: github(reader, root),
        cloudwatch: cloudwatch(reader, root),
    }
}

fn github(reader: &mut Reader, root: &Table<'_>) -> GithubSpec {
    let table = reader.table(root, "github", &GITHUB);
    GithubSpec {
        api: reader.text(&table, "api"),
        owner: reader.text(&table, "owner"),
        required: reader.texts(&table, "required"),
        sources: reader.entries(&table, "sources"),
    }
}

fn cloudwatch(reader: &mut Reader, root: &Table<'_>) -> CloudWatchSpec {
    let table = reader.table(root, "cloudwatch", &CLOUDWATCH);
    CloudWatchSpec {
        billing_alarms: reader.texts(&table, "billing_alarms"),
        metrics: reader.boolean(&table, "metrics"),
        region: reader.text(&table, "region"),
    }
}

fn cluster(reader: &mut Reader, environment: &Table<'_>) -> Option<ClusterSpec> {
    let table = reader.table(environment, "cluster", &CLUSTER);
    (!table.is_missing()).then(|| ClusterSpec {
        place: table.place.clone(),
        context: reader.text(&table, "context"),
        eks: reader.text(&table, "eks"),
        region: reader.text(&table, "region"),
        role: reader.text(&table, "role"),
        in_cluster: reader.boolean(&table, "in-cluster"),
    })
}

fn defaults(reader: &mut Reader, root: &Table<'_>) -> DefaultsSpec {
    let table = reader.table(root, "defaults", &DEFAULTS);
    DefaultsSpec {
        branch: reader.text(&table, "branch"),
        tag: reader.text(&table, "tag"),
        replicas: reader.integer(&table, "replicas"),
        proof: reader.text(&table, "proof"),
        newest: reader.text(&table, "newest"),
        schedule: reader.text(&table, "schedule"),
        timezone: reader.text(&table, "timezone"),
        jitter: reader.text(&table, "jitter"),
        on_push: reader.boolean(&table, "on_push"),
        quiet_period: reader.text(&table, "quiet_period"),
        keep_old: reader.text(&table, "keep_old"),
        deploy_timeout: reader.text(&table, "deploy_timeout"),
        endpoint_delay: reader.text(&table, "endpoint_delay"),
        isolation: reader.text(&table, "isolation"),
        timeout: reader.text(&table, "timeout"),
    }
}
