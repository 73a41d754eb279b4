//! Reads the block of YAML that may follow a test line.
//!
//! Input: the lines between `---` and `...`. Output: the few fields people need
//! to understand a failure, as text. It is no YAML parser: a field is a key at
//! the block's own indentation with all that stands deeper below it, which is
//! how test runners print them. What is kept is bounded; nothing is an error.

use std::time::Duration;

use crate::plan::text::cut;
use crate::promotion::check::{DIAGNOSTIC_BYTES, LINE_BYTES};

/// The fields that are shown, in this order.
const SHOWN: [&str; 8] = [
    "error",
    "message",
    "expected",
    "actual",
    "failureType",
    "at",
    "location",
    "stack",
];

/// Most bytes kept of one field.
const FIELD_BYTES: usize = 800;

/// Most lines kept of a stack trace; what is further down is the runner's.
const STACK_LINES: usize = 6;

/// A block while it is read.
#[derive(Debug)]
pub(super) struct Block {
    /// Number of spaces before its `---`; its `...` has as many.
    pub(super) indent: usize,
    /// Number of spaces before its keys, known from the first of them.
    keys: Option<usize>,
    /// The field being read.
    open: Option<usize>,
    fields: [Field; SHOWN.len()],
    duration_ms: Option<u64>,
    suite: bool,
}

#[derive(Debug, Default)]
struct Field {
    lines: Vec<String>,
    size: usize,
    /// Whether the rest has been cut off.
    full: bool,
}

/// What a block says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) duration_ms: Option<u64>,
    /// Whether the line is that of a suite rather than of a test, as Node says.
    pub(super) suite: bool,
    pub(super) diagnostic: Option<String>,
}

impl Block {
    pub(super) fn new(indent: usize) -> Self {
        Self {
            indent,
            keys: None,
            open: None,
            fields: Default::default(),
            duration_ms: None,
            suite: false,
        }
    }

    /// Whether the line closes this block. The text of a field stands deeper,
    /// so that dots in it do not.
    pub(super) fn is_closed_by(&self, indent: usize, line: &str) -> bool {
        indent == self.indent && line.trim() == "..."
    }

    /// Takes the next line of the block.
    pub(super) fn line(&mut self, line: &str) {
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        let keys = match self.keys {
            Some(keys) => keys,
            None if text.is_empty() => return,
            None => *self.keys.insert(indent),
        };
        if text.is_empty() || indent > keys {
            let most = indent.min(keys + 2);
            self.push(&line[most..]);
        } else if indent == keys {
            self.key(text);
        }
    }

    fn key(&mut self, text: &str) {
        self.open = None;
        let Some((key, value)) = text.split_once(':') else {
            return;
        };
        let value = scalar(value.trim());
        match key {
            "duration_ms" => self.duration_ms = milliseconds(value),
            "type" => self.suite = value == "suite",
            _ => {
                self.open = SHOWN.iter().position(|shown| *shown == key);
                if !value.is_empty() {
                    self.push(&value.replace("''", "'"));
                }
            }
        }
    }

    /// Adds a line to the field being read, if it is one of those shown.
    fn push(&mut self, line: &str) {
        let Some(open) = self.open else { return };
        let (Some(field), Some(name)) = (self.fields.get_mut(open), SHOWN.get(open)) else {
            return;
        };
        let line = line.trim_end();
        let most = if *name == "stack" {
            STACK_LINES
        } else {
            usize::MAX
        };
        if field.full || (field.lines.is_empty() && line.is_empty()) {
            return;
        }
        if field.size >= FIELD_BYTES || field.lines.len() >= most {
            field.full = true;
            field.lines.push("…".to_owned());
            return;
        }
        field.size += line.len() + 1;
        field.lines.push(cut(line, LINE_BYTES));
    }

