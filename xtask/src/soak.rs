//! `cargo xtask soak`: the tests that take too long for every change.
//!
//! Load, rates and promotions are measured, so the machine should have nothing
//! else to do meanwhile.

use std::process::Command;

use anyhow::{Result, bail};

use crate::postgres;
use crate::progress::{self, Progress};
use crate::test::passes;
use crate::testbed;

pub(crate) const USAGE: &str = "\
soak [drops|proxy|crashes|takeovers]...
                  run the long tests on the real cluster, each with a table at its end:
                  drops (10 min: 26 operations, 200,000 requests, none may be lost),
                  proxy (10 min: the same with kube-proxy stopped around the switch),
                  crashes (killed at 30 moments and resumed; SOAK_SEED repeats a run),
                  takeovers (20 min: one of two daemons killed 20 times; the same seed)
";

const NAMES: [&str; 4] = ["drops", "proxy", "crashes", "takeovers"];

/// Runs the command.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let mut chosen = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Value(name) => match NAMES.iter().find(|known| name == **known) {
                Some(known) => chosen.push(*known),
                None => bail!("there is no soak {}\n\n{USAGE}", name.display()),
            },
            other => bail!("{}\n\n{USAGE}", other.unexpected()),
        }
    }
    if chosen.is_empty() {
        chosen.extend(NAMES);
    }
    let mut progress = Progress::new();
    // Daemons share their records.
    postgres::install(&mut progress)?;
    progress.step("building", || {
        passes(soak(&mut Command::new("cargo")).arg("--no-run"))
    })?;
    let testbed = testbed::up(&mut progress)?;
    for name in chosen {
        progress.step(&format!("soaking: {name}"), || {
            let module = format!("{name}::");
            let mut command = testbed.command("cargo");
            passes(soak(&mut command).args([module.as_str(), "--", "--nocapture"]))
        })?;
    }
    let took = progress::human(progress.elapsed());
    progress.note(&format!("nothing was lost ({took})"));
    Ok(())
}

fn soak(command: &mut Command) -> &mut Command {
    command.args(["test", "--quiet", "--features", "e2e", "--test", "soak"])
}
