//! Whether the providers that `terraform/` requires can be had.
//!
//! They are asked for by a configuration that requires them and does nothing
//! else: so a module that is broken is never taken for a provider that is out
//! of reach.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::cli::Cli;
use super::sources::{FOLDER, Sources};
use crate::progress;
use crate::run;

/// Version constraints by the provider's full address.
pub(super) type Requirements = BTreeMap<String, BTreeSet<String>>;

/// What became of asking for them.
pub(super) enum Providers {
    /// They are in this folder, laid out as a mirror.
    Installed(PathBuf),
    /// They cannot be had here, for this reason.
    OutOfReach(String),
}

/// What errors say when a registry or a mirror does not answer, or has no such
/// provider at all. One that has no version that fits is none of these.
const OUT_OF_REACH: [&str; 8] = [
    "could not connect to ",
    "could not query provider registry ",
    "failed to query provider mirror ",
    "was not found in any of the search locations",
    "dial tcp",
    "connection reset by peer",
    "i/o timeout",
    "TLS handshake timeout",
];

/// What all modules together require. Needs no provider, and fails where a
/// module cannot be read or one that it calls is not there.
pub(super) fn requirements(cli: &Cli, sources: &Sources) -> Result<Requirements> {
    let mut all = Requirements::new();
    for module in &sources.modules {
        let folder = sources.of(module);
        run::quietly(&mut cli.command(&folder, &["get", "-no-color"]))
            .with_context(|| format!("{} cannot be read", module.path))?;
        let said = run::output(&mut cli.command(&folder, &["providers"]))?;
        for (address, constraint) in required(&said) {
            all.entry(address).or_default().extend(constraint);
        }
    }
    Ok(all)
}

