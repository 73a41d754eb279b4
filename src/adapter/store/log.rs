//! What a check writes, gathered line by line and bounded.
//!
//! The beginning and the end are kept, as what matters stands there; what is
//! left out in between is counted in its place.

use std::collections::VecDeque;
use std::fmt::Write as _;

use crate::plan::text::cut;

/// Most bytes kept of the beginning of a log, and as many of its end.
const PART: usize = 256 * 1024;
/// Most bytes kept of one line.
const LINE: usize = 16 * 1024;

/// What one run of a check wrote so far.
#[derive(Debug)]
pub(super) struct Gathering {
    attempt: u32,
    head: String,
    /// Set once the beginning is full.
    tail: VecDeque<String>,
    tail_bytes: usize,
    left_out: usize,
}

impl Gathering {
    /// Nothing yet.
    pub(super) fn of_run(attempt: u32) -> Self {
        Self {
            attempt,
            head: String::new(),
            tail: VecDeque::new(),
            tail_bytes: 0,
            left_out: 0,
        }
    }

    /// The run that writes.
    pub(super) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Takes one more line.
    pub(super) fn line(&mut self, line: &str) {
        let mut line = cut(line, LINE);
        line.push('\n');
        if self.tail.is_empty() && self.head.len() + line.len() <= PART {
            self.head.push_str(&line);
            return;
        }
        self.tail_bytes += line.len();
        self.tail.push_back(line);
        while self.tail_bytes > PART {
            let Some(first) = self.tail.pop_front() else {
                return;
            };
            self.tail_bytes -= first.len();
            self.left_out += 1;
        }
    }

    /// What is kept of it; `None`: it wrote nothing.
    pub(super) fn finish(self) -> Option<String> {
        let mut text = self.head;
        if self.left_out > 0 {
            let _ = writeln!(text, "… {} lines are left out here …", self.left_out);
        }
        text.extend(self.tail);
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: impl Iterator<Item = String>) -> Option<String> {
        let mut gathering = Gathering::of_run(1);
        lines.for_each(|line| gathering.line(&line));
        gathering.finish()
    }

    #[test]
    fn a_log_is_kept_as_it_is() {
        assert_eq!(log(std::iter::empty()), None);
        let text = log(["one", "", "two"].map(str::to_owned).into_iter());
        assert_eq!(text.unwrap(), "one\n\ntwo\n");
    }

    #[test]
    fn of_a_long_one_beginning_and_end_are_kept_and_the_cut_is_marked() {
        let lines = 100_000;
        let text = log((0..lines).map(|n| format!("line {n}"))).unwrap();
        assert!(text.len() < 2 * PART + 100, "{}", text.len());
        assert!(text.starts_with("line 0\nline 1\n"));
        assert!(text.ends_with(&format!("line {}\n", lines - 1)));
        let (kept, marks): (Vec<_>, Vec<_>) = text.lines().partition(|line| !line.starts_with('…'));
        let left_out = lines - kept.len();
        assert_eq!(marks, [format!("… {left_out} lines are left out here …")]);
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let text = log(std::iter::once("x".repeat(1 << 20))).unwrap();
        assert!(text.len() <= LINE + 1, "{}", text.len());
    }
}
