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
