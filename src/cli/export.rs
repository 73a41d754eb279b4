//! `promoter export`: a promotion for other programs.

use std::fs;
use std::io::Write;
use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::CliError;
use super::args::{Export, Exported};
use super::exit::Exit;
use super::past::{find, records, whole};
use crate::port::Records;
use crate::port::records::Entry;
use crate::promotion::check::{CaseOutcome, CheckResult, Verdict};

pub(super) async fn run(dir: &Path, command: &Export) -> Result<Exit, CliError> {
    let records = records()?;
    let entry = find(dir, &records, &command.past.promotion, &command.past.of).await?;
    let text = match command.format {
        Exported::Json => format!("{:#}\n", whole(&records, &entry).await?),
        Exported::Junit => {
            let report = junit(&entry, &records.results(&entry).await?);
            report.to_string().map_err(std::io::Error::other)?
        }
    };
    write(command.file.as_deref(), &text)?;
    Ok(Exit::Success)
}

fn write(file: Option<&Path>, text: &str) -> Result<(), CliError> {
    match file {
        Some(file) => fs::write(file, text).map_err(|error| {
            CliError::Usage(format!("failed to write {}: {error}", file.display()))
        }),
        None => Ok(std::io::stdout().write_all(text.as_bytes())?),
    }
}

/// A suite per check. A check without a report is one test case; so is what makes
/// one fail beside its test cases.
fn junit(entry: &Entry, results: &[CheckResult]) -> Report {
    let mut report = Report::new(format!("{} {}", entry.group, entry.promotion));
    for result in results {
        let mut suite = TestSuite::new(result.check.as_str());
        suite.set_time(result.duration.unwrap_or_default());
        let failed = |case: &crate::promotion::check::TestCase| case.outcome == CaseOutcome::Failed;
        for case in &result.cases {
            let status = match case.outcome {
                CaseOutcome::Passed => TestCaseStatus::success(),
                CaseOutcome::Skipped | CaseOutcome::Todo => TestCaseStatus::skipped(),
                CaseOutcome::Failed => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    if let Some(diagnostic) = &case.diagnostic {
                        status.set_description(diagnostic.as_str());
                    }
                    status
                }
            };
            let mut written = TestCase::new(case.name.as_str(), status);
            if let Some(millis) = case.duration_ms {
                written.set_time(std::time::Duration::from_millis(millis));
            }
            suite.add_test_case(written);
        }
        let is_told = result.verdict == Verdict::Failed && result.cases.iter().any(failed);
        if result.cases.is_empty() || (result.verdict != Verdict::Passed && !is_told) {
            suite.add_test_case(TestCase::new(result.check.as_str(), of_check(result)));
        }
        report.add_test_suite(suite);
    }
    report
}

fn of_check(result: &CheckResult) -> TestCaseStatus {
    let kind = match result.verdict {
        Verdict::Passed => return TestCaseStatus::success(),
        Verdict::Failed => NonSuccessKind::Failure,
        Verdict::Errored | Verdict::TimedOut => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(result.reason.as_str());
    status.set_description(result.tail.join("\n"));
    status
}
