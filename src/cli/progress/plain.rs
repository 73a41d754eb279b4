//! One line per event, each of which can be read alone: for logs of CI and
//! whatever else is no terminal.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use anstream::AutoStream;

use super::story::Story;
use crate::cli::view::terminal;
use crate::cli::view::{BOLD, DIM, Line};
use crate::port::Recorder;
use crate::promotion::event::Event;

/// Columns before the rest of a line that was broken.
const INDENT: usize = 11;

/// Writes each event as one line with its time in UTC.
pub struct Plain<W = AutoStream<std::io::Stderr>>(Mutex<Written<W>>);

struct Written<W> {
    out: W,
    columns: usize,
    story: Story,
}

impl Plain {
    /// Writes to standard error; `stream` also writes every line of the checks.
    pub fn new(stream: bool) -> Self {
        Self::to(anstream::stderr(), stream, terminal::messages())
    }
}

impl<W: Write> Plain<W> {
    /// Writes to anything else; longer lines are broken between words.
    pub fn to(out: W, stream: bool, columns: usize) -> Self {
        Self(Mutex::new(Written {
            out,
            columns,
            story: Story::new(stream),
        }))
    }
}

impl Plain<Vec<u8>> {
    /// All that was written.
    pub fn into_text(self) -> String {
        let written = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written.out).into_owned()
    }
}

impl<W: Write + Send> Recorder for Plain<W> {
    fn record(&self, event: Event) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, group) = (event.at, event.group.clone());
        for text in written.story.tell(event) {
            let phase = written.story.phase();
            let phase = phase.map_or_else(String::new, |phase| phase.to_string());
            let line = Line::new().with(DIM, at.strftime("%H:%M:%S ").to_string());
            let line = line
                .with(BOLD, group.as_str())
                .and(format!("  {phase:<9}  "))
                .join(text);
            // A reader that is gone must not fail the promotion.
            for line in line.wrap(written.columns, INDENT) {
                drop(writeln!(written.out, "{}", line.styled()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::progress::sample::{aborted, promoted};
    use crate::cli::view::sample::plain;

    fn lines(events: Vec<Event>, stream: bool) -> String {
        let shown = Plain::to(Vec::new(), stream, usize::MAX);
        for event in events {
            shown.record(event);
        }
        plain(&shown.into_text())
    }

    #[test]
    fn a_promotion_line_by_line() {
        insta::assert_snapshot!(lines(promoted(), false), @r"
        10:04:07 master  planned    promotion 0tq00001: release 9f8e7d6c5b4a into green; blue serves release bluerelease0
        10:04:07 master  planned    apps: hello-a master-42-000002a, hello-b master-42-000002a
        10:04:07 master  planned    checks: greets, smoke
        10:04:08 master  deploying  hello-a green 0/2 ready
        10:04:08 master  deploying  waits for pods of hello-a, hello-b to be ready, until 10:09:07 at the latest
        10:04:11 master  deploying  hello-a green 2/2 ready
        10:04:12 master  deploying  hello-b green 1/2 ready: unschedulable: 0/2 nodes are available: 2 Insufficient memory
        10:04:13 master  deploying  warning: failed to reach the cluster; trying again
        10:04:16 master  deploying  hello-b green 2/2 ready
        10:04:16 master  checking   all candidates are ready
        10:04:18 master  checking   check greets started
        10:04:18 master  checking   check smoke started
        10:04:18 master  checking   waits for check greets: its container to end; check smoke: its container to end, until 10:09:07 at the latest
        10:04:21 master  checking   check smoke is run again: its pod was deleted
        10:04:21 master  checking   check smoke started, run 2
        10:04:22 master  checking   check greets passed in 4.2s: 14 test cases passed
        10:04:27 master  checking   check smoke passed in 4.2s: exit 0
        10:04:27 master  promoting  the gate lets it pass
        10:04:27 master  promoting  switched 2 Services to green in 14 ms
        10:04:28 master  settling   keep_old: blue stays for an instant way back, until 10:09:07 at the latest
        10:04:58 master  settling   hello-a blue is gone
        10:04:59 master  settling   hello-b blue is gone
        10:04:59 master  promoted   the old colour is gone
        10:04:59 master  promoted   ended after 52s
        ");
    }

    #[test]
    fn an_abort_with_all_that_checks_write() {
        let lines = lines(aborted(), true);
        let end = lines.lines().skip_while(|line| !line.contains('│'));
        insta::assert_snapshot!(end.collect::<Vec<_>>().join("\n"), @r"
        10:04:19 master  checking   greets │ ok 1 - greets
        10:04:19 master  checking   greets │ 
        10:04:22 master  checking   check greets failed in 4.2s: exit 1; 2 of 14 test cases failed: greets > in French, with accents
        10:04:22 master  aborting   check greets failed: exit 1
        10:04:22 master  aborting   app hello-a: somebody changed its candidate
        10:04:25 master  aborted    the candidate is gone
        10:04:25 master  aborted    ended after 18s
        ");
    }
}
