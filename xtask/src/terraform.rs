//! `cargo xtask terraform`: all that can be checked of `terraform/` without an
//! AWS account.
//!
//! Works on a copy of what git would clone. Programs that are missing are built
//! or installed; the AWS provider alone may be out of reach, and then what could
//! not be checked is said.

mod checkov;
mod cli;
mod provider;
mod rules;
mod sources;

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use self::cli::Cli;
use self::provider::Providers;
use self::sources::{FOLDER, Module, Sources};
use crate::cache::Cache;
use crate::golang;
use crate::progress::{self, Progress};
use crate::run;

pub(crate) const USAGE: &str = "\
terraform         check terraform/: format, lints, policies, tables; and init, validate and
                  tests of every module, where the AWS provider can be had
";

const TFLINT: golang::Module = golang::Module {
    name: "tflint",
    tree: "terraform/go",
    program: "tflint",
    takes: "about 90 s",
};

/// Runs the command.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        bail!("{}\n\n{USAGE}", argument.unexpected());
    }
    let mut progress = Progress::new();
    let unchecked = check(false, &mut progress)?;
    let took = progress::human(progress.elapsed());
    let here = unchecked.as_ref().map_or("", |_| " that can be made here");
    progress.note(&format!("{FOLDER}/ passed all checks{here} ({took})"));
    if let Some(unchecked) = unchecked {
        progress.note(&unchecked.to_string());
    }
    Ok(())
}

/// Makes all checks that can be made here, and gives those that cannot. `quick`
/// leaves out what providers are needed for: they are large, and tests of
/// modules take minutes.
pub(crate) fn check(quick: bool, progress: &mut Progress) -> Result<Option<Unchecked>> {
    let cache = Cache::open()?;
    let sources = Sources::copy()?;
    let cli = Cli::get(&cache, progress)?;
    let doing = format!("checking the format of {FOLDER}/ with {}", cli.version);
    progress.step(&doing, || {
        let words = ["fmt", "-check", "-recursive", "-diff", FOLDER];
        run::quietly(&mut cli.command(sources.folder(), &words))
            .with_context(|| format!("{FOLDER}/ is not formatted, which fmt -recursive mends"))
    })?;
    progress.step(
        "looking for skips without a reason, stale tables and what is promoter's",
        || {
            let faults = rules::faults(&sources);
            if !faults.is_empty() {
                bail!("{FOLDER}/ breaks rules:\n  {}", faults.join("\n  "));
            }
            Ok(())
        },
    )?;
    let tflint = TFLINT.program(&cache, progress)?;
    progress.step("linting with tflint", || lint(&tflint, &sources))?;
    checkov::check(&sources, &cache, progress)?;
    if quick {
        return Ok(None);
    }
    with_providers(&cli, &sources, progress)
}

fn lint(tflint: &Path, sources: &Sources) -> Result<()> {
    let mut tflint = Command::new(tflint);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TFLINT_") {
            tflint.env_remove(name);
        }
    }
    tflint
        .current_dir(sources.folder())
        .args(["--recursive", "--no-color", "--config"])
        // A path that is not absolute is looked for in every module.
        .arg(sources.folder().join(FOLDER).join(".tflint.hcl"));
    run::quietly(&mut tflint).context("tflint does not pass")
}

/// What needs the providers: most of all to know their resources.
fn with_providers(
    cli: &Cli,
    sources: &Sources,
    progress: &mut Progress,
) -> Result<Option<Unchecked>> {
    let required = progress.step("reading what the modules require", || {
        provider::requirements(cli, sources)
    })?;
    let doing = format!("asking for {}", provider::list(&required));
    let providers = progress.step(&doing, || provider::install(cli, sources, &required))?;
    match providers {
        Providers::OutOfReach(reason) => Ok(Some(Unchecked {
            provider: provider::list(&required),
            reason,
            modules: sources.modules.iter().map(told).collect(),
        })),
        Providers::Installed(mirror) => {
            for module in &sources.modules {
                let doing = format!("validating and testing {}", told(module));
                progress.step(&doing, || prove(cli, sources, module, &mirror))?;
            }
            Ok(None)
        }
    }
}

