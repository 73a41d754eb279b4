//! Runs other programs to their end.
//!
//! A failure names the program and shows the end of what it wrote, since that
//! is what one needs to mend it. Programs that stay are started elsewhere.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::progress;

/// As many lines of a log or an output as an error shows.
const LINES: usize = 20;

/// Runs a program and gives its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| missing(command.get_program()))?;
    checked(command, &output)
}

/// Runs a program with a text on its standard input, and gives its standard output.
pub(crate) fn output_with_input(command: &mut Command, input: &str) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| missing(command.get_program()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that stopped reading says why by its exit status, below.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    checked(command, &output)
}

/// Runs a program that is of interest only when it fails: then everything that
/// it wrote is shown, and the error says no more than that it failed.
pub(crate) fn quietly(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| missing(command.get_program()))?;
    if output.status.success() {
        return Ok(());
    }
    for said in [&output.stdout, &output.stderr] {
        let said = String::from_utf8_lossy(said);
        if !said.trim().is_empty() {
            progress::say(said.trim_end());
        }
    }
    bail!("{} failed ({})", readable(command), output.status)
}

/// Runs a program and gives its standard output, or nothing if it failed: for
/// questions whose answer may be "there is none".
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    output(command).ok()
}

/// Where a program lies on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    // Administrators' programs are not on every user's search path.
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// The end of a log, for an error.
pub(crate) fn tail(log: &Path) -> String {
    match std::fs::read(log) {
        Ok(bytes) => last_lines(&String::from_utf8_lossy(&bytes)),
        Err(_) => "(no log was written)".to_owned(),
    }
}

fn checked(command: &Command, output: &Output) -> Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut said = last_lines(&String::from_utf8_lossy(&output.stderr));
    if said.is_empty() {
        said = last_lines(&String::from_utf8_lossy(&output.stdout));
    }
    bail!("{} failed ({}):\n{said}", readable(command), output.status)
}

fn missing(program: &OsStr) -> anyhow::Error {
    anyhow!("failed to start {}: is it installed?", program.display())
}

fn readable(command: &Command) -> String {
    let mut words = vec![command.get_program().display().to_string()];
    words.extend(command.get_args().map(|word| word.display().to_string()));
    words.join(" ")
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_what_the_program_said() {
        let error = output(Command::new("sh").args(["-c", "echo broken >&2; exit 3"]))
            .expect_err("the program fails");
        let text = error.to_string();
        assert!(
            text.contains("broken") && text.contains("exit status: 3"),
            "{text}"
        );
    }

    #[test]
    fn input_reaches_the_program() {
        let text = output_with_input(&mut Command::new("cat"), "hello").expect("cat runs");
        assert_eq!(text, "hello");
    }

    #[test]
    fn only_the_end_of_a_long_text_is_shown() {
        let text: Vec<_> = (0..100).map(|n| format!("line {n}\n")).collect();
        let end = last_lines(&text.concat());
        assert!(
            end.starts_with("line 80") && end.ends_with("line 99"),
            "{end}"
        );
    }
}