    /// What the block says, once it is closed.
    pub(super) fn details(self) -> Details {
        let mut text = String::new();
        for (name, field) in SHOWN.iter().zip(self.fields) {
            let mut lines = field.lines;
            while lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
            let parts = match lines.as_slice() {
                [] => continue,
                [line] => [name, ": ", line, "\n"].concat(),
                lines => [name, ":\n", &indented(lines)].concat(),
            };
            text.push_str(&parts);
        }
        Details {
            duration_ms: self.duration_ms,
            suite: self.suite,
            diagnostic: (!text.is_empty()).then(|| cut(text.trim_end(), DIAGNOSTIC_BYTES)),
        }
    }
}

fn indented(lines: &[String]) -> String {
    let line = |line: &String| match line.as_str() {
        "" => "\n".to_owned(),
        text => format!("  {text}\n"),
    };
    lines.iter().map(line).collect::<Vec<_>>().concat()
}

/// The text of a one-line value; empty for the head of a longer one.
fn scalar(value: &str) -> &str {
    if value.starts_with(['|', '>']) {
        return "";
    }
    ['\'', '"']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

fn milliseconds(value: &str) -> Option<u64> {
    let milliseconds: f64 = value.parse().ok()?;
    let duration = Duration::try_from_secs_f64(milliseconds / 1000.0).ok()?;
    u64::try_from(duration.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Details {
        let mut block = Block::new(2);
        for line in text.lines() {
            block.line(line);
        }
        block.details()
    }

    #[test]
    fn a_failure_of_node() {
        let details = read(concat!(
            "  duration_ms: 1223.412\n",
            "  location: '/tests/b.test.js:3:35'\n",
            "  failureType: 'testCodeFailure'\n",
            "  error: |-\n",
            "    Expected values to be strictly deep-equal:\n",
            "    + actual - expected\n",
            "    \n",
            "      {\n",
            "    +   a: 1\n",
            "    -   a: 2\n",
            "      }\n",
            "    \n",
            "  code: 'ERR_ASSERTION'\n",
            "  expected:\n",
            "    a: 2\n",
            "  actual:\n",
            "    a: 1\n",
            "  stack: |-\n",
            "    one\n    two\n    three\n    four\n    five\n    six\n    seven\n    eight\n",
        ));
        assert_eq!(details.duration_ms, Some(1223));
        assert!(!details.suite);
        insta::assert_snapshot!(details.diagnostic.unwrap_or_default(), @r"
        error:
          Expected values to be strictly deep-equal:
          + actual - expected

            {
          +   a: 1
          -   a: 2
            }
        expected: a: 2
        actual: a: 1
        failureType: testCodeFailure
        location: /tests/b.test.js:3:35
        stack:
          one
          two
          three
          four
          five
          six
          …
        ");
    }

    #[test]
    fn a_failure_of_tape() {
        let details = read(concat!(
            "    operator: equal\n",
            "    expected: 2\n",
            "    actual:   1\n",
            "    at: Test.<anonymous> (/t.js:2:54)\n",
        ));
        insta::assert_snapshot!(details.diagnostic.unwrap_or_default(), @r"
        expected: 2
        actual: 1
        at: Test.<anonymous> (/t.js:2:54)
        ");
    }

    #[test]
    fn what_is_not_shown() {
        assert_eq!(
            read("  duration_ms: -3\n  type: 'suite'\n  code: 'x'\n"),
            Details {
                duration_ms: None,
                suite: true,
                diagnostic: None
            }
        );
        assert_eq!(read("\n\nno key\n      deep\n"), Details::default());
    }

    #[test]
    fn much_is_cut() {
        let long = "  error: |-\n".to_owned() + &"    word word word\n".repeat(10_000);
        let text = read(&long).diagnostic.unwrap_or_default();
        assert!(text.len() < DIAGNOSTIC_BYTES && text.ends_with('…'));
        let wide: String = SHOWN
            .map(|key| format!("  {key}: {}\n", "ä".repeat(9000)))
            .concat();
        let text = read(&wide).diagnostic.unwrap_or_default();
        assert!(text.len() <= DIAGNOSTIC_BYTES && text.ends_with('…'));
    }
}
