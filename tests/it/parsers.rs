//! Everything that reads what people, CI and tests have written: group files,
//! manifests, reports and tags. Whatever it is given, it neither panics nor hangs,
//! and what it says of it is true.
//!
//! Inputs are made from what is well-formed, and then broken in places, since
//! what is plain noise is turned away at the door. Here a bounded number of
//! them is read, the same ones in every run; `cargo xtask fuzz` runs the same
//! tests with a million others each, in processes of their own, where a stack
//! that overflows and an input that takes too long are caught as well.

mod groups;
mod junit;
mod manifests;
mod sizes;
mod tags;
mod tap;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::Config;

use crate::support::given;

/// Inputs of a property in a run that `cargo xtask fuzz` has not told otherwise.
const CASES: u32 = 150;

/// How many inputs, and which.
fn cases() -> Config {
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return Config {
            failure_persistence: None,
            ..Config::default()
        };
    }
    given::cases(CASES)
}

/// One way in which a text is broken.
#[derive(Debug, Clone)]
enum Edit {
    /// Leaves bytes out.
    Cut(Index, usize),
    /// Writes bytes several times.
    Repeat(Index, usize, usize),
    /// Writes something in between.
    Insert(Index, String),
    /// Writes a line in between.
    InsertLine(Index, String),
    /// Leaves a line out.
    CutLine(Index),
    /// Writes a line once more elsewhere.
    CopyLine(Index, Index),
    /// Leaves out all that follows.
    End(Index),
}

/// Edits with words of the text's language.
fn edit(words: &'static [&'static str]) -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    let word = prop_oneof![
        8 => prop::sample::select(words).prop_map(str::to_owned),
        2 => "\\PC{0,4}",
        1 => any::<char>().prop_map(String::from),
    ];
    let line = prop::collection::vec(prop::sample::select(words), 1..5);
    prop_oneof![
        2 => (place(), 1_usize..12).prop_map(|(at, most)| Edit::Cut(at, most)),
        1 => (place(), 1_usize..30, 2_usize..200).prop_map(|(at, most, times)| Edit::Repeat(at, most, times)),
        4 => (place(), word).prop_map(|(at, text)| Edit::Insert(at, text)),
        2 => (place(), line).prop_map(|(at, words)| Edit::InsertLine(at, words.concat())),
        2 => place().prop_map(Edit::CutLine),
        2 => (place(), place()).prop_map(|(from, to)| Edit::CopyLine(from, to)),
        1 => place().prop_map(Edit::End),
    ]
}

/// A text that is broken in a few places, or in none.
fn broken(
    whole: impl Strategy<Value = String>,
    words: &'static [&'static str],
) -> impl Strategy<Value = String> {
    (whole, prop::collection::vec(edit(words), 0..6))
        .prop_map(|(text, edits)| edits.iter().fold(text, |text, edit| edit.apply(text)))
}

impl Edit {
    fn apply(&self, mut text: String) -> String {
        let byte = |at: &Index, text: &str| text.floor_char_boundary(at.index(text.len() + 1));
        let range = |at: &Index, most: usize, text: &str| {
            let start = byte(at, text);
            start..text.ceil_char_boundary((start + most).min(text.len()))
        };
        match self {
            Self::Cut(at, most) => text.replace_range(range(at, *most, &text), ""),
            Self::Repeat(at, most, times) => {
                let range = range(at, *most, &text);
                let more = text[range.clone()].repeat(*times);
                text.insert_str(range.start, &more);
            }
            Self::Insert(at, more) => text.insert_str(byte(at, &text), more),
            Self::End(at) => text.truncate(byte(at, &text)),
            Self::InsertLine(..) | Self::CutLine(..) | Self::CopyLine(..) => {
                let mut lines: Vec<_> = text.split('\n').collect();
                match self {
                    Self::InsertLine(at, line) => lines.insert(at.index(lines.len() + 1), line),
                    Self::CutLine(at) => drop(lines.remove(at.index(lines.len()))),
                    Self::CopyLine(from, to) => {
                        let line = lines[from.index(lines.len())];
                        lines.insert(to.index(lines.len() + 1), line);
                    }
                    _ => {}
                }
                return lines.join("\n");
            }
        }
        text
    }
}
