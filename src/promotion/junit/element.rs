//! One element of a `JUnit` report as it begins: what it is, and which of its
//! attributes count. Entities are XML's own five; any other is an error.

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use quick_xml::events::attributes::Attribute;

use super::JunitProblemKind;
use crate::plan::text::{cut, one_line};
use crate::promotion::check::{CaseOutcome, DIAGNOSTIC_BYTES, NAME_BYTES};

/// Most attributes of one element; each is compared with all before it.
pub(super) const MAX_ATTRIBUTES: usize = 64;

/// What Node's runner says the class of every test is.
const NODES_CLASS: &str = "test";

/// What an element is.
#[derive(Debug)]
pub(super) enum Element {
    /// `testsuites` or `testsuite`.
    Suite(Suite),
    /// `testcase`.
    Case(Case),
    /// `failure` or `error`, wherever it stands.
    Failure(Failure),
    /// `skipped`.
    Skipped,
    /// Anything else.
    Other,
}

/// A suite, while it is open.
#[derive(Debug, Default)]
pub(super) struct Suite {
    pub(super) name: String,
    /// Its `failures` and `errors`.
    pub(super) said: u64,
    /// Test cases that had failed when it began.
    pub(super) failed_before: u64,
    /// What it says of a failure of its own.
    pub(super) failure: Option<String>,
}

/// A test case, while it is open.
#[derive(Debug)]
pub(super) struct Case {
    /// With its class, if that says more than its suite's name.
    pub(super) name: String,
    pub(super) class: String,
    /// Whether Node's runner wrote it.
    pub(super) is_nodes: bool,
    pub(super) duration_ms: Option<u64>,
    pub(super) outcome: CaseOutcome,
    pub(super) failure: Option<String>,
}

/// What a failure says of itself.
#[derive(Debug, Default)]
pub(super) struct Failure {
    /// Its attribute.
    message: String,
    /// Its text, cut.
    text: String,
}

impl Failure {
    /// Takes more of its text, as far as there is room.
    pub(super) fn push(&mut self, text: &str) {
        let room = DIAGNOSTIC_BYTES.saturating_sub(self.text.len());
        if room > 0 {
            self.text.push_str(&cut(text, room));
        }
    }

    /// The message and the text, which often begins with it.
    pub(super) fn diagnostic(self) -> String {
        let (message, text) = (self.message.trim(), self.text.trim());
        if text.contains(message) {
            return text.to_owned();
        }
        let both = format!("{message}\n{text}");
        cut(both.trim_end(), DIAGNOSTIC_BYTES)
    }
}

/// What an element is, by its name without a prefix.
pub(super) fn element(start: &BytesStart<'_>) -> Result<Element, JunitProblemKind> {
    // The parser takes it; a quote that is lost would hide what follows.
    if start.contains(&b'<') {
        return Err(malformed(&"`<` in a tag"));
    }
    Ok(match start.local_name().as_ref() {
        b"testsuites" | b"testsuite" => Element::Suite(suite(start)?),
        b"testcase" => Element::Case(case(start)?),
        b"failure" | b"error" => Element::Failure(failure(start)?),
        b"skipped" => Element::Skipped,
        _ => Element::Other,
    })
}

fn suite(start: &BytesStart<'_>) -> Result<Suite, JunitProblemKind> {
    let mut suite = Suite::default();
    attributes(start, |key, value| {
        match key {
            b"name" => suite.name = one_line(value.trim(), NAME_BYTES),
            b"failures" | b"errors" => suite.said = suite.said.saturating_add(number(value)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(suite)
}

fn case(start: &BytesStart<'_>) -> Result<Case, JunitProblemKind> {
    let mut case = Case {
        name: String::new(),
        class: String::new(),
        is_nodes: false,
        duration_ms: None,
        outcome: CaseOutcome::Passed,
        failure: None,
    };
    attributes(start, |key, value| {
        match key {
            b"name" => case.name = one_line(value.trim(), NAME_BYTES),
            b"classname" if value == NODES_CLASS => case.is_nodes = true,
            b"classname" => case.class = one_line(value.trim(), NAME_BYTES),
            b"time" => case.duration_ms = millis(value),
            // Some say it there, and not by an element.
            b"status" | b"result" => {
                let said = said(value);
                if said.is_none() {
                    let word = one_line(value.trim(), NAME_BYTES);
                    case.failure = Some(format!("`{word}` is not known to mean that it passed"));
                }
                case.outcome = worse(case.outcome, said.unwrap_or(CaseOutcome::Failed));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(case)
}

fn failure(start: &BytesStart<'_>) -> Result<Failure, JunitProblemKind> {
    let mut failure = Failure::default();
    attributes(start, |key, value| {
        if key == b"message" {
            failure.message = cut(value, DIAGNOSTIC_BYTES);
        }
        Ok(())
    })?;
    Ok(failure)
}

fn attributes(
    start: &BytesStart<'_>,
    mut take: impl FnMut(&[u8], &str) -> Result<(), JunitProblemKind>,
) -> Result<(), JunitProblemKind> {
    for (number, attribute) in start.attributes().enumerate() {
        if number >= MAX_ATTRIBUTES {
            return Err(JunitProblemKind::TooManyAttributes);
        }
        let attribute: Attribute<'_> = attribute.map_err(|error| malformed(&error))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| malformed(&error))?;
        take(attribute.key.local_name().as_ref(), &value)?;
    }
    Ok(())
}

pub(super) fn malformed(error: &dyn std::fmt::Display) -> JunitProblemKind {
    JunitProblemKind::Malformed(one_line(&error.to_string(), NAME_BYTES))
}

fn number(text: &str) -> Result<u64, JunitProblemKind> {
    match text.trim() {
        "" => Ok(0),
        text => text
            .parse()
            .map_err(|_| JunitProblemKind::NoNumber(one_line(text, NAME_BYTES))),
    }
}

/// Seconds, which some write as `1,234.5`.
fn millis(text: &str) -> Option<u64> {
    let seconds: f64 = text.trim().replace(',', "").parse().ok()?;
    let time = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from(time.as_millis()).ok()
}

/// What a `status` or `result` says, if it is a word that is known. Each tool has its
/// own for what did not pass, such as `timedout` or `aborted`; so those are not listed.
fn said(word: &str) -> Option<CaseOutcome> {
    let outcome = match word.trim().to_ascii_lowercase().as_str() {
        "fail" | "failed" | "failure" | "error" | "errored" | "broken" => CaseOutcome::Failed,
        "skipped" | "skip" | "disabled" | "notrun" | "suppressed" | "ignored" | "pending" => {
            CaseOutcome::Skipped
        }
        "" | "pass" | "passed" | "success" | "successful" | "succeeded" | "ok" | "run"
        | "executed" | "complete" | "completed" | "finished" => CaseOutcome::Passed,
        _ => return None,
    };
    Some(outcome)
}

/// The worse of two; a failure outweighs everything.
pub(super) fn worse(one: CaseOutcome, other: CaseOutcome) -> CaseOutcome {
    match (one, other) {
        (CaseOutcome::Failed, _) | (_, CaseOutcome::Failed) => CaseOutcome::Failed,
        (CaseOutcome::Passed, other) => other,
        (one, _) => one,
    }
}
