//! The keys of a group file.
//!
//! Input: the root table. Output: a [`GroupSpec`], and problems in the reader.

use std::sync::Arc;

use super::reader::{Reader, Table};
use super::{AppSpec, CheckSpec, GroupSpec, HookSpec, StrategySpec};

const GROUP: &[&str] = &[
    "name",
    "environment",
    "branch",
    "tag",
    "schedule",
    "timezone",
    "requires",
    "proof",
    "newest",
];
const STRATEGY: &[&str] = &[
    "kind",
    "keep_old",
    "keep_failed",
    "deploy_timeout",
    "endpoint_delay",
    "on_regression",
    "parallel_checks",
];
const APP: &[&str] = &[
    "name",
    "repository",
    "branch",
    "tag",
    "manifest",
    "port",
    "replicas",
    "env",
    "resources",
    "needs",
    "values",
];
const CHECK: &[&str] = &[
    "name",
    "repository",
    "app",
    "image",
    "branch",
    "tag",
    "command",
    "env",
    "timeout",
    "start_timeout",
    "report",
];

pub(super) fn group(reader: &mut Reader, root: &Table<'_>) -> GroupSpec {
    let known = ["group", "strategy", "app", "check", "hook"];
    reader.known(root, "a group file", &known);
    let table = reader.required_table(root, "group");
    reader.known(&table, "[group]", GROUP);
    GroupSpec {
        source: Arc::clone(&reader.source),
        place: table.place.clone(),
        name: reader.required_text(&table, "name"),
        environment: reader.required_text(&table, "environment"),
        branch: reader.text(&table, "branch"),
        tag: reader.text(&table, "tag"),
        schedule: reader.text(&table, "schedule"),
        timezone: reader.text(&table, "timezone"),
        requires: reader.texts(&table, "requires"),
        proof: reader.text(&table, "proof"),
        newest: reader.text(&table, "newest"),
        strategy: strategy(reader, root),
        apps: reader
            .tables(root, "app")
            .iter()
            .map(|table| app(reader, table))
            .collect(),
        checks: reader
            .tables(root, "check")
            .iter()
            .map(|table| {
                reader.known(table, "[[check]]", CHECK);
                check(reader, table)
            })
            .collect(),
        hooks: reader
            .tables(root, "hook")
            .iter()
            .map(|table| hook(reader, table))
            .collect(),
    }
}

fn strategy(reader: &mut Reader, root: &Table<'_>) -> StrategySpec {
    let Some(table) = reader.table(root, "strategy") else {
        return StrategySpec::default();
    };
    reader.known(&table, "[strategy]", STRATEGY);
    StrategySpec {
        kind: reader.text(&table, "kind"),
        keep_old: reader.text(&table, "keep_old"),
        keep_failed: reader.text(&table, "keep_failed"),
        deploy_timeout: reader.text(&table, "deploy_timeout"),
        endpoint_delay: reader.text(&table, "endpoint_delay"),
        on_regression: reader.text(&table, "on_regression"),
        parallel_checks: reader.integer(&table, "parallel_checks"),
    }
}

fn app(reader: &mut Reader, table: &Table<'_>) -> AppSpec {
    reader.known(table, "[[app]]", APP);
    AppSpec {
        place: table.place.clone(),
        name: reader.required_text(table, "name"),
        repository: reader.text(table, "repository"),
        branch: reader.text(table, "branch"),
        tag: reader.text(table, "tag"),
        manifest: reader.text(table, "manifest"),
        port: reader.integer(table, "port"),
        replicas: reader.integer(table, "replicas"),
        env: reader.env(table, "env"),
        resources: reader.json(table, "resources"),
        needs: reader.texts(table, "needs"),
        values: reader.values(table),
    }
}

fn hook(reader: &mut Reader, table: &Table<'_>) -> HookSpec {
    // A hook has no test cases.
    let of_check = CHECK.iter().copied().filter(|key| *key != "report");
    let known: Vec<_> = std::iter::once("when").chain(of_check).collect();
    reader.known(table, "[[hook]]", &known);
    HookSpec {
        when: reader.required_text(table, "when"),
        job: check(reader, table),
    }
}

fn check(reader: &mut Reader, table: &Table<'_>) -> CheckSpec {
    CheckSpec {
        place: table.place.clone(),
        name: reader.required_text(table, "name"),
        repository: reader.text(table, "repository"),
        app: reader.text(table, "app"),
        image: reader.text(table, "image"),
        branch: reader.text(table, "branch"),
        tag: reader.text(table, "tag"),
        command: reader.texts(table, "command"),
        env: reader.env(table, "env"),
        timeout: reader.text(table, "timeout"),
        start_timeout: reader.text(table, "start_timeout"),
        report: reader.text(table, "report"),
    }
}