/// Asks for the providers.
pub(super) fn install(
    cli: &Cli,
    sources: &Sources,
    requirements: &Requirements,
) -> Result<Providers> {
    let folder = sources.beside("providers")?;
    std::fs::write(
        folder.join("main.tf.json"),
        configuration(requirements).to_string(),
    )?;
    // Where the root says which versions exactly, they are taken.
    let lock = ".terraform.lock.hcl";
    if let Some(text) = sources.texts.get(&format!("{FOLDER}/{lock}")) {
        std::fs::write(folder.join(lock), text)?;
    }
    let init = ["init", "-backend=false", "-input=false", "-no-color"];
    // A cache that the user has would be used with a lock file only.
    let output = cli
        .command(&folder, &init)
        .env("TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE", "true")
        .output()?;
    let installed = folder.join(".terraform/providers");
    if output.status.success() {
        std::fs::create_dir_all(&installed)?;
        return Ok(Providers::Installed(installed));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if let Some(reason) = out_of_reach(&said) {
        return Ok(Providers::OutOfReach(reason));
    }
    progress::say(said.trim());
    bail!("the providers cannot be installed: {}", list(requirements))
}

/// The requirements as people read them.
pub(super) fn list(requirements: &Requirements) -> String {
    let each = requirements
        .iter()
        .map(|(address, constraints)| format!("{address} {}", joined(constraints)));
    each.collect::<Vec<_>>().join(" and ")
}

fn joined(constraints: &BTreeSet<String>) -> String {
    let constraints: Vec<_> = constraints.iter().map(String::as_str).collect();
    constraints.join(", ")
}

/// A configuration that requires them and nothing else.
fn configuration(requirements: &Requirements) -> Value {
    let required: serde_json::Map<_, _> = requirements
        .iter()
        .enumerate()
        .map(|(n, (source, constraints))| {
            let mut provider = json!({ "source": source });
            if !constraints.is_empty() {
                provider["version"] = joined(constraints).into();
            }
            (format!("provider{n}"), provider)
        })
        .collect();
    json!({ "terraform": { "required_providers": required } })
}

/// The addresses and constraints in what `providers` prints.
fn required(said: &str) -> Vec<(String, Option<String>)> {
    let each = said.lines().filter_map(|line| {
        let (_, rest) = line.split_once("provider[")?;
        let (address, constraint) = rest.split_once(']')?;
        // Part of the CLI.
        if address.contains("/builtin/") {
            return None;
        }
        let constraint = constraint.trim();
        let constraint = (!constraint.is_empty()).then(|| constraint.to_owned());
        Some((address.to_owned(), constraint))
    });
    each.collect()
}

/// Why a provider is out of reach, if that is what an error says.
fn out_of_reach(said: &str) -> Option<String> {
    // Errors are broken into lines wherever they are long.
    let (_, error) = said.split_once("Error: ")?;
    let (_, text) = error.split_once("\n\n")?;
    let first = text.split("\n\n").next().unwrap_or_default();
    let first = first.split_whitespace().collect::<Vec<_>>().join(" ");
    OUT_OF_REACH
        .iter()
        .any(|sign| first.contains(sign))
        .then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_REGISTRY: &str = "
Error: Failed to query available provider packages

Could not retrieve the list of available versions for provider hashicorp/aws:
could not connect to providers.example: failed to request discovery
document: Get \"https://providers.example/.well-known/terraform.json\": dial
tcp: lookup providers.example on 192.0.2.1:53: no such host

To see which modules are currently depending on hashicorp/aws and what
versions are specified, run the following command:
    terraform providers
";

    #[test]
    fn a_registry_that_does_not_answer_is_out_of_reach() {
        let reason = out_of_reach(NO_REGISTRY).expect("out of reach");
        assert!(
            reason.starts_with("Could not retrieve") && reason.ends_with("no such host"),
            "{reason}"
        );
        let tofu = "\nError: Failed to resolve provider packages\n\n\
            Could not resolve provider hashicorp/aws: could not connect\nto \
            providers.example: failed to request discovery document: Get\n\
            \"https://providers.example/\": dial tcp 192.0.2.1:443: connection refused\n\n";
        assert!(out_of_reach(tofu).is_some());
    }

    #[test]
    fn a_mirror_without_the_provider_is_out_of_reach() {
        let mirror = "\nError: Failed to query available provider packages\n\n\
            Could not retrieve the list of available versions for provider hashicorp/aws:\n\
            provider providers.example/hashicorp/aws was not found in any of the\n\
            search locations\n\n  - /srv/mirror\n";
        assert!(out_of_reach(mirror).is_some());
    }

    #[test]
    fn other_failures_are_failures() {
        for said in [
            "\nError: Failed to query available provider packages\n\n\
             Could not retrieve the list of available versions for provider hashicorp/aws:\n\
             no available releases match the given constraints ~> 5.0, ~> 6.0\n\n",
            "\nError: Failed to install provider\n\n\
             Error while installing hashicorp/aws v6.2.0: the local package for\n\
             providers.example/hashicorp/aws 6.2.0 doesn't match any of the checksums\n\
             previously recorded in the dependency lock file\n\n",
            "Segmentation fault",
            "",
        ] {
            assert_eq!(out_of_reach(said), None, "{said}");
        }
    }

    #[test]
    fn what_modules_require_is_read_and_asked_for_once() {
        let said = "\nProviders required by configuration:\n.\n\
            ├── provider[providers.example/hashicorp/aws] ~> 6.0\n\
            ├── provider[terraform.io/builtin/terraform]\n\
            ├── test.tests.names\n│   └── provider[providers.example/hashicorp/tls]\n\
            └── module.ecr\n    └── provider[providers.example/hashicorp/aws] >= 6.2.0\n\n";
        let mut all = Requirements::new();
        for (address, constraint) in required(said) {
            all.entry(address).or_default().extend(constraint);
        }
        assert_eq!(
            configuration(&all)["terraform"]["required_providers"],
            json!({
                "provider0": {
                    "source": "providers.example/hashicorp/aws",
                    "version": ">= 6.2.0, ~> 6.0",
                },
                "provider1": { "source": "providers.example/hashicorp/tls" },
            })
        );
    }
}
