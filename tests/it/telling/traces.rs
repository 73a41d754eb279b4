//! What a collector is told.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use promoter::adapter::otlp::Otlp;
use promoter::group::name::{EnvironmentName, GroupName};
use promoter::port::Recorder as _;
use promoter::promotion::event::Event;
use prost::Message as _;
use serde_json::json;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{ended, entered, event, finished, promoted, resumed, runs, started, tell, waiting};

async fn collector() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/traces"))
        .and(header("content-type", "application/x-protobuf"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    server
}

fn environment() -> EnvironmentName {
    EnvironmentName::parse("staging").unwrap()
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

/// Tells a collector of these events, in a process of its own.
async fn told(collector: &MockServer, events: Vec<Event>) {
    let otlp = Otlp::to(&format!("{}/v1/traces", collector.uri())).unwrap();
    let traces = otlp.group(&environment(), &group("master"));
    tell(&traces, events);
    traces.flush().await;
}

/// All that the collector got.
async fn requests(collector: &MockServer) -> Vec<ExportTraceServiceRequest> {
    let requests = collector.received_requests().await.unwrap();
    let decoded = requests
        .iter()
        .map(|request| ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap());
    decoded.collect()
}

async fn spans(collector: &MockServer) -> Vec<Span> {
    let requests = requests(collector).await.into_iter();
    requests
        .flat_map(|request| request.resource_spans)
        .flat_map(|of| of.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| {
        let value = attribute.value.clone().unwrap().value.unwrap();
        let Any::StringValue(text) = value else {
            panic!("{value:?}")
        };
        (attribute.key.clone(), text)
    };
    attributes.iter().map(text).collect()
}

/// Name, name of the parent, seconds from the promotion's beginning, and how it went.
fn tree(spans: &[Span]) -> Vec<String> {
    let began = spans.iter().map(|span| span.start_time_unix_nano).min();
    let began = began.unwrap();
    let name = |id: &[u8]| {
        let parent = spans.iter().find(|span| span.span_id == id);
        parent.map_or("-", |parent| parent.name.as_str()).to_owned()
    };
    let line = |span: &Span| {
        let seconds = |nanos: u64| (nanos - began) / 1_000_000_000;
        let (from, to) = (span.start_time_unix_nano, span.end_time_unix_nano);
        let status = span.status.clone().unwrap_or_default();
        let events = span.events.iter().map(|event| event.name.as_str());
        let events = events.collect::<Vec<_>>().join(" ");
        let parent = name(&span.parent_span_id);
        let line = format!(
            "{parent} > {}: {}-{} {}[{events}]",
            span.name,
            seconds(from),
            seconds(to),
            status.message
        );
        line
    };
    spans.iter().map(line).collect()
}

#[tokio::test]
async fn a_promotion_is_a_trace_with_its_phases_and_runs() {
    let collector = collector().await;
    told(&collector, promoted()).await;
    let spans = spans(&collector).await;
    assert_eq!(
        tree(&spans),
        [
            "RUN master > planned: 0-0 []",
            "deploying > hook migrate: 1-5 []",
            "RUN master > deploying: 0-10 [waiting]",
            "checking > check greets: 11-20 []",
            "RUN master > checking: 10-20 []",
            "RUN master > promoting: 20-21 []",
            "RUN master > settling: 21-60 []",
            "- > RUN master: 0-60 []",
        ]
    );
    let trace = &spans[0].trace_id;
    assert!(spans.iter().all(|span| span.trace_id == *trace));
    let root = attributes(&spans[7].attributes);
    for (key, expected) in [
        ("cicd.pipeline.name", "master"),
        ("cicd.pipeline.run.id", super::PROMOTION),
        ("cicd.pipeline.result", "success"),
        ("deployment.environment.name", "staging"),
        ("promoter.outcome", "promoted"),
        ("promoter.trigger", "cli"),
        ("promoter.release", "9f8e7d6c5b4a"),
    ] {
        assert_eq!(root.get(key).map(String::as_str), Some(expected), "{key}");
    }
    let run = attributes(&spans[3].attributes);
    assert_eq!(run["cicd.pipeline.task.type"], "test");
    assert_eq!(run["cicd.pipeline.task.run.result"], "success");

    let requests = requests(&collector).await;
    let resource = requests[0].resource_spans[0].resource.as_ref().unwrap();
    let resource = attributes(&resource.attributes);
    assert_eq!(resource["service.name"], "promoter");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn what_fails_says_why() {
    let collector = collector().await;
    let reasons = json!([{ "kind": "check", "text": "check greets failed" }]);
    let events = vec![
        started(0),
        entered(0, "Checking"),
        runs(1, "greets", 1),
        runs(1, "smoke", 1),
        event(3, "warning", json!({ "message": "the cluster is slow" })),
        ended(5, "greets", "Failed"),
        entered(5, "Aborting"),
        finished(30, "Aborted", &reasons),
    ];
    told(&collector, events).await;
    assert_eq!(
        tree(&spans(&collector).await),
        [
            "RUN master > planned: 0-0 []",
            "checking > check greets: 1-5 exit 1; 2 of 14 test cases failed[]",
            "RUN master > checking: 0-5 [warning]",
            "checking > check smoke: 1-30 the promotion ended before it[]",
            "RUN master > aborting: 5-30 []",
            "- > RUN master: 0-30 failed: check greets failed[]",
        ]
    );
}

/// The first one is killed while a check runs, after another has ended.
#[tokio::test]
async fn who_takes_over_goes_on_in_the_same_trace() {
    let collector = collector().await;
    let first = vec![
        started(0),
        entered(0, "Checking"),
        runs(1, "greets", 1),
        runs(1, "smoke", 1),
        ended(5, "greets", "Passed"),
    ];
    told(&collector, first).await;
    let second = vec![
        started(40),
        resumed(40, "Checking"),
        ended(40, "greets", "Passed"),
        waiting(41, "check smoke"),
        ended(50, "smoke", "Passed"),
        entered(50, "Promoting"),
        finished(60, "Promoted", &json!([])),
    ];
    told(&collector, second).await;
    let spans = spans(&collector).await;
    assert_eq!(
        tree(&spans),
        [
            "RUN master > planned: 0-0 []",
            // Its phase was not told: whoever saw it begin was killed.
            "- > check greets: 1-5 []",
            "checking > check smoke: 46-50 []",
            "RUN master > checking: 40-50 [waiting]",
            "RUN master > promoting: 50-60 []",
            "- > RUN master: 0-60 [resumed]",
        ]
    );
    let trace = &spans[0].trace_id;
    assert!(spans.iter().all(|span| span.trace_id == *trace));
}

#[tokio::test]
async fn promotions_of_other_groups_are_other_traces() {
    let collector = collector().await;
    let otlp = Otlp::to(&format!("{}/v1/traces", collector.uri())).unwrap();
    for name in ["master", "v2"] {
        let traces = otlp.group(&environment(), &group(name));
        tell(&traces, promoted());
        traces.flush().await;
    }
    let spans = spans(&collector).await;
    let traces: std::collections::BTreeSet<_> = spans.iter().map(|span| &span.trace_id).collect();
    assert_eq!((spans.len(), traces.len()), (16, 2));
}

/// A collector that takes what comes second.
async fn away_once() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    server
}

/// Nothing waits for it: neither who records nor, after the first time, who flushes.
#[tokio::test]
async fn a_collector_that_is_away_is_left_alone_and_gets_it_later() {
    let server = away_once().await;
    let otlp = Otlp::to(&format!("{}/v1/traces", server.uri())).unwrap();
    let traces = otlp.group(&environment(), &group("master"));
    tell(&traces, promoted());
    traces.flush().await;
    assert_eq!(requests(&server).await.len(), 1);
    tokio::time::pause();
    // Returns although nothing more was sent.
    traces.flush().await;
    assert_eq!(requests(&server).await.len(), 1);
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    tokio::time::resume();
    while requests(&server).await.len() < 2 {
        tokio::task::yield_now().await;
    }
    let sent = requests(&server).await;
    assert_eq!(sent[0], sent[1]);
}

/// A thousand promotions while nobody takes them.
#[tokio::test]
async fn what_waits_is_bounded() {
    let server = away_once().await;
    let otlp = Otlp::to(&format!("{}/v1/traces", server.uri())).unwrap();
    for n in 0..1000 {
        let traces = otlp.group(&environment(), &group(&format!("group-{n}")));
        tell(&traces, promoted());
    }
    let last = otlp.group(&environment(), &group("last"));
    last.flush().await;
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    tokio::time::resume();
    // The first request was tried in vain.
    while requests(&server).await.len() < 9 {
        last.flush().await;
        tokio::task::yield_now().await;
    }
    let spans = spans(&server).await;
    // What was tried once, and the 2048 that are kept.
    assert_eq!(spans.len(), 256 + 2048);
    assert_eq!(spans.last().unwrap().name, "RUN group-999");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_and_not_repeated() {
    let Err(error) = Otlp::to("http://user:not-to-be-seen@exa mple/") else {
        panic!("it was taken")
    };
    assert!(!format!("{error} {error:?}").contains("not-to-be-seen"));
}
