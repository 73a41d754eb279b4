//! `cargo xtask fuzz`: the parsers' tests over many more inputs.
//!
//! The tests are those of `tests/it/parsers.rs`; here they are built with
//! optimisation and all checks, and each runs in a process of its own, so that
//! a stack that overflows and an input that is never done with fail the test
//! and are told with the input, made as small as can be.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use crate::progress::{self, Progress};
use crate::test::passes;

pub(crate) const USAGE: &str = "\
fuzz [--cases N] [--seed N]
                  the parsers' tests with N inputs each (1000000; about 30 min), other
                  ones in every run unless they are to be those of a seed
";

/// Inputs of each test.
const CASES: u32 = 1_000_000;

/// How long one input may take. Most take less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long is spent on making an input that fails smaller.
const SHRINKING: Duration = Duration::from_mins(3);

/// Runs the command.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    use lexopt::ValueExt as _;

    let mut cases = CASES;
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("cases") => cases = arguments.value()?.parse()?,
            lexopt::Arg::Long("seed") => seed = arguments.value()?.parse()?,
            other => bail!("{}\n\n{USAGE}", other.unexpected()),
        }
    }
    let mut progress = Progress::new();
    let cargo = |last: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["test", "--profile", "fuzz", "--test", "it"])
            .args(last);
        cargo
    };
    progress.step("building with optimisation", || {
        passes(&mut cargo(&["--quiet", "--no-run"]))
    })?;
    let doing = format!("reading {cases} inputs in each test, seed {seed}");
    progress.step(&doing, || {
        passes(
            cargo(&["parsers::"])
                .env("PROPTEST_CASES", cases.to_string())
                .env("PROPTEST_RNG_SEED", seed.to_string())
                .env("PROPTEST_TIMEOUT", PATIENCE.as_millis().to_string())
                .env(
                    "PROPTEST_MAX_SHRINK_TIME",
                    SHRINKING.as_millis().to_string(),
                ),
        )
    })?;
    progress.note(&format!(
        "no input broke anything ({})",
        progress::human(progress.elapsed())
    ));
    Ok(())
}