/// Initialises, validates and tests a module.
fn prove(cli: &Cli, sources: &Sources, module: &Module, mirror: &Path) -> Result<()> {
    let folder = sources.of(module);
    let pass = |words: &[&str]| {
        run::quietly(&mut cli.command(&folder, words))
            .with_context(|| format!("{} does not pass", module.path))
    };
    let mirror = format!("-plugin-dir={}", mirror.display());
    let init = ["init", "-backend=false", "-input=false", "-no-color"];
    pass(&[init.as_slice(), &[mirror.as_str()]].concat())?;

    // Whoever calls a module passes such providers; here nobody does.
    let aliases = folder.join("aliases.tf.json");
    let passed = aliased(sources.texts_of(module));
    std::fs::write(&aliases, passed.to_string())?;
    pass(&["validate", "-no-color"])?;
    std::fs::remove_file(&aliases)?;

    if module.tests > 0 {
        pass(&["test", "-no-color"])?;
    }
    Ok(())
}

/// A module and its tests as people read them.
fn told(module: &Module) -> String {
    match module.tests {
        0 => module.path.clone(),
        1 => format!("{} (1 file of tests)", module.path),
        tests => format!("{} ({tests} files of tests)", module.path),
    }
}

/// A configuration of the providers that a module expects to be passed.
fn aliased<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    let mut providers = Map::new();
    for text in texts {
        let lists = text.split("configuration_aliases").skip(1);
        for list in lists.filter_map(|rest| rest.split_once('[')?.1.split_once(']')) {
            for (provider, alias) in list.0.split(',').filter_map(|name| name.split_once('.')) {
                let of_provider = providers.entry(provider.trim()).or_insert(json!([]));
                if let Value::Array(aliases) = of_provider {
                    aliases.push(json!({ "alias": alias.trim() }));
                }
            }
        }
    }
    if providers.is_empty() {
        return json!({});
    }
    json!({ "provider": providers })
}

/// What could not be checked, as it is told: so that nobody overlooks it.
#[derive(Debug)]
pub(crate) struct Unchecked {
    provider: String,
    reason: String,
    modules: Vec<String>,
}

impl fmt::Display for Unchecked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider,
            reason,
            modules,
        } = self;
        let rule = "!".repeat(79);
        writeln!(out, "\n{rule}")?;
        writeln!(out, "!! NOT CHECKED: init, validate and test of")?;
        for module in modules {
            writeln!(out, "!!   {module}")?;
        }
        writeln!(out, "!! since {provider} cannot be had here:")?;
        writeln!(out, "!!   {reason}")?;
        writeln!(
            out,
            "!! A mirror that has it can be named in the CLI configuration (TF_CLI_CONFIG_FILE)."
        )?;
        writeln!(out, "{rule}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_checked_stands_out_and_names_everything() {
        let text = Unchecked {
            provider: "registry.example.com/hashicorp/aws ~> 6.0".to_owned(),
            reason: "no such host".to_owned(),
            modules: vec!["terraform".to_owned(), "terraform/modules/ecr".to_owned()],
        }
        .to_string();
        for part in [
            "NOT CHECKED",
            "terraform/modules/ecr",
            "~> 6.0",
            "no such host",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(
            text.trim().lines().all(|line| line.starts_with("!!")),
            "{text}"
        );
    }

    #[test]
    fn providers_that_a_module_expects_are_made_up() {
        let text = "configuration_aliases = [aws.us_east_1]\n\
            configuration_aliases = [\n  aws.other,\n  tls.x,\n]\n";
        assert_eq!(
            aliased([text, "version = \"~> 6.0\""].into_iter()),
            json!({ "provider": {
                "aws": [{ "alias": "us_east_1" }, { "alias": "other" }],
                "tls": [{ "alias": "x" }],
            } })
        );
        assert_eq!(aliased(["version = \"~> 6.0\""].into_iter()), json!({}));
    }
}
