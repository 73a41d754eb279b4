//! What checkov finds: settings that are known to be unsafe or costly.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::sources::{FOLDER, Sources};
use crate::cache::Cache;
use crate::progress::Progress;
use crate::python::Environment;
use crate::run;

const ENVIRONMENT: Environment = Environment {
    name: "checkov",
    list: "terraform/requirements.txt",
    what: "checkov",
    takes: "about a minute",
};

/// Variables of the environment by which it takes other checks, or fewer.
const HIDDEN: [&str; 3] = ["CKV_", "BC_", "PRISMA_"];

/// Fails with all that it finds and nobody skipped.
pub(super) fn check(sources: &Sources, cache: &Cache, progress: &mut Progress) -> Result<()> {
    let python = ENVIRONMENT.python(cache, progress)?;
    progress.step("looking for unsafe settings with checkov", || {
        let mut checkov = Command::new(&python);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if HIDDEN.iter().any(|start| text.starts_with(start)) {
                checkov.env_remove(name);
            }
        }
        checkov
            .current_dir(sources.folder())
            .args(["-m", "checkov.main", "--directory", FOLDER])
            .args(["--framework", "terraform", "--output", "json"])
            .args(["--download-external-modules", "false", "--skip-download"])
            // What it finds is told by the report alone.
            .args(["--soft-fail", "--compact"])
            // Or a configuration file there would be taken.
            .env("HOME", sources.folder());
        judge(&run::output(&mut checkov)?)
    })
}

/// Reads the report.
fn judge(said: &str) -> Result<()> {
    let report: Value = serde_json::from_str(said)
        .with_context(|| format!("checkov did not write a report but:\n{said}"))?;
    let results = &report["results"];
    let list = |name: &str| {
        results[name]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    let unread: Vec<_> = list("parsing_errors")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    ensure!(
        unread.is_empty(),
        "checkov cannot read {}",
        unread.join(", ")
    );
    // A module that several call is looked at for each of them.
    let failed: BTreeSet<_> = list("failed_checks").iter().map(failure).collect();
    if !failed.is_empty() {
        let failed: Vec<_> = failed.into_iter().collect();
        bail!(
            "checkov found {}; mend it, or skip it in the resource with a reason \
             (#checkov:skip=ID:reason):\n  {}",
            failed.len(),
            failed.join("\n  ")
        );
    }
    ensure!(
        !list("passed_checks").is_empty(),
        "checkov found nothing to look at"
    );
    Ok(())
}

fn failure(check: &Value) -> String {
    let text = |name: &str| check[name].as_str().unwrap_or_default();
    format!(
        "{FOLDER}{}:{} {} {}: {}",
        text("file_path"),
        check["file_line_range"][0],
        text("check_id"),
        text("resource"),
        text("check_name"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(failed: &[Value], unread: &[&str]) -> String {
        let passed = json!([{ "check_id": "CKV_AWS_1" }]);
        json!({
            "check_type": "terraform",
            "results": {
                "passed_checks": passed,
                "failed_checks": failed,
                "parsing_errors": unread,
            },
        })
        .to_string()
    }

    #[test]
    fn a_failure_is_told_once_with_its_place() {
        let failed = json!({
            "check_id": "CKV_AWS_26",
            "check_name": "Ensure all data stored in the SNS topic is encrypted",
            "file_path": "/modules/billing-alarms/topic.tf",
            "file_line_range": [3, 9],
            "resource": "aws_sns_topic.alarms",
        });
        let error = judge(&report(&[failed.clone(), failed], &[])).expect_err("found");
        let text = error.to_string();
        assert!(text.starts_with("checkov found 1;"), "{text}");
        assert!(
            text.ends_with(
                "\n  terraform/modules/billing-alarms/topic.tf:3 CKV_AWS_26 aws_sns_topic.alarms: \
                 Ensure all data stored in the SNS topic is encrypted"
            ),
            "{text}"
        );
    }

    #[test]
    fn what_was_not_looked_at_does_not_pass() {
        judge(&report(&[], &[])).expect("nothing found");
        judge(&report(&[], &["/main.tf"])).expect_err("a file that it cannot read");
        judge(r#"{"passed": 0, "failed": 0}"#).expect_err("nothing there");
        judge("killed").expect_err("no report");
    }
}
