//! `promoter completions`: what a shell offers after a tab.
//!
//! The script that a shell reads once asks this binary each time, so names of
//! groups and environments are those of the files at that moment. Nothing is
//! written, and no cluster is asked.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::PathBuf;

use clap_complete::CompleteEnv;
use clap_complete::engine::{self, CompletionCandidate};
use clap_complete::env::Shells;

use super::CliError;
use super::args::{self, Completions};
use super::exit::Exit;
use crate::adapter::files::Catalog;
use crate::config::env;

/// What kubectl runs to complete its plugin: `kubectl_complete-<name>`.
const FOR_KUBECTL: &str = "kubectl_complete-promoter";
/// What kubectl reads as "there is nothing else, no files either".
const NO_FILES: &str = ":4";

pub(super) fn run(command: &Completions) -> Result<Exit, CliError> {
    let name = &command.shell;
    let shells = Shells::builtins();
    let shell = shells.completer(name);
    let shell = shell.ok_or_else(|| CliError::Usage(format!("no completions for {name}")))?;
    let mut script = Vec::new();
    shell.write_registration(
        env::COMPLETE,
        "promoter",
        "promoter",
        "promoter",
        &mut script,
    )?;
    anstream::stdout().write_all(&script)?;
    Ok(Exit::Success)
}

/// Answers a shell that asks what comes next, be it through kubectl, and then
/// ends the process; does nothing where nobody asks.
///
/// # Errors
/// The answer could not be written.
pub fn answer() -> io::Result<()> {
    let mut typed = std::env::args_os();
    let program = typed.next().unwrap_or_default();
    if PathBuf::from(&program).file_name() == Some(OsStr::new(FOR_KUBECTL)) {
        for_kubectl(typed.collect())?;
        std::process::exit(0);
    }
    CompleteEnv::with_factory(args::command)
        .var(env::COMPLETE)
        .complete();
    Ok(())
}

fn for_kubectl(typed: Vec<OsString>) -> io::Result<()> {
    let mut words = vec![OsString::from("promoter")];
    words.extend(typed);
    if words.len() == 1 {
        words.push(OsString::new());
    }
    let last = words.len() - 1;
    let mut out = io::stdout().lock();
    for candidate in engine::complete(&mut args::command(), words, last, None)? {
        let word = candidate.get_value().to_string_lossy().into_owned();
        match candidate.get_help() {
            Some(help) => writeln!(out, "{word}\t{help}")?,
            None => writeln!(out, "{word}")?,
        }
    }
    writeln!(out, "{NO_FILES}")
}

/// The groups there are files of.
pub(super) fn groups(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, Catalog::load(&dir()).group_names())
}

/// The environments there are files of.
pub(super) fn environments(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, Catalog::load(&dir()).environment_names())
}

fn candidates<'a>(
    current: &OsStr,
    names: impl Iterator<Item = &'a str>,
) -> Vec<CompletionCandidate> {
    let begun = current.to_string_lossy();
    names
        .filter(|name| name.starts_with(&*begun))
        .map(CompletionCandidate::new)
        .collect()
}

/// The folder that the line typed so far is about.
fn dir() -> PathBuf {
    let typed: Vec<_> = std::env::args_os().collect();
    let named = typed.windows(2).rev().find_map(|pair| {
        let is_it = pair[0] == "-C" || pair[0] == "--directory";
        is_it.then(|| pair[1].clone())
    });
    let dir = named.or_else(|| std::env::var_os(env::DIR));
    dir.map_or_else(|| PathBuf::from("."), PathBuf::from)
}
