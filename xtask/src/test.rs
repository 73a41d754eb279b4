//! `cargo xtask test`: everything that has to pass before a change lands.
//!
//! From the quickest to the slowest, stopping at the first failure: form,
//! lints, tests without a cluster, the example apps, the chart, `terraform/`, then the
//! end-to-end tests on a real cluster, which is brought up for them and stays up.
//! The Postgres that tests of the records start is installed before.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::audit::Audit;
use crate::chart;
use crate::image::{self, Profile};
use crate::postgres;
use crate::progress::{self, Progress};
use crate::rights;
use crate::terraform;
use crate::testbed;

pub(crate) const USAGE: &str = "\
test [--quick]    format, lints and all tests, those on the real cluster included;
                  --quick leaves the cluster out, and what needs Terraform's providers
";

/// What is run without a cluster.
const STEPS: &[(&str, &str, &[&str])] = &[
    ("checking the format", "cargo", &["fmt", "--all", "--check"]),
    (
        "linting (compiles everything: about 5 min the first time)",
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ],
    ),
    (
        "testing without a cluster",
        "cargo",
        &["test", "--workspace", "--quiet"],
    ),
    (
        "testing the example apps",
        "node",
        &[
            "--test",
            "examples/examples.test.mjs",
            "examples/hello-a/server.test.mjs",
            "examples/hello-b/server.test.mjs",
            "examples/hello-tests/client.test.mjs",
        ],
    ),
];

/// Runs the command.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let mut quick = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("quick") => quick = true,
            other => bail!("{}\n\n{USAGE}", other.unexpected()),
        }
    }
    let mut progress = Progress::new();
    postgres::install(&mut progress)?;
    for (doing, program, words) in STEPS {
        progress.step(doing, || passes(Command::new(program).args(*words)))?;
    }
    chart::check(&mut progress)?;
    let unchecked = terraform::check(quick, &mut progress)?;
    if let Some(unchecked) = &unchecked {
        progress.note(&unchecked.to_string());
    }
    if !quick {
        end_to_end(&mut progress)?;
    }
    let took = progress::human(progress.elapsed());
    match unchecked {
        None => progress.note(&format!("all tests passed ({took})")),
        // Said again, since by now it is far up.
        Some(unchecked) => {
            progress.note(&format!("all tests that were run passed ({took})"));
            progress.note(&unchecked.to_string());
        }
    }
    Ok(())
}

fn end_to_end(progress: &mut Progress) -> Result<()> {
    const TESTS: [&str; 5] = ["test", "--features", "e2e", "--test", "e2e"];
    // The image last: tests want one that is as new as the promoter they run.
    progress.step("building the tests", || {
        passes(
            Command::new("cargo")
                .args(TESTS)
                .args(["--quiet", "--no-run"]),
        )
    })?;
    image::folder(Profile::Dev, progress)?;
    let testbed = testbed::up(progress)?;
    let audit = rights::audit(&testbed);
    let since = audit.as_ref().map(Audit::mark).transpose()?;
    let mut tests = testbed.command("cargo");
    // Most of a promotion is waiting, so more run at once than there are cores.
    tests.env("RUST_TEST_THREADS", "3").args(TESTS);
    if testbed.kubeconfig.is_none() {
        progress.note("  the cluster is not ours: tests that stop parts of it are left out");
        tests.args(["--", "--skip", "weather::cluster"]);
    }
    progress.step("testing on the real cluster", || passes(&mut tests))?;
    let (Some(audit), Some(since)) = (audit, since) else {
        progress
            .note("  rights NOT COMPARED with their uses: the cluster is not ours, nor is its log");
        return Ok(());
    };
    progress.step("comparing rights with their uses", || {
        rights::check(&testbed, &audit, since)
    })
}

/// Runs a program whose output is shown as it comes.
pub(crate) fn passes(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("failed to start {program}: is it installed?"))?;
    if !status.success() {
        bail!("{program} failed ({status})");
    }
    Ok(())
}
