//! Takes the files apart that the container `report` wrote one after the other.
//!
//! Input: its output. Output: the files, and whether that was all. What stands where
//! nothing should means that something is missing, so that is not all.

use crate::plan::check::reporter::{DONE, END, FILE, RECORD};

/// What the container wrote.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written<'a> {
    /// The files, in its order.
    pub(super) files: Vec<File<'a>>,
    /// Whether it came to its end, and nothing is missing before that.
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

pub(super) fn written(output: &str) -> Written<'_> {
    let mut files: Vec<File<'_>> = Vec::new();
    // The file that is open, and where it begins.
    let mut open: Option<(&str, usize)> = None;
    let mut ended = false;
    let mut is_whole = true;
    let mut at = 0;
    for line in output.split_inclusive('\n') {
        let begins = at;
        at += line.len();
        let Some(record) = line.strip_prefix(RECORD) else {
            is_whole &= open.is_some() || line.trim().is_empty();
            continue;
        };
        let record = record.trim_end_matches('\n');
        let closed = open
            .take()
            .map(|(path, from)| (path, &output[from..begins]));
        is_whole &= !ended;
        match (closed, record.strip_prefix(FILE), record.strip_prefix(DONE)) {
            (None, Some(path), _) => open = Some((path, at)),
            (Some((path, text)), _, Some(code)) => {
                let exit_code = code.parse().ok();
                files.push(File {
                    path,
                    text,
                    exit_code,
                });
            }
            (None, None, None) if record == END => ended = true,
            (closed, _, _) => {
                is_whole = false;
                let cut = closed.map(|(path, text)| File {
                    path,
                    text,
                    exit_code: None,
                });
                files.extend(cut);
            }
        }
    }
    if let Some((path, from)) = open {
        let text = &output[from..];
        files.push(File {
            path,
            text,
            exit_code: None,
        });
    }
    is_whole &= ended;
    Written { files, is_whole }
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
        let files = files.iter().map(file).collect();
        assert_eq!(written(output), Written { files, is_whole });
    }

    #[test]
    fn whole() {
        check("\u{1}end\n", &[], true);
        check("\u{1}end", &[], true);
        check(
            "\u{1}file /r/a.xml\n<a>\n</a>\n\u{1}done 0\n\u{1}file /r/b.xml\n\n\u{1}done 1\n\u{1}end\n",
            &[
                ("/r/a.xml", "<a>\n</a>\n", Some(0)),
                ("/r/b.xml", "\n", Some(1)),
            ],
            true,
        );
    }

    #[test]
    fn not_whole() {
        check("", &[], false);
        check("sh: no\n\u{1}end\n", &[], false);
        check("\u{1}file a\n<a>", &[("a", "<a>", None)], false);
        check(
            "\u{1}file a\n<a>\n\u{1}done 0\n",
            &[("a", "<a>\n", Some(0))],
            false,
        );
        check(
            "\u{1}file a\n<a>\n\u{1}done\n\u{1}end\n",
            &[("a", "<a>\n", None)],
            false,
        );
        check(
            "\u{1}file a\n<a>\n\u{1}end\n",
            &[("a", "<a>\n", None)],
            false,
        );
        check("</a>\n\u{1}done 0\n\u{1}end\n", &[], false);
        check("\u{1}end\n<a>\n", &[], false);
        check(
            "\u{1}end\n\u{1}file a\nx\n\u{1}done 0\n",
            &[("a", "x\n", Some(0))],
            false,
        );
    }
}
