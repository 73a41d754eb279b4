//! A log of lines of JSON, one for each event of `tracing`.
//!
//! A line has its time (UTC), its level and what happened, and beside them what
//! it is about: group, environment, promotion, phase and trigger, where they
//! apply. What else an event of a library bears is kept apart, so that it is
//! taken for nothing of promoter's.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, MakeWriter, SubscriberBuilder};
use tracing_subscriber::fmt::{FormatFields, Subscriber as Written};
use tracing_subscriber::registry::LookupSpan;

/// What a line of promoter's may be about.
const ABOUT: [&str; 5] = ["group", "environment", "promotion", "phase", "trigger"];

/// A subscriber that writes such lines, and whose filter is to be set.
pub(super) fn lines<W>(to: W) -> SubscriberBuilder<DefaultFields, Lines, LevelFilter, W>
where
    W: for<'a> MakeWriter<'a> + 'static,
{
    Written::builder().event_format(Lines).with_writer(to)
}

/// Writes each event as an object.
pub(super) struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = event.metadata().level().as_str().to_lowercase();
        let time = Value::from(format!("{:.3}", Timestamp::now()));
        let message = Value::from(fields.message);
        write!(
            writer,
            r#"{{"time":{time},"level":"{level}","message":{message}"#
        )?;
        for name in ABOUT {
            if let Some(value) = fields.about.get(name) {
                write!(writer, r#","{name}":{value}"#)?;
            }
        }
        if !fields.others.is_empty() {
            let target = Value::from(event.metadata().target());
            let others = Value::from(fields.others);
            write!(writer, r#","target":{target},"fields":{others}"#)?;
        }
        writeln!(writer, "}}")
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    about: Map<String, Value>,
    others: Map<String, Value>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        let into = if ABOUT.contains(&field.name()) {
            &mut self.about
        } else {
            &mut self.others
        };
        into.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.add(field, text.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.add(field, value.into());
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value.into());
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::{info, warn};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// All that is logged meanwhile, without the times.
    pub(crate) fn logged(during: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = lines(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, during);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let without = |line: &str| {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
            let line = line.strip_prefix(r#"{"time":""#).unwrap();
            let (time, line) = line.split_once("\",").unwrap();
            assert!(
                time.ends_with('Z') && time.parse::<Timestamp>().is_ok(),
                "{time}"
            );
            format!("{{{line}")
        };
        text.lines().map(without).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_event_is_a_line() {
        let promotion: Option<&str> = None;
        let lines = logged(|| {
            info!(group = "master", promotion, "two\nlines and \"quotes\"");
            warn!(attempts = 3, ok = false, error = %"no", "of a library");
            tracing::debug!("less than is asked for");
        });
        insta::assert_snapshot!(lines, @r#"
        {"level":"info","message":"two\nlines and \"quotes\"","group":"master"}
        {"level":"warn","message":"of a library","target":"promoter::config::log::tests","fields":{"attempts":3,"error":"no","ok":false}}
        "#);
    }
}
