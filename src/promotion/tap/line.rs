//! Tells what one line of TAP output is.
//!
//! Input: a line as it was logged. Output: its indentation and kind, borrowed
//! from it. Nothing is remembered from line to line here, and no line is an
//! error: whatever is not TAP is [`Kind::Other`], as checks print what they
//! like in between. The grammar is that of TAP 14 with what Perl's `prove`
//! and TAP 13 allow beside it.

use std::borrow::Cow;

/// Most bytes of a line that are looked at.
pub(super) const MOST: usize = 64 * 1024;

/// A line of TAP output, or of something between.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Number of spaces before it.
    pub(super) indent: usize,
    pub(super) kind: Kind<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// `TAP version 14`
    Version,
    /// `1..3`, or `1..0 # SKIP reason`
    Plan { count: u64, skip: Option<&'a str> },
    /// `ok 1 - name` or `not ok 1 - name`
    Test(Test<'a>),
    /// `Bail out! reason`
    BailOut(&'a str),
    /// `---`, which opens a block of YAML under a test
    Block,
    /// `# text`
    Comment(&'a str),
    /// Nothing of TAP; pragmas and empty lines as well.
    Other,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Test<'a> {
    pub(super) ok: bool,
    /// Saturates: a number beyond `u64` is out of every sequence.
    pub(super) number: Option<u64>,
    /// Still escaped; see [`unescape`].
    pub(super) name: &'a str,
    pub(super) directive: Option<Directive>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    Skip,
    Todo,
}

/// The line without colour codes, carriage return and what exceeds [`MOST`].
pub(super) fn clean(line: &str) -> Cow<'_, str> {
    let line = &line[..line.floor_char_boundary(MOST)];
    let line = line.trim_start_matches('\u{feff}');
    if !line.contains('\u{1b}') {
        return Cow::Borrowed(line.trim_end());
    }
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after_escape(after);
    }
    plain.push_str(rest);
    plain.truncate(plain.trim_end().len());
    Cow::Owned(plain)
}

/// What follows an escape sequence (ECMA-48) whose ESC has been taken off.
fn after_escape(text: &str) -> &str {
    let mut chars = text.chars();
    match chars.next() {
        // CSI: parameters, then one final character from `@` to `~`.
        Some('[') => {
            let sequence = chars.as_str();
            match sequence.find(|c: char| !(' '..='?').contains(&c)) {
                Some(end) if sequence[end..].starts_with(|c| ('@'..='~').contains(&c)) => {
                    &sequence[end + 1..]
                }
                Some(end) => &sequence[end..],
                None => "",
            }
        }
        // OSC, as hyperlinks are written: up to BEL, or to ESC and a backslash.
        Some(']') => {
            let sequence = chars.as_str();
            match sequence.find(['\u{7}', '\u{1b}']) {
                Some(end) if sequence[end..].starts_with('\u{7}') => &sequence[end + 1..],
                Some(end) => sequence[end + 1..].trim_start_matches('\\'),
                None => "",
            }
        }
        _ => chars.as_str(),
    }
}

/// What a line is, once [`clean`].
pub(super) fn classify(line: &str) -> Line<'_> {
    let text = line.trim_start_matches(' ');
    Line {
        indent: line.len() - text.len(),
        kind: kind(text),
    }
}

fn kind(text: &str) -> Kind<'_> {
    if let Some(comment) = text.strip_prefix('#') {
        return Kind::Comment(comment.trim());
    }
    if text == "---" {
        return Kind::Block;
    }
    if text.starts_with("TAP version ") {
        return Kind::Version;
    }
    if let Some(plan) = text.strip_prefix("1..").and_then(plan) {
        return plan;
    }
    if let Some((start, reason)) = text.split_at_checked("bail out!".len())
        && start.eq_ignore_ascii_case("bail out!")
    {
        return Kind::BailOut(reason.trim());
    }
    test(text).map_or(Kind::Other, Kind::Test)
}

/// Reads what follows `1..`.
fn plan(text: &str) -> Option<Kind<'_>> {
    let (digits, rest) = split_digits(text);
    let count = number(digits)?;
    let rest = rest.trim();
    if rest.is_empty() {
        return Some(Kind::Plan { count, skip: None });
    }
    let reason = rest.strip_prefix('#')?.trim();
    let skip = match directive(reason) {
        Some((Directive::Skip, why)) => Some(why),
        _ => None,
    };
    Some(Kind::Plan { count, skip })
}

