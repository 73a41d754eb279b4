//! `cargo xtask chart`: the Helm chart, and the plain manifests that are made of it.
//!
//! The chart has copies of what promoter says itself: the rights that it needs and
//! the definition of its resource. They and the manifests are written anew here;
//! that they are of today is checked by tests, the manifests by `--check`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::cache::Cache;
use crate::golang::Module;
use crate::progress::{self, Progress};
use crate::run;
use crate::scratch::Scratch;

pub(crate) const USAGE: &str = "\
chart [--check]   write the plain manifests anew from the chart, and into the chart what
                  promoter says of itself; --check: lint the chart, and say what is stale
";

pub(crate) const HELM_USAGE: &str = "\
helm ARGUMENT...  run Helm, which is built from source
";

/// The chart, from the top of the checkout.
const CHART: &str = "deploy/chart";
/// What is made of it.
const MANIFESTS: &str = "deploy/manifests/promoter.yaml";

/// What the chart brings along of the rest of `deploy/`, and what it calls it.
const COPIES: [(&str, &str); 2] = [
    ("deploy/prometheus/rules.yaml", "alerts.yaml"),
    ("deploy/grafana/promoter.json", "dashboard.json"),
];

/// What stands before them.
const HEAD: &str = "\
# promoter as plain manifests: what the chart in deploy/chart makes of its default values.
# Written by `cargo xtask chart`; see docs/install.md for what has to be changed.
";

const HELM: Module = Module {
    name: "helm",
    tree: "chart/go",
    program: "helm",
    takes: "about 2 min",
};

/// The Kubernetes that the manifests are for.
const KUBERNETES: &str = "--kube-version=1.34";

/// The image of the manifests, to be changed by whoever has one.
const IMAGE: &str = "--set=image.repository=promoter";

/// Runs the command.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let mut checks = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("check") => checks = true,
            other => bail!("{}\n\n{USAGE}", other.unexpected()),
        }
    }
    let mut progress = Progress::new();
    if checks {
        return check(&mut progress);
    }
    progress.step("asking promoter (about 4 min the first time)", said)?;
    let helm = Helm::get(&mut progress)?;
    write(MANIFESTS, &manifests(&helm)?)?;
    check(&mut progress)
}

/// Runs `cargo xtask helm`.
pub(crate) fn run_helm(mut arguments: lexopt::Parser) -> Result<()> {
    let helm = Helm::get(&mut Progress::new())?;
    let output = run::output(helm.command()?.args(arguments.raw_args()?))?;
    progress::print(&output);
    Ok(())
}

/// Lints the chart, and fails if the manifests are not made of it.
pub(crate) fn check(progress: &mut Progress) -> Result<()> {
    let helm = Helm::get(progress)?;
    progress.step("linting the chart", || {
        let mut lint = helm.command()?;
        run::quietly(lint.args(["lint", "--strict", "--quiet", KUBERNETES, IMAGE, CHART]))
            .context("the chart does not pass")
    })?;
    let made = manifests(&helm)?;
    let path = root().join(MANIFESTS);
    let known = fs::read_to_string(&path).unwrap_or_default();
    ensure!(
        made == known,
        "{MANIFESTS} is not what the chart makes: `cargo xtask chart` writes it anew"
    );
    Ok(())
}

/// Writes what promoter says of itself.
fn said() -> Result<()> {
    for (file, words) in [
        ("definition.yaml", &["--print-definition"][..]),
        ("rights.yaml", &["--print-role=daemon", "--environment=v2"]),
    ] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(root())
            .args(["run", "--quiet", "--package=promoter", "--bin=promoter"])
            .args(["--", "install"])
            .args(words);
        write(&format!("{CHART}/files/{file}"), &run::output(&mut cargo)?)?;
    }
    for (from, to) in COPIES {
        let text = fs::read_to_string(root().join(from))
            .with_context(|| format!("failed to read {from}"))?;
        write(&format!("{CHART}/files/{to}"), &text)?;
    }
    Ok(())
}

fn manifests(helm: &Helm) -> Result<String> {
    let mut template = helm.command()?;
    template.args(["template", "promoter", CHART, "--namespace=promoter"]);
    let made = run::output(template.args([KUBERNETES, IMAGE]))?;
    Ok(format!("{HEAD}{made}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn write(file: &str, text: &str) -> Result<()> {
    let path = root().join(file);
    fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
}

/// Helm, which knows nothing of the user's own repositories and settings.
struct Helm {
    program: PathBuf,
    home: Scratch,
}

impl Helm {
    fn get(progress: &mut Progress) -> Result<Self> {
        Ok(Self {
            program: HELM.program(&Cache::open()?, progress)?,
            home: Scratch::new("helm")?,
        })
    }

    /// It, at the top of the checkout.
    fn command(&self) -> Result<Command> {
        let mut helm = Command::new(&self.program);
        helm.current_dir(root().canonicalize()?);
        for part in ["CACHE", "CONFIG", "DATA"] {
            helm.env(format!("HELM_{part}_HOME"), self.home.path().join(part));
        }
        Ok(helm)
    }
}
