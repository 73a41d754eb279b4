//! What to push, from the command line.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use lexopt::Arg::{Long, Value};
use lexopt::ValueExt;

/// What to build and how to tag it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// The folder of the Dockerfile.
    pub(crate) folder: PathBuf,
    pub(crate) repository: String,
    pub(crate) branch: String,
    /// The build's number; by default the one after the last.
    pub(crate) build: Option<u64>,
    /// The commit; by default a hash of the folder's content.
    pub(crate) sha: Option<String>,
    /// Further build arguments, as `NAME=value`.
    pub(crate) build_arguments: Vec<String>,
}

impl Options {
    /// The next build of a folder for a branch, with nothing special about it.
    pub(crate) fn new(folder: PathBuf, repository: &str, branch: &str) -> Self {
        Self {
            folder,
            repository: repository.to_owned(),
            branch: branch.to_owned(),
            build: None,
            sha: None,
            build_arguments: Vec::new(),
        }
    }

    /// Reads them from the command line.
    pub(crate) fn parse(mut arguments: lexopt::Parser) -> Result<Self> {
        let (mut folder, mut repository, mut branch) = (None, None, None);
        let (mut build, mut sha, mut build_arguments) = (None, None, Vec::new());
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("repository") => repository = Some(arguments.value()?.string()?),
                Long("branch") => branch = Some(arguments.value()?.string()?),
                Long("build") => build = Some(arguments.value()?.parse()?),
                Long("sha") => sha = Some(arguments.value()?.string()?),
                Long("build-arg") => {
                    let pair = arguments.value()?.string()?;
                    ensure!(
                        pair.contains('='),
                        "--build-arg takes NAME=value, not {pair}"
                    );
                    build_arguments.push(pair);
                }
                Value(path) if folder.is_none() => folder = Some(PathBuf::from(path)),
                other => bail!(other.unexpected()),
            }
        }
        if let Some(sha) = &sha {
            let hexadecimal = sha.chars().all(|c| c.is_ascii_hexdigit());
            ensure!(
                hexadecimal && (7..=40).contains(&sha.len()),
                "{sha} is no commit hash"
            );
        }
        Ok(Self {
            folder: folder.context("name the folder to build")?,
            repository: repository.context("--repository is missing")?,
            branch: branch.context("--branch is missing")?,
            build,
            sha,
            build_arguments,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        Options::parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn all_of_it() {
        let options = parse(&[
            "examples/a",
            "--repository",
            "a",
            "--branch=feature/x",
            "--build",
            "7",
            "--sha",
            "0123abc",
            "--build-arg",
            "K=V=W",
            "--build-arg=L=",
        ])
        .expect("valid");
        assert_eq!(
            options,
            Options {
                folder: "examples/a".into(),
                repository: "a".to_owned(),
                branch: "feature/x".to_owned(),
                build: Some(7),
                sha: Some("0123abc".to_owned()),
                build_arguments: vec!["K=V=W".to_owned(), "L=".to_owned()],
            }
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (words, expected) in [
            (&["a", "--branch", "b"][..], "--repository is missing"),
            (&["--repository", "r", "--branch", "b"], "name the folder"),
            (&["a", "b"], "unexpected argument"),
            (&["a", "--build-arg", "K"], "NAME=value"),
            (
                &["a", "--repository", "r", "--branch", "b", "--sha", "main"],
                "no commit hash",
            ),
        ] {
            let error = parse(words).expect_err("invalid").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
