//! The Terraform CLI that checks are made with: Terraform, else `OpenTofu`, and
//! where there is neither, an `OpenTofu` that is built.
//!
//! It keeps to the user's CLI configuration, so that mirrors are used, and sees
//! nothing else of theirs: no variables, no workspace and no AWS credentials. A
//! test that would touch an account fails.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cache::Cache;
use crate::golang::Module;
use crate::progress::Progress;
use crate::run;

/// The oldest that knows all that `terraform/` says: conditions of a variable
/// that look at another one.
const OLDEST: (u32, u32) = (1, 9);

/// As they are looked for.
const PROGRAMS: [&str; 2] = ["terraform", "tofu"];

const OPENTOFU: Module = Module {
    name: "opentofu",
    tree: "terraform/go",
    program: "tofu",
    takes: "about 4 min",
};

/// Without this, the program says that it is under development.
const RELEASED: &str = "-X github.com/opentofu/opentofu/version.dev=no";

/// Variables of the environment that are the user's own affair.
const HIDDEN: [&str; 5] = [
    "TF_VAR_",
    "TF_CLI_ARGS",
    "TF_DATA_DIR",
    "TF_WORKSPACE",
    "AWS_",
];

/// The program.
pub(super) struct Cli {
    program: PathBuf,
    /// What it calls itself, with its version.
    pub(super) version: String,
}

impl Cli {
    pub(super) fn get(cache: &Cache, progress: &mut Progress) -> Result<Self> {
        let program = match PROGRAMS.into_iter().find_map(run::find) {
            Some(program) => program,
            None => OPENTOFU
                .build(cache, progress, RELEASED)?
                .join(OPENTOFU.program),
        };
        let said = run::output(Command::new(&program).arg("version"))?;
        let (version, number) = version(&said).with_context(|| {
            let program = program.display();
            format!("{program} does not say which version it is:\n{said}")
        })?;
        let (major, minor) = OLDEST;
        ensure!(
            number >= OLDEST,
            "{version} is too old ({}): {major}.{minor} or newer is needed; install one, or have \
             neither terraform nor tofu on the search path, and OpenTofu is built",
            program.display()
        );
        Ok(Self { program, version })
    }

    /// Its command line in a folder.
    pub(super) fn command(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if hidden(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        command
            .current_dir(folder)
            .args(words)
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }
}

fn hidden(name: &str) -> bool {
    HIDDEN.iter().any(|start| name.starts_with(start))
}

/// Name and number out of what `version` prints, which may begin with warnings.
fn version(said: &str) -> Option<(String, (u32, u32))> {
    said.lines().find_map(|line| {
        let number = ["Terraform v", "OpenTofu v"]
            .iter()
            .find_map(|start| line.strip_prefix(start))?;
        let mut parts = number.split('.').map(str::parse);
        let number = (parts.next()?.ok()?, parts.next()?.ok()?);
        Some((line.trim().to_owned(), number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        let of = |said| version(said).map(|(_, number)| number);
        assert_eq!(of("Terraform v1.11.4\non linux_amd64\n"), Some((1, 11)));
        assert_eq!(of("OpenTofu v1.12.6-dev\non linux_amd64\n"), Some((1, 12)));
        assert_eq!(of("Terraform v1.10.0-rc1\n"), Some((1, 10)));
        assert_eq!(
            of(
                "There are some problems with the CLI configuration:\n\nTerraform v0.12.31\n\n\
                Your version of Terraform is out of date! The latest version\nis 1.14.2.\n"
            ),
            Some((0, 12))
        );
        assert_eq!(of("Terraform has no version\n"), None);
        assert!((1, 8) < OLDEST && OLDEST < (1, 10) && OLDEST < (2, 0));
    }

    #[test]
    fn the_cli_configuration_is_kept_and_credentials_are_not() {
        for kept in ["TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "HTTPS_PROXY"] {
            assert!(!hidden(kept), "{kept}");
        }
        for name in ["AWS_SECRET_ACCESS_KEY", "TF_VAR_region", "TF_CLI_ARGS_test"] {
            assert!(hidden(name), "{name}");
        }
    }
}
