//! Lines for people.

use crate::port::Recorder;
use crate::promotion::event::Event;

/// Shows events to people.
pub struct Plain {
    stream: bool,
}

impl Plain {
    /// Writes to standard error; `stream` shows every line of the checks.
    pub fn new(stream: bool) -> Self {
        Self { stream }
    }

    /// Ends the display.
    pub fn finish(&self) {}
}

impl Recorder for Plain {
    fn record(&self, event: Event) {
        if self.stream {
            anstream::eprintln!("{event:?}");
        }
    }
}
