//! Traces of promotions, for an OpenTelemetry collector (OTLP over HTTP, protobuf).
//!
//! Input: the events of promotions, and the `OTEL_` variables as OpenTelemetry
//! specifies them. Output: one trace for each promotion. Nothing waits for the
//! collector: while it is away, so many of the newest spans wait, and that is
//! said once. Headers and address, which may hold a login, are never told.

mod queue;
mod send;
mod span;
mod traces;

use std::env;

use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter as _;
use thiserror::Error;
use tokio::task::JoinHandle;

use crate::group::name::{EnvironmentName, GroupName};
use queue::Queue;
use send::{LastStatus, Sender};

pub use traces::Traces;

/// Where traces go; nowhere unless one of them is set.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
/// What the process is called, unless `OTEL_SERVICE_NAME` says otherwise.
const SERVICE: &str = "promoter";

/// What brings spans to a collector.
pub struct Otlp {
    queue: Queue,
    worker: JoinHandle<()>,
}

/// Why no traces can be sent.
#[derive(Debug, Error)]
pub enum OtlpError {
    /// The address, the protocol or a header is none. It is not repeated, as there may be a
    /// login in it.
    #[error(
        "the OTEL_EXPORTER_OTLP_ variables cannot be used: give a URL like http://collector:4318"
    )]
    Settings,
    /// There is nothing to send with.
    #[error("this build has no HTTP client to send traces with")]
    NoClient,
}

impl Otlp {
    /// Begins to send, where the environment says where to. `None`: it does not, or
    /// says that nothing is to be sent. Needs a runtime.
    ///
    /// # Errors
    /// What it says cannot be used.
    pub fn from_environment() -> Option<Result<Self, OtlpError>> {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let is = |name: &str, value: &str| set(name).is_some_and(|set| set == value);
        let off = is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none");
        let wanted = ENDPOINTS.iter().any(|name| set(name).is_some());
        (wanted && !off).then(|| Self::start(None))
    }

    /// Begins to send to the address of a collector, its path included. Needs a runtime.
    ///
    /// # Errors
    /// It is none.
    pub fn to(endpoint: &str) -> Result<Self, OtlpError> {
        Self::start(Some(endpoint))
    }

    fn start(endpoint: Option<&str>) -> Result<Self, OtlpError> {
        let status = LastStatus::default();
        let sender = Sender::new(status.clone()).ok_or(OtlpError::NoClient)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            // It would put the whole thread to sleep between two attempts.
            .with_retry_policy(RetryPolicy::disabled());
        let exporter = match endpoint {
            Some(endpoint) => exporter.with_endpoint(endpoint),
            None => exporter,
        };
        let mut exporter = exporter.build().map_err(|_| OtlpError::Settings)?;
        exporter.set_resource(&resource());
        let queue = Queue::new();
        let worker = tokio::spawn(queue.clone().run(exporter, status));
        Ok(Self { queue, worker })
    }

    /// A consumer of a group's events.
    pub fn group(&self, environment: &EnvironmentName, group: &GroupName) -> Traces {
        Traces::new(self.queue.clone(), environment.clone(), group.clone())
    }
}

impl Drop for Otlp {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

/// Who sends, with what `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say.
fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let told = Resource::builder().build();
    let name = told.get(&Key::from_static_str("service.name"));
    let name = name.map(|name| name.to_string()).unwrap_or_default();
    let builder = Resource::builder().with_attribute(version);
    // That of the library for who has none.
    if name.is_empty() || name.starts_with("unknown_service") {
        builder.with_service_name(SERVICE).build()
    } else {
        builder.build()
    }
}
