//! Reads one `JUnit` document, element by element.
//!
//! Input: its text. Output: test cases counted into the [`JunitReport`], and what is
//! wrong with it. What is kept between two elements is one entry per level, so the
//! memory needed does not grow with the document. A failure belongs to the test case
//! around it, or else to the suite; one that belongs to nothing counts by itself.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::element::{Case, Element, Suite, element, malformed, worse};
use super::{JunitProblemKind, JunitReport};
use crate::plan::text::{cut, one_line};
use crate::promotion::cases::is_script;
use crate::promotion::check::{CaseOutcome, DIAGNOSTIC_BYTES, NAME_BYTES, TestCase};

/// How deep elements may lie in each other.
pub(super) const MAX_DEPTH: usize = 32;

/// The document being read.
struct Document<'a> {
    report: &'a mut JunitReport,
    path: &'a str,
    /// The elements that are open, each deeper.
    open: Vec<Element>,
    /// Their names as they are written.
    names: Vec<String>,
    /// Whether a root element was there.
    begun: bool,
}

/// Reads a document; an error has the line it is on, counted from 1.
pub(super) fn read(
    text: &str,
    path: &str,
    report: &mut JunitReport,
) -> Result<(), (usize, JunitProblemKind)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut document = Document {
        report,
        path,
        open: Vec::new(),
        names: Vec::new(),
        begun: false,
    };
    loop {
        let begins = reader.buffer_position();
        let event = match reader.read_event() {
            Ok(Event::Eof) => {
                let whole = document.end();
                return whole.map_err(|kind| (line_of(text, begins), kind));
            }
            Ok(event) => event,
            Err(error) => {
                let at = reader.error_position();
                return Err((line_of(text, at), document.broken(&error)));
            }
        };
        let line = || line_of(text, begins);
        document.take(event, line).map_err(|kind| (line(), kind))?;
    }
}

fn line_of(text: &str, at: u64) -> usize {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}

