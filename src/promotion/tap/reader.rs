//! Reads a TAP report line by line.
//!
//! Input: the lines of a log, one call each. Output: the [`TapReport`]. What is
//! kept between two lines is one level per depth of subtests, the last test
//! line and its block, so the memory needed does not grow with the log. It
//! judges nothing; it counts and writes down what does not add up.

use super::block::{Block, Details};
use super::line::{self, Directive, Kind, Line, Test};
use super::{MAX_DEPTH, MAX_PROBLEMS, TapPlan, TapProblem, TapProblemKind, TapReport};
use crate::plan::text::{cut, one_line};
use crate::promotion::cases::is_script;
use crate::promotion::check::{CaseOutcome, DIAGNOSTIC_BYTES, LINE_BYTES, NAME_BYTES, TestCase};

/// Spaces before a subtest, for every level.
const INDENT: usize = 4;

/// Reads a TAP report line by line; see [`TapReport::read`].
#[derive(Debug)]
pub struct TapReader {
    report: TapReport,
    /// Number of the line being read.
    at: u64,
    version: bool,
    /// The report itself first, then the subtests that are open, each deeper.
    levels: Vec<Level>,
    /// The last test line; what belongs to it may still follow.
    pending: Option<Pending>,
    /// The block of the pending test line.
    block: Option<Block>,
    /// What the last `# Subtest: <name>` at the top level announced.
    announced: String,
}

/// One report, or the subtests of one test.
#[derive(Debug, Default)]
struct Level {
    plan: Option<TapPlan>,
    /// Whether tests were there before the plan, so that none may follow it.
    closed: bool,
    /// Test lines of this level.
    seen: u64,
    /// The number of the last one.
    last: u64,
    /// Test cases counted at this level and below, and those that failed.
    counted: u64,
    failed: u64,
    /// Where its test cases start in the report's.
    first_case: usize,
}

/// A test line that is counted once it is known what follows it.
#[derive(Debug)]
struct Pending {
    indent: usize,
    name: String,
    outcome: CaseOutcome,
    /// Its subtests, if it had any.
    inner: Option<Inner>,
    /// Whether it looks like Node's line for a file without tests.
    file: bool,
    /// Comments after it: Perl and bats explain failures that way.
    comments: String,
}

#[derive(Debug, Clone, Copy)]
struct Inner {
    counted: u64,
    failed: u64,
}

impl Default for TapReader {
    fn default() -> Self {
        Self {
            report: TapReport::default(),
            at: 0,
            version: false,
            levels: vec![Level::default()],
            pending: None,
            block: None,
            announced: String::new(),
        }
    }
}

impl TapReader {
    /// Takes the next line of the log, without its line feed.
    pub fn line(&mut self, text: &str) {
        self.at = self.at.saturating_add(1);
        let long = text.len() > line::MOST;
        let text = line::clean(text);
        let line = line::classify(&text);
        if let Some(block) = &mut self.block {
            if block.is_closed_by(line.indent, &text) {
                self.commit();
                return;
            }
            let result = matches!(
                line.kind,
                Kind::Version | Kind::Plan { .. } | Kind::Test(_) | Kind::BailOut(_)
            );
            if line.indent >= block.indent || text.is_empty() {
                block.line(&text);
                return;
            }
            if !result {
                return;
            }
            // The block's end and who knows what else is missing.
            self.problem(TapProblemKind::OpenBlock);
        }
        if long && matches!(line.kind, Kind::Test(_)) {
            self.problem(TapProblemKind::TooLong);
        }
        self.outside_block(line);
    }

    /// The report, after the last line.
    pub fn finish(mut self) -> TapReport {
        if self.block.is_some() {
            self.problem(TapProblemKind::OpenBlock);
        }
        self.commit();
        self.close_orphans(0);
        if let Some(top) = self.levels.pop() {
            self.check_plan(&top);
            self.report.plan = top.plan.map(|plan| TapPlan {
                seen: top.seen,
                ..plan
            });
        }
        self.report
    }

    fn outside_block(&mut self, line: Line<'_>) {
        match line.kind {
            Kind::Other => {}
            Kind::Comment(text) => self.comment(line.indent, text),
            Kind::Block => {
                if let Some(pending) = &self.pending
                    && (1..INDENT).contains(&line.indent.saturating_sub(pending.indent))
                {
                    self.block = Some(Block::new(line.indent));
                }
            }
            Kind::Version => {
                self.commit();
                if line.indent == 0 && std::mem::replace(&mut self.version, true) {
                    self.problem(TapProblemKind::SecondReport);
                }
            }
            Kind::BailOut(reason) => {
                self.commit();
                let reason = one_line(reason, LINE_BYTES);
                self.report.bailed.get_or_insert(reason);
            }
            Kind::Plan { count, skip } => self.plan(line.indent, count, skip),
            Kind::Test(test) => self.test(line.indent, &test),
        }
    }

    fn comment(&mut self, indent: usize, text: &str) {
        if let Some(name) = text.strip_prefix("Subtest:") {
            if indent == 0 {
                self.announced = cut(name.trim(), NAME_BYTES);
            }
        } else if let Some(pending) = &mut self.pending
            && pending.comments.len() < DIAGNOSTIC_BYTES
        {
            pending.comments.push_str(&cut(text, LINE_BYTES));
            pending.comments.push('\n');
        }
    }

    fn plan(&mut self, indent: usize, count: u64, skip: Option<&str>) {
        let Some(depth) = self.depth(indent) else {
            return;
        };
        self.commit();
        self.close_orphans(depth);
        let Some(level) = self.open(depth) else {
            return;
        };
        level.closed = level.seen > 0;
        let plan = TapPlan {
            declared: count,
            seen: 0,
            skip: skip.map(|reason| one_line(reason, LINE_BYTES)),
        };
        if level.plan.replace(plan).is_some() {
            self.problem(TapProblemKind::SecondPlan);
        }
    }

