//! One event per line of JSON, and nothing else.

use std::io::{self, Write};
use std::sync::Mutex;

use crate::port::Recorder;
use crate::promotion::event::Event;

/// Writes each event as one line of JSON.
pub struct Json<W = io::Stdout>(Mutex<W>);

impl Json {
    /// Writes to standard output.
    pub fn new() -> Self {
        Self::to(io::stdout())
    }
}

impl Default for Json {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Write> Json<W> {
    /// Writes to anything else.
    pub fn to(out: W) -> Self {
        Self(Mutex::new(out))
    }
}

impl<W: Write + Send> Recorder for Json<W> {
    fn record(&self, event: Event) {
        let (Ok(mut out), Ok(mut line)) = (self.0.lock(), serde_json::to_vec(&event)) else {
            return;
        };
        line.push(b'\n');
        // A reader that is gone must not fail the promotion.
        drop(out.write_all(&line).and_then(|()| out.flush()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::progress::sample::{event, waiting};
    use crate::promotion::event::Fact;

    #[test]
    fn an_event_is_a_line() {
        let json = Json::to(Vec::new());
        json.record(waiting(1, "pods of\nhello-a"));
        json.record(event(2, Fact::SwitchedBack));
        let written = json.0.into_inner().unwrap();
        insta::assert_snapshot!(String::from_utf8(written).unwrap(), @r#"
        {"at":"2026-11-21T10:04:08Z","group":"master","promotion":"0tq00001","event":"waiting","waitFor":"pods of\nhello-a","until":"2026-11-21T10:09:07Z"}
        {"at":"2026-11-21T10:04:09Z","group":"master","promotion":"0tq00001","event":"switched-back"}
        "#);
    }
}
