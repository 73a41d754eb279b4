//! Keeps a stored record small.
//!
//! Input: a record, and how many bytes of JSON it may have. Output: JSON, and
//! the record back from it. Only what people read is shortened: texts end in
//! `…`, lists are counted on. Whatever is needed to drive a promotion on stays
//! as it is, in a packed form if need be, and if that alone is more than may be,
//! it is stored nevertheless.

mod pack;
#[cfg(test)]
pub(crate) mod tests;

use serde::Serialize;
use serde_json::Value;

use super::{CheckSummary, GroupRecord, LeftOut, Outcome};
use crate::plan::text::cut;
use crate::promotion::check::Verdict;
use crate::promotion::restraint::Override;
use crate::promotion::{Promotion, Reason};
pub use pack::Unreadable;

/// Names of Services astray that are kept where room is scarce.
const ASTRAY: usize = 5;

/// What was overridden that an outcome keeps where room is scarce.
const OVERRIDDEN: usize = 3;

/// Bytes between the parts of a record's JSON.
const BETWEEN: usize = 64;

/// How much is kept of an outcome or a checkpoint.
struct Level {
    /// Reasons, beside one of every further kind: kinds decide exit codes.
    reasons: usize,
    /// Bytes of a text.
    text: usize,
    /// Last lines of a container that crashed.
    lines: usize,
    /// Apps listed.
    apps: usize,
    /// Checks listed, those that did not pass before others.
    checks: usize,
    /// Failed test cases named per check.
    cases: usize,
    /// What was overridden, in words.
    restraints: usize,
}

const LEVELS: [Level; 3] = [
    Level {
        reasons: 5,
        text: 240,
        lines: 5,
        apps: 20,
        checks: 20,
        cases: 2,
        restraints: 2,
    },
    Level {
        reasons: 3,
        text: 120,
        lines: 0,
        apps: 5,
        checks: 5,
        cases: 0,
        restraints: 0,
    },
    Level {
        reasons: 1,
        text: 50,
        lines: 0,
        apps: 0,
        checks: 0,
        cases: 0,
        restraints: 0,
    },
];

impl GroupRecord {
    /// The record as it is stored, in at most so many bytes.
    ///
    /// Older outcomes are thinned before newer ones, and all of them before
    /// the checkpoint, a level at a time and no more than is needed.
    pub fn to_json(&self, most: usize) -> serde_json::Result<Value> {
        let whole = serde_json::to_value(self)?;
        if size(&whole)? <= most {
            return Ok(whole);
        }
        let mut value = serde_json::to_value(self.thinned(most)?)?;
        if let Some(checkpoint) = value.get_mut("inFlight") {
            pack::pack(checkpoint)?;
        }
        Ok(value)
    }

    /// Reads what [`GroupRecord::to_json`] gave.
    pub fn from_json(mut value: Value) -> Result<Self, Unreadable> {
        if let Some(checkpoint) = value.get_mut("inFlight") {
            pack::unpack(checkpoint)?;
        }
        Ok(serde_json::from_value(value)?)
    }

    fn thinned(&self, most: usize) -> serde_json::Result<Self> {
        let mut thin = self.clone();
        shorten(&mut thin.astray, ASTRAY);
        thin.removing = thin.removing.map(|by| cut(&by, LEVELS[0].text));
        let rest = Self {
            in_flight: None,
            outcomes: Vec::new(),
            ..thin.clone()
        };
        let rest = size(&rest)? + BETWEEN;
        let mut checkpoint = packed_size(thin.in_flight.as_ref())?;
        let mut outcomes = Vec::new();
        for outcome in &thin.outcomes {
            outcomes.push(size(outcome)?);
        }
        let fits = |checkpoint: usize, outcomes: &[usize]| {
            rest + checkpoint + outcomes.iter().sum::<usize>() <= most
        };
        for level in &LEVELS {
            for at in (0..outcomes.len()).rev() {
                if fits(checkpoint, &outcomes) {
                    return Ok(thin);
                }
                thin.outcomes[at].thin(level);
                outcomes[at] = size(&thin.outcomes[at])?;
            }
            if fits(checkpoint, &outcomes) {
                return Ok(thin);
            }
            if let Some(promotion) = &mut thin.in_flight {
                promotion.thin(level);
            }
            checkpoint = packed_size(thin.in_flight.as_ref())?;
        }
        Ok(thin)
    }
}