    fn test(&mut self, indent: usize, test: &Test<'_>) {
        let Some(depth) = self.depth(indent) else {
            return;
        };
        self.commit();
        self.close_orphans(depth + 1);
        let name = line::unescape(&cut(test.name, NAME_BYTES));
        let inner = (self.levels.len() > depth + 1).then(|| self.close_inner(&name));
        let Some(level) = self.open(depth) else {
            return;
        };
        level.seen = level.seen.saturating_add(1);
        let expected = level.last.saturating_add(1);
        let found = test.number.unwrap_or(expected);
        level.last = found;
        let closed = level.closed;
        if found != expected {
            self.problem(TapProblemKind::OutOfSequence { expected, found });
        }
        if closed {
            self.problem(TapProblemKind::TestAfterPlan);
        }
        let outcome = match (test.ok, test.directive) {
            (_, Some(Directive::Todo)) => CaseOutcome::Todo,
            (false, _) => CaseOutcome::Failed,
            (true, Some(Directive::Skip)) => CaseOutcome::Skipped,
            (true, None) => CaseOutcome::Passed,
        };
        let announced = std::mem::take(&mut self.announced);
        let raw = cut(test.name, NAME_BYTES);
        let script = is_script(&raw);
        self.pending = Some(Pending {
            indent,
            file: depth == 0 && script && announced == raw,
            name: if name.is_empty() {
                format!("test {found}")
            } else {
                name
            },
            outcome,
            inner,
            comments: String::new(),
        });
    }

    /// How deep a line lies, if it is indented like a line of the report.
    fn depth(&mut self, indent: usize) -> Option<usize> {
        if !indent.is_multiple_of(INDENT) {
            return None;
        }
        let depth = indent / INDENT;
        if depth > MAX_DEPTH {
            self.problem(TapProblemKind::TooDeep);
            return None;
        }
        Some(depth)
    }

    /// The level of that depth, which is opened if it is not yet.
    fn open(&mut self, depth: usize) -> Option<&mut Level> {
        while self.levels.len() <= depth {
            self.levels.push(Level {
                first_case: self.report.tally.cases.len(),
                ..Level::default()
            });
        }
        self.levels.get_mut(depth)
    }

    /// Closes the levels below that depth: no line of theirs has come.
    fn close_orphans(&mut self, depth: usize) {
        while self.levels.len() > depth + 1 {
            self.problem(TapProblemKind::Orphans);
            self.close_inner("?");
        }
    }

    /// Closes the deepest level, now that the name of its parent is known.
    fn close_inner(&mut self, parent: &str) -> Inner {
        let level = self.levels.pop().unwrap_or_default();
        self.check_plan(&level);
        for case in self.report.tally.cases.iter_mut().skip(level.first_case) {
            case.name = cut(&format!("{parent} > {}", case.name), NAME_BYTES);
        }
        if let Some(outer) = self.levels.last_mut() {
            outer.counted = outer.counted.saturating_add(level.counted);
            outer.failed = outer.failed.saturating_add(level.failed);
        }
        Inner {
            counted: level.counted,
            failed: level.failed,
        }
    }

    fn check_plan(&mut self, level: &Level) {
        // A program that gave up owes no plan.
        if self.report.bailed.is_some() {
            return;
        }
        match &level.plan {
            None => self.problem(TapProblemKind::NoPlan),
            Some(plan) if plan.declared != level.seen => {
                self.problem(TapProblemKind::PlanMismatch {
                    declared: plan.declared,
                    seen: level.seen,
                });
            }
            Some(_) => {}
        }
    }

    /// Counts the last test line, now that all that belongs to it was read.
    fn commit(&mut self) {
        let details = self.block.take().map(Block::details);
        let Some(pending) = self.pending.take() else {
            return;
        };
        let details = details.unwrap_or_else(|| Details {
            diagnostic: Some(pending.comments.trim_end())
                .filter(|text| !text.is_empty())
                .map(|text| cut(text, DIAGNOSTIC_BYTES)),
            ..Details::default()
        });
        let failed = pending.outcome == CaseOutcome::Failed;
        match (pending.outcome, pending.inner) {
            // Its subtests stand for it, unless it is what failed.
            (CaseOutcome::Failed, Some(inner)) if inner.failed > 0 => return,
            (CaseOutcome::Passed, Some(_)) => return,
            (CaseOutcome::Skipped | CaseOutcome::Todo, Some(inner)) if inner.counted > 0 => return,
            // A suite without tests has tested nothing.
            (CaseOutcome::Passed, None) if details.suite => return,
            (CaseOutcome::Passed, None) if pending.file => {
                self.report.tally.count_empty_file();
                return;
            }
            _ => {}
        }
        if let Some(level) = self.levels.get_mut(pending.indent / INDENT) {
            level.counted = level.counted.saturating_add(1);
            level.failed = level.failed.saturating_add(u64::from(failed));
        }
        self.report.tally.count(TestCase {
            name: pending.name,
            outcome: pending.outcome,
            duration_ms: details.duration_ms,
            diagnostic: details
                .diagnostic
                .filter(|_| matches!(pending.outcome, CaseOutcome::Failed | CaseOutcome::Todo)),
        });
    }

    fn problem(&mut self, kind: TapProblemKind) {
        if self.report.problems.len() < MAX_PROBLEMS {
            let line = self.at;
            self.report.problems.push(TapProblem { line, kind });
        }
    }
}
