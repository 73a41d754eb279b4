//! What is told of the process itself: its configuration, its records, and whom
//! it asks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use prometheus_client::registry::Registry;

use super::seconds;
use super::series::{Counters, Gauges};
use crate::group::name::EnvironmentName;
use crate::port::calls::{Call, System};

/// The metrics of the process.
pub(super) struct Process {
    ready: Gauges,
    environments: Gauges,
    config_success: Gauges,
    config_time: Gauges,
    config_errors: Gauges,
    records_behind: Gauges,
    hints: Counters,
    aws: Counters,
    kubernetes: Counters,
}

impl Process {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let build = Gauges::gauge(registry, "build_info", "The version that runs; always 1");
        let version = env!("CARGO_PKG_VERSION").to_owned();
        build.with(vec![("version", version)]).set(1.0);
        Self {
            ready: Gauges::gauge(
                registry,
                "ready",
                "Whether the process is ready: its store and the API server answer",
            ),
            environments: Gauges::gauge(
                registry,
                "environment_answers",
                "Whether the cluster of an environment answers",
            ),
            config_success: Gauges::gauge(
                registry,
                "config_last_load_success",
                "Whether the configuration was taken whole when it was last read",
            ),
            config_time: Gauges::gauge(
                registry,
                "config_last_load_timestamp_seconds",
                "When the configuration was last read",
            ),
            config_errors: Gauges::gauge(
                registry,
                "config_files_with_errors",
                "Files of the configuration with errors, of which the last good ones hold",
            ),
            records_behind: Gauges::gauge(
                registry,
                "records_behind",
                "Entries that wait to be kept in the records",
            ),
            hints: Counters::counter(
                registry,
                "hints",
                "Messages of the queue of pushes, by what was made of them",
            ),
            aws: Counters::counter(
                registry,
                "aws_requests",
                "Requests to AWS, repeated ones included",
            ),
            kubernetes: Counters::counter(
                registry,
                "kubernetes_requests",
                "Requests to the Kubernetes API server",
            ),
        }
    }

    pub(super) fn ready(&self, ready: bool) {
        self.ready.with(Vec::new()).set(f64::from(u8::from(ready)));
    }

    pub(super) fn environments(&self, answer: &BTreeMap<EnvironmentName, bool>) {
        self.environments.forget(&[]);
        for (name, answers) in answer {
            let labels = vec![("environment", name.to_string())];
            let answers = f64::from(u8::from(*answers));
            self.environments.with(labels).set(answers);
        }
    }

    pub(super) fn config_loaded(&self, at: Timestamp, files_with_errors: usize) {
        let success = f64::from(u8::from(files_with_errors == 0));
        self.config_success.with(Vec::new()).set(success);
        self.config_time.with(Vec::new()).set(seconds(at));
        let errors = u32::try_from(files_with_errors).unwrap_or(u32::MAX);
        self.config_errors.with(Vec::new()).set(f64::from(errors));
    }

    pub(super) fn records_behind(&self, entries: usize) {
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        self.records_behind.with(Vec::new()).set(f64::from(entries));
    }

    pub(super) fn hints(&self, result: &'static str, messages: usize) {
        let labels = vec![("result", result.to_owned())];
        self.hints.with(labels).inc_by(messages as u64);
    }

    pub(super) fn called(&self, call: &Call<'_>) {
        let result = ("result", call.result.word().to_owned());
        let operation = call.operation.to_owned();
        let counter = match call.system {
            System::Aws(service) => self.aws.with(vec![
                ("service", service.to_owned()),
                ("operation", operation),
                result,
            ]),
            System::Kubernetes => self.kubernetes.with(vec![("verb", operation), result]),
        };
        counter.inc();
    }
}
