//! Takes the files apart that the container `report` wrote one after the other.
//!
//! Input: its output. Output: the files, and whether that was all. What stands where
//! nothing should means that something is missing, so that is not all.

use crate::plan::check::reporter::{BEGIN, DONE, END, FILE, OTHER, RECORD};

/// What the container wrote.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written<'a> {
    /// The files, in its order.
    pub(super) files: Vec<File<'a>>,
    /// What has such a name, and is no file.
    pub(super) others: Vec<&'a str>,
    /// Whether it is there from its beginning to its end, and nothing is missing
    /// between them.
    pub(super) is_whole: bool,
}

/// One file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    /// What `cat` exited with; `None`: it was cut off.
    pub(super) exit_code: Option<i32>,
}

/// A line that is not of a file.
enum Record<'a> {
    File(&'a str),
    Done(Option<i32>),
    Other(&'a str),
    End(Option<usize>),
    Unknown,
}

pub(super) fn written(output: &str) -> Written<'_> {
    let begun = output.strip_prefix(&format!("{RECORD}{BEGIN}\n"));
    let mut written = Written {
        files: Vec::new(),
        others: Vec::new(),
        is_whole: begun.is_some(),
    };
    let output = begun.unwrap_or(output);
    // The file that is open, and where it begins.
    let mut open: Option<(&str, usize)> = None;
    let mut ended = false;
    let mut at = 0;
    for line in output.split_inclusive('\n') {
        let begins = at;
        at += line.len();
        let Some(record) = line.strip_prefix(RECORD) else {
            written.is_whole &= open.is_some() || line.trim().is_empty();
            continue;
        };
        let closed = open
            .take()
            .map(|(path, from)| (path, &output[from..begins]));
        written.is_whole &= !ended;
        match (closed, Record::of(record)) {
            (None, Record::File(path)) => open = Some((path, at)),
            (None, Record::Other(path)) => written.others.push(path),
            (None, Record::End(count)) => {
                ended = true;
                written.is_whole &= count == Some(written.files.len() + written.others.len());
            }
            (Some((path, text)), Record::Done(exit_code)) => written.files.push(File {
                path,
                text,
                exit_code,
            }),
            (closed, _) => {
                written.is_whole = false;
                written.files.extend(closed.map(File::cut_off));
            }
        }
    }
    let rest = open.map(|(path, from)| (path, &output[from..]));
    written.files.extend(rest.map(File::cut_off));
    written.is_whole &= ended;
    written
}

impl<'a> File<'a> {
    fn cut_off((path, text): (&'a str, &'a str)) -> Self {
        Self {
            path,
            text,
            exit_code: None,
        }
    }
}

impl<'a> Record<'a> {
    /// What follows on [`RECORD`].
    fn of(record: &'a str) -> Self {
        let record = record.trim_end_matches('\n');
        if let Some(path) = record.strip_prefix(FILE) {
            Self::File(path)
        } else if let Some(code) = record.strip_prefix(DONE) {
            Self::Done(code.parse().ok())
        } else if let Some(path) = record.strip_prefix(OTHER) {
            Self::Other(path)
        } else if let Some(count) = record.strip_prefix(END) {
            Self::End(count.parse().ok())
        } else {
            Self::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(output: &str, files: &[(&str, &str, Option<i32>)], is_whole: bool) {
        let file = |&(path, text, exit_code)| File {
            path,
            text,
            exit_code,
        };
        let files: Vec<_> = files.iter().map(file).collect();
        let written = written(output);
        assert_eq!((written.files, written.is_whole), (files, is_whole));
    }

    #[test]
    fn whole() {
        check("\u{1}begin\n\u{1}end 0\n", &[], true);
        check("\u{1}begin\n\u{1}end 0", &[], true);
        check(
            "\u{1}begin\n\u{1}file /r/a.xml\n<a>\n</a>\n\u{1}done 0\n\u{1}file /r/b.xml\n\n\u{1}done 1\n\u{1}end 2\n",
            &[
                ("/r/a.xml", "<a>\n</a>\n", Some(0)),
                ("/r/b.xml", "\n", Some(1)),
            ],
            true,
        );
    }

    #[test]
    fn others_are_counted() {
        let found = |count| {
            let output = format!(
                "\u{1}begin\n\u{1}other /r/a\n\u{1}file /r/b\n\n\u{1}done 0\n\u{1}end {count}\n"
            );
            let written = written(&output);
            (
                written.files.len(),
                written.others == ["/r/a"],
                written.is_whole,
            )
        };
        assert_eq!(found(2), (1, true, true));
        assert_eq!(found(1), (1, true, false));
    }

    /// A node that keeps less of a log drops its beginning, at any line.
    #[test]
    fn without_its_beginning() {
        let a = "\u{1}file a\n<a/>\n\u{1}done 0\n";
        let end = "\u{1}end 2\n";
        check(
            &format!("{a}{a}{end}"),
            &[("a", "<a/>\n", Some(0)); 2],
            false,
        );
        check(&format!("{a}{end}"), &[("a", "<a/>\n", Some(0))], false);
        check(end, &[], false);
        check(
            &format!("\n\u{1}begin\n{a}\u{1}end 1\n"),
            &[("a", "<a/>\n", Some(0))],
            false,
        );
        // One that lies in the middle.
        check(
            &format!("\u{1}begin\n{a}{end}"),
            &[("a", "<a/>\n", Some(0))],
            false,
        );
        check("\u{1}begin\n\u{1}end\n", &[], false);
        check("\u{1}begin\n\u{1}begin\n\u{1}end 0\n", &[], false);
    }

    #[test]
    fn not_whole() {
        let check =
            |output: &str, files: &[_]| check(&format!("\u{1}begin\n{output}"), files, false);
        check("", &[]);
        check("sh: no\n\u{1}end 0\n", &[]);
        check("\u{1}file a\n<a>", &[("a", "<a>", None)]);
        check(
            "\u{1}file a\n<a>\n\u{1}done 0\n",
            &[("a", "<a>\n", Some(0))],
        );
        check(
            "\u{1}file a\n<a>\n\u{1}done\n\u{1}end 1\n",
            &[("a", "<a>\n", None)],
        );
        check("\u{1}file a\n<a>\n\u{1}end 1\n", &[("a", "<a>\n", None)]);
        check("</a>\n\u{1}done 0\n\u{1}end 0\n", &[]);
        check("\u{1}end 0\n<a>\n", &[]);
        check(
            "\u{1}end 0\n\u{1}file a\nx\n\u{1}done 0\n",
            &[("a", "x\n", Some(0))],
        );
    }
}
