//! `cargo xtask demo`: the main job, end to end, on a real cluster.
//!
//! Brings the testbed up, pushes the example apps as CI would, and promotes
//! the master group. What it types is what a user would type.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::progress::Progress;
use crate::push::{self, Options};
use crate::test::passes;
use crate::testbed::{self, Testbed};

pub(crate) const USAGE: &str = "\
demo              bring up the testbed, push the example apps and promote the master group
";

/// The example apps and their tests.
const IMAGES: [&str; 3] = ["hello-a", "hello-b", "hello-tests"];

const WHAT_NEXT: &str = "
The master group is promoted.

  http://127.0.0.1:30080/     hello-a, which calls hello-b; both tell their version

Set this shell up for promoter, kubectl and aws:

  eval \"$(cargo xtask testbed env)\"; export PATH=\"$PWD/target/debug:$PATH\"

Then try:

  # look around
  promoter status --group master
  kubectl --namespace v2 get deploymentgroups,pods

  # push a new build of hello-b and promote it
  cargo xtask push examples/hello-b --repository hello-b --branch master
  promoter plan master
  promoter deploy master

  # push a broken build and see it refused, while the old one keeps serving
  cargo xtask push examples/hello-b --repository hello-b --branch master --build-arg GREETING=Goodbye
  promoter deploy master; echo \"exit code $?\"
  curl http://127.0.0.1:30080/

  # put the machine back
  cargo xtask testbed down
";

/// Runs the command.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    if let Some(extra) = arguments.next()? {
        bail!("{}\n\n{USAGE}", extra.unexpected());
    }
    let mut progress = Progress::new();
    progress.step("building promoter (about 4 min the first time)", || {
        passes(Command::new("cargo").args(["build", "--quiet", "--bin", "promoter"]))
    })?;
    let testbed = testbed::up(&mut progress)?;
    for name in IMAGES {
        let options = Options::new(PathBuf::from("examples").join(name), name, "master");
        push::push(&testbed, &options, &mut progress)?;
    }
    for words in [
        &["install", "--environment", "v2"][..],
        &["deploy", "--group", "master"],
    ] {
        promoter(&testbed, words, &mut progress)?;
    }
    progress.note(WHAT_NEXT);
    Ok(())
}

fn promoter(testbed: &Testbed, words: &[&str], progress: &mut Progress) -> Result<()> {
    progress.note(&format!("\n$ promoter {}", words.join(" ")));
    passes(testbed.command("target/debug/promoter").args(words))
}