impl Document<'_> {
    fn take(&mut self, event: Event<'_>, line: impl Fn() -> usize) -> Result<(), JunitProblemKind> {
        match event {
            Event::Start(start) => self.start(&start),
            Event::End(_) => {
                self.close(line);
                Ok(())
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|error| malformed(&error))?;
                self.text(&text)
            }
            Event::CData(text) => {
                let text = text.decode().map_err(|error| malformed(&error))?;
                self.text(&text)
            }
            Event::GeneralRef(entity) => {
                let text = resolved(&entity)?;
                self.text(&text)
            }
            Event::DocType(_) => Err(JunitProblemKind::Doctype),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {
                Ok(())
            }
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), JunitProblemKind> {
        if self.open.len() >= MAX_DEPTH {
            return Err(JunitProblemKind::TooDeep);
        }
        let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
        let mut element = element(start)?;
        if self.open.is_empty() {
            if std::mem::replace(&mut self.begun, true) {
                return Err(JunitProblemKind::Outside);
            }
            if !matches!(element, Element::Suite(_)) {
                return Err(JunitProblemKind::NoReport(one_line(&name, NAME_BYTES)));
            }
        }
        if let Element::Suite(suite) = &mut element {
            suite.failed_before = self.report.tally.failed;
        }
        self.open.push(element);
        self.names.push(name);
        Ok(())
    }

    /// Text counts where it tells of a failure.
    fn text(&mut self, text: &str) -> Result<(), JunitProblemKind> {
        match self.open.last_mut() {
            None if text.trim().is_empty() => Ok(()),
            None => Err(JunitProblemKind::Outside),
            Some(Element::Failure(failure)) => {
                failure.push(text);
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }

    fn close(&mut self, line: impl Fn() -> usize) {
        self.names.pop();
        match self.open.pop() {
            Some(Element::Failure(failure)) => self.failed(failure.diagnostic()),
            Some(Element::Skipped) => self.skipped(),
            Some(Element::Case(case)) => self.case(case),
            Some(Element::Suite(suite)) => self.suite(suite, line),
            Some(Element::Other) | None => {}
        }
    }

    fn failed(&mut self, text: String) {
        for outer in self.open.iter_mut().rev() {
            let failure = match outer {
                Element::Case(case) => {
                    case.outcome = CaseOutcome::Failed;
                    &mut case.failure
                }
                Element::Suite(suite) => &mut suite.failure,
                Element::Failure(_) | Element::Skipped | Element::Other => continue,
            };
            match failure {
                None => *failure = Some(text),
                Some(first) if first.len() < DIAGNOSTIC_BYTES => {
                    let _ = write!(first, "\n{text}");
                }
                Some(_) => {}
            }
            return;
        }
    }

    fn skipped(&mut self) {
        if let Some(Element::Case(case)) = self.open.last_mut() {
            case.outcome = worse(case.outcome, CaseOutcome::Skipped);
        }
    }

    fn case(&mut self, case: Case) {
        let at_top = self.open.len() == 1;
        if at_top && case.is_nodes && case.outcome == CaseOutcome::Passed && is_script(&case.name) {
            self.report.tally.count_empty_file();
            return;
        }
        let mut parents = self.suites();
        if !case.class.is_empty() && !parents.contains(&case.class.as_str()) {
            parents.push(&case.class);
        }
        let tally = &self.report.tally;
        let number = tally.executed().saturating_add(tally.skipped) + 1;
        let name = if case.name.is_empty() {
            format!("test case {number}")
        } else {
            case.name.clone()
        };
        parents.push(&name);
        let name = cut(&parents.join(" > "), NAME_BYTES);
        self.report.tally.count(TestCase {
            name,
            outcome: case.outcome,
            duration_ms: case.duration_ms,
            diagnostic: diagnostic(case.failure),
        });
    }

    fn suite(&mut self, suite: Suite, line: impl Fn() -> usize) {
        let mut names = self.suites();
        names.push(if suite.name.is_empty() {
            "suite"
        } else {
            &suite.name
        });
        let name = cut(&names.join(" > "), NAME_BYTES);
        if let Some(failure) = suite.failure {
            self.report.tally.count(TestCase {
                name,
                outcome: CaseOutcome::Failed,
                duration_ms: None,
                diagnostic: diagnostic(Some(failure)),
            });
            return;
        }
        let is_unlisted = suite.said > 0 && self.report.tally.failed == suite.failed_before;
        // To find the line takes as long as the document is.
        if is_unlisted && self.report.takes_problems() {
            let said = suite.said;
            let kind = JunitProblemKind::Unlisted { suite: name, said };
            self.report.problem(self.path, line(), kind);
        }
    }

    /// The names of the suites that are open.
    fn suites(&self) -> Vec<&str> {
        let suites = self.open.iter().filter_map(|element| match element {
            Element::Suite(suite) => Some(suite.name.as_str()),
            _ => None,
        });
        suites.filter(|name| !name.is_empty()).collect()
    }

    fn end(&self) -> Result<(), JunitProblemKind> {
        match self.names.last() {
            Some(name) => Err(JunitProblemKind::Unfinished(one_line(name, NAME_BYTES))),
            None if self.begun => Ok(()),
            None => Err(JunitProblemKind::Malformed("it has no element".to_owned())),
        }
    }

    /// What the parser does not take; at the end of the text that is a cut.
    fn broken(&self, error: &quick_xml::Error) -> JunitProblemKind {
        match (error, self.names.last()) {
            (quick_xml::Error::Syntax(_), Some(name)) => {
                JunitProblemKind::Unfinished(one_line(name, NAME_BYTES))
            }
            _ => malformed(error),
        }
    }
}

fn resolved(entity: &BytesRef<'_>) -> Result<String, JunitProblemKind> {
    let character = entity.resolve_char_ref();
    if let Some(character) = character.map_err(|error| malformed(&error))? {
        return Ok(character.to_string());
    }
    let name = entity.decode().map_err(|error| malformed(&error))?;
    let known = resolve_xml_entity(&name).map(str::to_owned);
    known.ok_or_else(|| {
        let name = one_line(&name, NAME_BYTES);
        JunitProblemKind::Malformed(format!("unknown entity &{name};"))
    })
}

fn diagnostic(text: Option<String>) -> Option<String> {
    let text = text?;
    (!text.is_empty()).then(|| cut(&text, DIAGNOSTIC_BYTES))
}
