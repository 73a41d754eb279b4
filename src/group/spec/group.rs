//! The keys of a group file.
//!
//! Input: the root table. Output: a [`GroupSpec`], and problems in the reader.

use std::sync::Arc;

use super::keys::{Key, Keys, Kind};
use super::reader::{Reader, Table};
use super::shared::{
    BRANCH_OF_ALL, DEPLOY_TIMEOUT, ENDPOINT_DELAY, ISOLATION, JITTER, KEEP_OLD, NEWEST, ON_PUSH,
    PROOF, QUIET_PERIOD, REPLICAS_WANTED, SCHEDULE, TAG, TIMEOUT, TIMEZONE,
};
use super::{AppSpec, CheckSpec, GroupSpec, HookSpec, StrategySpec};
use crate::group::choice::BlueGreen;
use crate::group::report::ReportKind;
use crate::group::{OnRegression, PARALLEL, PORTS, Start, When};

/// A group file.
pub(super) const FILE: Keys = Keys {
    title: "a group file",
    parts: &[&[
        Key::new("group", Kind::Table(&GROUP), "What the group is").required(),
        Key::new(
            "strategy",
            Kind::Table(&STRATEGY),
            "How the old version is replaced",
        ),
        Key::new(
            "app",
            Kind::Tables(&APP),
            "An app, promoted with all others or not at all",
        ),
        Key::new(
            "check",
            Kind::Tables(&CHECK),
            "A Job that has to pass before anything is promoted",
        ),
        Key::new(
            "hook",
            Kind::Tables(&HOOK),
            "A Job that runs once on the way, such as a migration",
        ),
    ]],
};

const GROUP: Keys = Keys {
    title: "[group]",
    parts: &[&[
        Key::text("name", "The name of this file, without .toml").required(),
        Key::text(
            "environment",
            "Where it runs: a file in environments/, without .toml",
        )
        .required(),
        BRANCH_OF_ALL,
        TAG,
        SCHEDULE,
        TIMEZONE,
        JITTER,
        ON_PUSH,
        QUIET_PERIOD,
        Key::texts(
            "requires",
            "Groups of this environment that must have passed first",
        ),
        PROOF,
        NEWEST,
    ]],
};

const STRATEGY: Keys = Keys {
    title: "[strategy]",
    parts: &[&[
        Key::word::<BlueGreen>("kind", "The one kind there is"),
        KEEP_OLD,
        Key::duration(
            "keep_failed",
            "How long a candidate that failed stays to be looked at; it goes at once unless told",
        ),
        DEPLOY_TIMEOUT,
        ENDPOINT_DELAY,
        ISOLATION,
        Key::word::<OnRegression>(
            "on_regression",
            "What happens if an app loses pods while the old ones still stand",
        ),
        Key::new(
            "parallel_checks",
            Kind::Number(PARALLEL),
            "Checks that run at the same time at most; 16 unless told",
        ),
    ]],
};

const APP: Keys = Keys {
    title: "[[app]]",
    parts: &[&[
        Key::text("name", "The name of its Deployment in the manifest").required(),
        Key::text(
            "repository",
            "Its ECR repository; the app's name if left out",
        ),
        Key::text("branch", "The branch to run, in place of the group's"),
        TAG,
        Key::text(
            "manifest",
            "A template in YAML or JSON, relative to this file",
        ),
        Key::new(
            "port",
            Kind::Number(PORTS),
            "The port its container listens on",
        ),
        REPLICAS_WANTED,
        Key::word::<Start>(
            "start",
            "When its pods start: beside the old ones, or on-promote, once those have stopped",
        ),
        Key::new(
            "env",
            Kind::Entries,
            "Environment variables, for an app without a manifest",
        ),
        Key::new(
            "resources",
            Kind::Free,
            "Requests and limits, for an app without a manifest",
        ),
        Key::texts(
            "needs",
            "Apps of the group that it calls; they are taken down after it",
        ),
        Key::new(
            "values",
            Kind::Free,
            "Values for its manifest, over the environment's",
        ),
    ]],
};

const CHECK: Keys = Keys {
    title: "[[check]]",
    parts: &[JOB],
};

const HOOK: Keys = Keys {
    title: "[[hook]]",
    parts: &[
        &[Key::word::<When>("when", "At which point of a promotion it runs").required()],
        JOB,
    ],
};