fn test(text: &str) -> Option<Test<'_>> {
    let negated = text
        .strip_prefix("not")
        .filter(|rest| rest.starts_with(' '))
        .map(str::trim_start);
    let ok = negated.is_none();
    let rest = negated.unwrap_or(text).strip_prefix("ok")?;
    // `okay` is a word. `not ok:` is rather taken for a failure than missed.
    let ends = match rest.chars().next() {
        None => true,
        Some(c) => c.is_whitespace() || (!ok && !c.is_alphanumeric()),
    };
    if !ends {
        return None;
    }
    let rest = rest.trim_start();
    let (digits, after) = split_digits(rest);
    let (number, rest) = match number(digits) {
        Some(number) if after.is_empty() || after.starts_with(char::is_whitespace) => {
            (Some(number), after.trim_start())
        }
        _ => (None, rest),
    };
    let rest = match rest.strip_prefix('-') {
        Some(name) if name.is_empty() || name.starts_with(char::is_whitespace) => name.trim_start(),
        _ => rest,
    };
    let (name, directive) = split_directive(rest);
    Some(Test {
        ok,
        number,
        name: name.trim(),
        directive,
    })
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn number(digits: &str) -> Option<u64> {
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Splits `name # SKIP reason` at the first `#` that has a blank before it, so
/// that it is not escaped, and is followed by the word of a directive.
fn split_directive(text: &str) -> (&str, Option<Directive>) {
    let mut blank_before = true;
    for (at, c) in text.char_indices() {
        if c == '#'
            && blank_before
            && let Some((found, _)) = directive(text[at + 1..].trim_start())
        {
            return (&text[..at], Some(found));
        }
        blank_before = c.is_whitespace();
    }
    (text, None)
}

/// The directive that the text starts with, and its reason.
fn directive(text: &str) -> Option<(Directive, &str)> {
    let end = text
        .find(|c: char| c.is_whitespace() || c == ':')
        .unwrap_or(text.len());
    let (word, reason) = text.split_at(end);
    let found = if word.eq_ignore_ascii_case("todo") {
        Directive::Todo
    } else if word.eq_ignore_ascii_case("skip") || word.eq_ignore_ascii_case("skipped") {
        Directive::Skip
    } else {
        return None;
    };
    Some((found, reason.trim_start_matches(':').trim()))
}

/// Takes the backslashes off `\#` and `\\`.
pub(super) fn unescape(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => chars
                .next_if(|next| matches!(next, '#' | '\\'))
                .unwrap_or(c),
            _ => c,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let clean = clean(line);
        let Line { indent, kind } = classify(&clean);
        let found = match kind {
            Kind::Test(t) => format!(
                "{} {:?} {:?} {:?}",
                if t.ok { "ok" } else { "not ok" },
                t.number,
                t.directive,
                unescape(t.name)
            ),
            kind => format!("{kind:?}"),
        };
        assert_eq!(format!("{indent}: {found}"), expected);
    }

    #[test]
    fn tests() {
        check("ok", r#"0: ok None None """#);
        check("not ok", r#"0: not ok None None """#);
        check("ok 1 - adds\r", r#"0: ok Some(1) None "adds""#);
        check("ok 1 adds", r#"0: ok Some(1) None "adds""#);
        check("ok - adds", r#"0: ok None None "adds""#);
        check("    not ok 2 - adds", r#"4: not ok Some(2) None "adds""#);
        check("not ok: no", r#"0: not ok None None ": no""#);
        check("ok 12ab", r#"0: ok None None "12ab""#);
        check("ok 1 -2 is less", r#"0: ok Some(1) None "-2 is less""#);
        check(
            "ok 99999999999999999999999",
            &format!(r#"0: ok Some({}) None """#, u64::MAX),
        );
    }

    #[test]
    fn directives() {
        check("ok 5 # skip no db", r#"0: ok Some(5) Some(Skip) """#);
        check("ok 5 - a # SKIP", r#"0: ok Some(5) Some(Skip) "a""#);
        check("ok 5 - a #Skipped: b", r#"0: ok Some(5) Some(Skip) "a""#);
        check(
            "not ok 5 - # TODO later",
            r#"0: not ok Some(5) Some(Todo) """#,
        );
        check("not ok 5 a # todo", r#"0: not ok Some(5) Some(Todo) "a""#);
        check(r"ok 5 - a \# SKIP", r#"0: ok Some(5) None "a # SKIP""#);
        check(r"ok 5 - a \\# SKIP", r#"0: ok Some(5) None "a \\# SKIP""#);
        check(r"ok 5 - a \\ # SKIP", r#"0: ok Some(5) Some(Skip) "a \\""#);
        check(
            "not ok 2 fix #12 todo",
            r#"0: not ok Some(2) None "fix #12 todo""#,
        );
        check(
            "not ok 2 - a # todolist",
            r#"0: not ok Some(2) None "a # todolist""#,
        );
        check("ok 3 - issue#SKIP", r#"0: ok Some(3) None "issue#SKIP""#);
    }

    #[test]
    fn other_kinds() {
        check("TAP version 13", "0: Version");
        check("1..3", "0: Plan { count: 3, skip: None }");
        check(
            "    1..0 # SKIP nope",
            r#"4: Plan { count: 0, skip: Some("nope") }"#,
        );
        check("1..3 # three", "0: Plan { count: 3, skip: None }");
        check("Bail out!  db gone", r#"0: BailOut("db gone")"#);
        check("# Subtest: a", r#"0: Comment("Subtest: a")"#);
        check("  ---", "2: Block");
        for other in [
            "",
            "okay",
            "ok-ish",
            "note",
            "notok 1",
            "1...3",
            "1..",
            "1..3 tests",
            "2..3",
            "-- -",
            "pragma +strict",
            "> hello-tests@1.0.0 test",
            "\tok 1",
            "Bail out",
            "OK 1",
        ] {
            check(other, "0: Other");
        }
    }

    #[test]
    fn colours_are_taken_off() {
        check(
            "\u{1b}[32mok 1\u{1b}[0m - \u{1b}[1;31ma\u{1b}[K",
            r#"0: ok Some(1) None "a""#,
        );
        check("\u{1b}]8;;http://x\u{7}ok 1", r#"0: ok Some(1) None """#);
        check("\u{1b}]8;;http://x\u{1b}\\ok 1", r#"0: ok Some(1) None """#);
        check("\u{1b}(Bok 1", "0: Other");
        check("\u{1b}[", "0: Other");
        check("\u{1b}[3ä", "0: Other");
        check("\u{feff}TAP version 14", "0: Version");
    }
}
