//! `cargo xtask image`: the folder that the daemon's image is built in.
//!
//! It has what `deploy/Dockerfile` copies: promoter as one static program, and
//! the certificates that it trusts. Whoever builds images takes it from there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::progress::{self, Progress};
use crate::run;

pub(crate) const USAGE: &str = "\
image [--dev]     build promoter as a static program, and print the folder that
                  `docker build` or `buildah build` makes the image in; --dev: as tests
                  have it, quick to build and large
";

/// Where Debian's ca-certificates are.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Runs the command.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let mut profile = Profile::Release;
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("dev") => profile = Profile::Dev,
            other => bail!("{}\n\n{USAGE}", other.unexpected()),
        }
    }
    let folder = folder(profile, &mut Progress::new())?;
    progress::print(&format!("{}\n", folder.display()));
    Ok(())
}

/// How promoter is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// Fills the folder, and gives its path.
pub(crate) fn folder(profile: Profile, progress: &mut Progress) -> Result<PathBuf> {
    let (name, built, doing) = match profile {
        Profile::Dev => (
            "dev",
            "debug",
            "building promoter for its image (about 4 min the first time)",
        ),
        Profile::Release => (
            "release",
            "release",
            "building promoter for release (about 10 min the first time)",
        ),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let program = root.join("target").join(built).join("promoter");
    progress.step(doing, || {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&root).args([
            "rustc",
            "--quiet",
            "--package=promoter",
            "--bin=promoter",
            "--profile",
            name,
            "--",
            // Only to link it so: libraries that were built for other programs are taken as they are.
            "-Ctarget-feature=+crt-static",
            "-Cstrip=symbols",
        ]);
        run::output(&mut cargo)
    })?;
    // `ldd` fails on a program that loads no library.
    let loaded = run::answer(Command::new("ldd").arg(&program));
    ensure!(
        loaded.is_none_or(|text| !text.contains("=>")),
        "{} is not static: build the image on Linux, with glibc's static library",
        program.display()
    );
    let folder = root.join("target/image").join(name);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to create {}", folder.display()))?;
    let files = [
        (program, "promoter"),
        (CERTIFICATES.into(), "ca-certificates.crt"),
        (root.join("deploy/Dockerfile"), "Dockerfile"),
    ];
    for (from, to) in files {
        std::fs::copy(&from, folder.join(to))
            .with_context(|| format!("failed to copy {}", from.display()))?;
    }
    Ok(folder.canonicalize()?)
}
