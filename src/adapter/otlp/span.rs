//! Spans whose identities follow from what they are of.
//!
//! Whoever goes on with a promotion after a crash makes the same identities, so
//! that what both of them saw is one trace.

use std::borrow::Cow;
use std::time::SystemTime;

use jiff::Timestamp;
use opentelemetry::trace::{
    Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use sha2::{Digest as _, Sha256};

use crate::group::name::GroupName;
use crate::promotion::id::PromotionId;

/// Most events that are kept of a span; later ones are counted.
const MOST_EVENTS: usize = 128;
/// Longest text that is kept, in characters.
const LONGEST: usize = 400;

/// A promotion's trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trace(TraceId);

impl Trace {
    /// The same for the same promotion, whoever asks.
    pub(super) fn of(group: &GroupName, promotion: &PromotionId) -> Self {
        let of = format!("promoter trace\n{group}\n{promotion}");
        let hash = Sha256::digest(of.as_bytes());
        Self(TraceId::from_bytes(first(&hash)))
    }

    /// The identity of what it calls by that name.
    pub(super) fn span(self, name: &str) -> SpanId {
        let mut hash = Sha256::new();
        hash.update(self.0.to_bytes());
        hash.update(name.as_bytes());
        SpanId::from_bytes(first(&hash.finalize()))
    }

    /// That of the promotion itself.
    pub(super) fn root(self) -> SpanId {
        self.span("promotion")
    }
}

fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash[..N]);
    bytes
}

/// A span that has not ended.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: SpanId,
    pub(super) name: String,
    /// `None`: it is the promotion itself.
    pub(super) parent: Option<SpanId>,
    pub(super) since: Timestamp,
    pub(super) attributes: Vec<KeyValue>,
    events: SpanEvents,
}

impl Open {
    pub(super) fn new(id: SpanId, name: String, parent: Option<SpanId>, since: Timestamp) -> Self {
        Self {
            id,
            name,
            parent,
            since,
            attributes: Vec::new(),
            events: SpanEvents::default(),
        }
    }

    pub(super) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    pub(super) fn set(&mut self, key: &'static str, value: impl Into<String>) {
        self.attributes.push(KeyValue::new(key, value.into()));
    }

    /// Something happened meanwhile.
    pub(super) fn add(&mut self, name: &'static str, at: Timestamp, message: &str) {
        if self.events.events.len() == MOST_EVENTS {
            self.events.dropped_count += 1;
            return;
        }
        let message = KeyValue::new("message", shortened(message));
        let event = Event::new(name, SystemTime::from(at), vec![message], 0);
        self.events.events.push(event);
    }

    /// It ended; `wrong` says how, if not well.
    pub(super) fn end(self, trace: Trace, at: Timestamp, wrong: Option<String>) -> SpanData {
        let status = match wrong {
            None => Status::Ok,
            Some(why) => Status::error(shortened(&why)),
        };
        let sampled = TraceFlags::SAMPLED;
        SpanData {
            span_context: SpanContext::new(trace.0, self.id, sampled, false, TraceState::NONE),
            parent_span_id: self.parent.unwrap_or(SpanId::INVALID),
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: Cow::Owned(self.name),
            start_time: self.since.into(),
            // A clock may be put back.
            end_time: at.max(self.since).into(),
            attributes: self.attributes,
            dropped_attributes_count: 0,
            events: self.events,
            links: SpanLinks::default(),
            status,
            instrumentation_scope: InstrumentationScope::builder("promoter")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
