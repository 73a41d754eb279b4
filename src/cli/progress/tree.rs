//! A promotion drawn on a terminal again and again: apps, checks and what is
//! waited for, below the lines that stay.
//!
//! [`state`] keeps what the events said, [`draw`] makes lines of it, [`screen`]
//! writes them. Only a thread of its own writes, ten times a second: whoever
//! records an event never waits for the terminal.

mod draw;
mod screen;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;

use crate::cli::view::{Line, terminal};
use crate::port::Recorder;
use crate::promotion::event::Event;
use draw::Moment;
use screen::Screen;
use state::State;

/// Time between two drawings.
const TICK: Duration = Duration::from_millis(100);

/// Draws a promotion on standard error.
pub struct Tree {
    shared: Arc<Shared>,
    drawing: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    shown: Mutex<Shown>,
    wake: Condvar,
}

#[derive(Default)]
struct Shown {
    state: State,
    /// Lines that are to stay above the tree and are not written yet.
    above: Vec<Line>,
    /// The last event's time and when it came; tells the time without a clock.
    last: Option<(Timestamp, Instant)>,
    finished: bool,
}

impl Tree {
    /// Begins to draw. With `stream`, every line that a check writes stays
    /// above the tree; without, its last one is shown in the tree.
    pub fn new(stream: bool) -> Self {
        let shared = Arc::new(Shared::default());
        shared.lock().state.stream = stream;
        let drawn = Arc::clone(&shared);
        // Without a thread nothing is drawn, and the promotion goes on.
        let drawing = Builder::new()
            .name("progress".to_owned())
            .spawn(move || drawn.draw());
        Self {
            shared,
            drawing: Mutex::new(drawing.ok()),
        }
    }

    /// Writes a line above the tree; any other way would be drawn over.
    pub fn say(&self, text: &str) {
        self.shared.lock().above.push(Line::new().and(text));
    }

    /// Draws the last state, which stays, and ends.
    pub fn finish(&self) {
        self.shared.lock().finished = true;
        self.shared.wake.notify_all();
        let drawing = self
            .drawing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(drawing) = drawing {
            // A thread that panicked has nothing more to draw.
            drop(drawing.join());
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Recorder for Tree {
    fn record(&self, event: Event) {
        let mut shown = self.shared.lock();
        shown.last = Some((event.at, Instant::now()));
        let lines = shown.state.take(event);
        shown.above.extend(lines);
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) {
        let color = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
        let mut screen = Screen::new(io::stderr(), color);
        let began = Instant::now();
        loop {
            let size = terminal::of_progress();
            let mut shown = self.lock();
            let finished = shown.finished;
            let moment = Moment {
                now: shown.now(),
                passed: began.elapsed(),
                finished,
            };
            let above = std::mem::take(&mut shown.above);
            let above: Vec<_> = above
                .into_iter()
                .flat_map(|line| line.wrap(size.columns, 2))
                .collect();
            let tree = draw::lines(&shown.state, moment, size);
            drop(shown);
            // A terminal that is gone must not fail the promotion.
            drop(screen.frame(&above, tree, size.columns));
            if finished {
                return;
            }
            let shown = self.lock();
            drop(
                self.wake
                    .wait_timeout_while(shown, TICK, |shown| !shown.finished),
            );
        }
    }
}

impl Shown {
    fn now(&self) -> Timestamp {
        self.last.map_or(Timestamp::UNIX_EPOCH, |(at, came)| {
            at.saturating_add(came.elapsed()).unwrap_or(Timestamp::MAX)
        })
    }
}
