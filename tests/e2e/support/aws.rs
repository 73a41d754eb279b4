//! The AWS command line, against the double.

use std::process::Command;

/// What the AWS command line answers, as JSON; it has to succeed.
#[track_caller]
pub(crate) fn aws(arguments: &[&str]) -> String {
    let mut aws = Command::new("aws");
    aws.args(arguments).args(["--output", "json"]);
    let output = aws.output().expect("the AWS CLI can be started");
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "aws {}: {failed}",
        arguments.join(" ")
    );
    String::from_utf8(output.stdout).unwrap()
}