const JOB: &[Key] = &[
    Key::text(
        "name",
        "Its name, which no other check or hook of the group has",
    )
    .required(),
    Key::text(
        "repository",
        "It runs in the newest image of this ECR repository",
    ),
    Key::text("app", "It runs in the candidate image of this app"),
    Key::text("image", "It runs in this image: a full reference"),
    Key::text(
        "branch",
        "The branch of its repository, in place of the group's",
    ),
    TAG,
    Key::texts(
        "command",
        "What is run, in place of the image's entry point",
    ),
    Key::new(
        "env",
        Kind::Entries,
        "Environment variables of its container",
    ),
    TIMEOUT,
    Key::duration(
        "start_timeout",
        "How long its container may take to start; 2m unless told",
    ),
    Key::word::<ReportKind>(
        "report",
        "What it reports its test cases as: TAP in its output, or JUnit in files",
    ),
    Key::text(
        "report_file",
        "Where in its container the JUnit files are: an absolute path, with * and ? in the name",
    ),
];

pub(super) fn group(reader: &mut Reader, root: &Table<'_>) -> GroupSpec {
    let table = reader.table(root, "group", &GROUP);
    GroupSpec {
        source: Arc::clone(&reader.source),
        place: table.place.clone(),
        name: reader.text(&table, "name"),
        environment: reader.text(&table, "environment"),
        branch: reader.text(&table, "branch"),
        tag: reader.text(&table, "tag"),
        schedule: reader.text(&table, "schedule"),
        timezone: reader.text(&table, "timezone"),
        jitter: reader.text(&table, "jitter"),
        on_push: reader.boolean(&table, "on_push"),
        quiet_period: reader.text(&table, "quiet_period"),
        requires: reader.texts(&table, "requires"),
        proof: reader.text(&table, "proof"),
        newest: reader.text(&table, "newest"),
        strategy: strategy(reader, root),
        apps: reader
            .tables(root, "app", &APP)
            .iter()
            .map(|table| app(reader, table))
            .collect(),
        checks: reader
            .tables(root, "check", &CHECK)
            .iter()
            .map(|table| job(reader, table))
            .collect(),
        hooks: reader
            .tables(root, "hook", &HOOK)
            .iter()
            .map(|table| hook(reader, table))
            .collect(),
    }
}

fn strategy(reader: &mut Reader, root: &Table<'_>) -> StrategySpec {
    let table = reader.table(root, "strategy", &STRATEGY);
    StrategySpec {
        kind: reader.text(&table, "kind"),
        keep_old: reader.text(&table, "keep_old"),
        keep_failed: reader.text(&table, "keep_failed"),
        deploy_timeout: reader.text(&table, "deploy_timeout"),
        endpoint_delay: reader.text(&table, "endpoint_delay"),
        isolation: reader.text(&table, "isolation"),
        on_regression: reader.text(&table, "on_regression"),
        parallel_checks: reader.integer(&table, "parallel_checks"),
    }
}

fn app(reader: &mut Reader, table: &Table<'_>) -> AppSpec {
    AppSpec {
        place: table.place.clone(),
        name: reader.text(table, "name"),
        repository: reader.text(table, "repository"),
        branch: reader.text(table, "branch"),
        tag: reader.text(table, "tag"),
        manifest: reader.text(table, "manifest"),
        port: reader.integer(table, "port"),
        replicas: reader.integer(table, "replicas"),
        start: reader.text(table, "start"),
        env: reader.entries(table, "env"),
        resources: reader.json(table, "resources"),
        needs: reader.texts(table, "needs"),
        values: reader.json(table, "values"),
    }
}

fn hook(reader: &mut Reader, table: &Table<'_>) -> HookSpec {
    HookSpec {
        when: reader.text(table, "when"),
        job: job(reader, table),
    }
}

fn job(reader: &mut Reader, table: &Table<'_>) -> CheckSpec {
    CheckSpec {
        place: table.place.clone(),
        name: reader.text(table, "name"),
        repository: reader.text(table, "repository"),
        app: reader.text(table, "app"),
        image: reader.text(table, "image"),
        branch: reader.text(table, "branch"),
        tag: reader.text(table, "tag"),
        command: reader.texts(table, "command"),
        env: reader.entries(table, "env"),
        timeout: reader.text(table, "timeout"),
        start_timeout: reader.text(table, "start_timeout"),
        report: reader.text(table, "report"),
        report_file: reader.text(table, "report_file"),
    }
}