impl Promotion {
    fn thin(&mut self, level: &Level) {
        self.actor.name = cut(&self.actor.name, level.text);
        self.waits_for = self.waits_for.as_ref().map(|text| cut(text, level.text));
        self.why = self.why.as_ref().map(|text| cut(text, level.text));
        thin_override(self.overrides.as_mut(), level);
        thin(&mut self.reasons, level);
        for result in &mut self.results {
            result.reason = cut(&result.reason, level.text);
            result.keep_failed(level.cases);
            for case in &mut result.cases {
                case.name = cut(&case.name, level.text);
                case.diagnostic = case.diagnostic.as_ref().map(|said| cut(said, level.text));
            }
        }
    }
}

impl Outcome {
    fn thin(&mut self, level: &Level) {
        self.actor.name = cut(&self.actor.name, level.text);
        self.why = self.why.as_ref().map(|text| cut(text, level.text));
        if let Some(overrides) = &mut self.overrides {
            // Nobody drives by an outcome.
            overrides.known.truncate(OVERRIDDEN);
        }
        thin_override(self.overrides.as_mut(), level);
        thin(&mut self.reasons, level);
        let left_out = self.apps.len().saturating_sub(level.apps);
        self.apps.truncate(level.apps);
        self.left_out.apps += left_out;
        // Stable, so that each kind stays in its order.
        self.checks
            .sort_by_key(|check| check.verdict == Verdict::Passed);
        let checks = self.checks.len().min(level.checks);
        for check in self.checks.split_off(checks) {
            *self.left_out.checks.entry(check.verdict).or_default() += 1;
        }
        self.hooks.truncate(level.checks);
        for check in self.checks.iter_mut().chain(&mut self.hooks) {
            check.thin(level);
        }
    }

    /// How many checks there were. None: nothing was tested.
    pub fn tested(&self) -> usize {
        self.checks.len() + self.left_out.checks.values().sum::<usize>()
    }

    /// The worst that a check said.
    pub fn worst(&self) -> Option<Verdict> {
        let listed = self.checks.iter().map(|check| check.verdict);
        listed.chain(self.left_out.checks.keys().copied()).max()
    }
}

impl CheckSummary {
    fn thin(&mut self, level: &Level) {
        self.reason = cut(&self.reason, level.text);
        // How many failed stands beside them.
        self.failed_cases.truncate(level.cases);
        for case in &mut self.failed_cases {
            *case = cut(case, level.text);
        }
    }
}

impl LeftOut {
    /// Whether everything is still listed.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Keeps the first reasons and one of every kind.
fn thin(reasons: &mut Vec<Reason>, level: &Level) {
    let mut more = None;
    for reason in reasons.split_off(reasons.len().min(level.reasons)) {
        if reasons.iter().any(|kept| kept.kind == reason.kind) {
            more = Some(reason.kind);
        } else {
            reasons.push(reason);
        }
    }
    for reason in reasons.iter_mut() {
        reason.text = cut(&reason.text, level.text);
        let first = reason.last_lines.len().saturating_sub(level.lines);
        if first > 0 {
            reason.last_lines.drain(..first);
            reason.last_lines.insert(0, "…".to_owned());
        }
        for line in &mut reason.last_lines {
            *line = cut(line, level.text);
        }
    }
    reasons.extend(more.map(|kind| Reason::new(kind, "and more that is left out here")));
}

/// What was overridden is told by its identity.
fn thin_override(overrides: Option<&mut Override>, level: &Level) {
    let Some(overrides) = overrides else { return };
    overrides.reason = cut(&overrides.reason, level.text);
    let named = overrides.known.len().min(level.restraints);
    let (named, rest) = overrides.known.split_at_mut(named);
    for known in named {
        known.what = cut(&known.what, level.text);
    }
    for known in rest {
        known.what.clear();
    }
}

/// Keeps the first texts and says how many more there were.
fn shorten(texts: &mut Vec<String>, most: usize) {
    let more = texts.len().saturating_sub(most);
    // One more takes no more room than saying so, and may say so already.
    if more > 1 {
        texts.truncate(most);
        texts.push(format!("and {more} more"));
    }
}

fn packed_size(promotion: Option<&Promotion>) -> serde_json::Result<usize> {
    let mut checkpoint = serde_json::to_value(promotion)?;
    pack::pack(&mut checkpoint)?;
    size(&checkpoint)
}

/// Bytes of JSON.
fn size(value: &impl Serialize) -> serde_json::Result<usize> {
    Ok(serde_json::to_vec(value)?.len())
}
