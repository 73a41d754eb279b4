//! `terraform/` as a fresh clone has it, in a folder that may be written to.
//!
//! What git ignores is not there: nobody's own `terraform.tfvars`, state or
//! `.terraform` folder decides what passes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::run;
use crate::scratch::Scratch;

/// The folder in the checkout.
pub(super) const FOLDER: &str = "terraform";

/// The copy.
pub(super) struct Sources {
    scratch: Scratch,
    /// Text files by their path in the checkout.
    pub(super) texts: BTreeMap<String, String>,
    /// What can be initialised by itself.
    pub(super) modules: Vec<Module>,
}

/// A folder with a configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Its path in the checkout.
    pub(super) path: String,
    /// How many files of tests it has.
    pub(super) tests: usize,
}

impl Sources {
    pub(super) fn copy() -> Result<Self> {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut git = Command::new("git");
        git.current_dir(&checkout)
            .args(["ls-files", "-z", "--cached", "--others"])
            .args(["--exclude-standard", "--", FOLDER]);
        let listed = run::output(&mut git)?;
        let scratch = Scratch::new("terraform")?;
        let mut texts = BTreeMap::new();
        for path in listed.split_terminator('\0') {
            let from = checkout.join(path);
            // What was removed and is not committed yet is listed, too.
            if !from.exists() {
                continue;
            }
            let content = std::fs::read(&from).with_context(|| format!("failed to read {path}"))?;
            scratch.write(path, &content)?;
            if let Ok(text) = String::from_utf8(content) {
                texts.insert(path.to_owned(), text);
            }
        }
        let modules = modules(texts.keys().map(String::as_str));
        ensure!(!modules.is_empty(), "there is no module in {FOLDER}/");
        Ok(Self {
            scratch,
            texts,
            modules,
        })
    }

    /// The folder that holds the copy as `terraform`.
    pub(super) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// The copy of a module.
    pub(super) fn of(&self, module: &Module) -> PathBuf {
        self.folder().join(&module.path)
    }

    /// Texts of a module's own files, those below its folder left out.
    pub(super) fn texts_of<'a>(&'a self, module: &Module) -> impl Iterator<Item = &'a str> {
        let path = module.path.clone();
        let own = move |file: &str| is_configuration(file) && parent(file) == path;
        let texts = self.texts.iter();
        texts.filter_map(move |(file, text)| own(file).then_some(text.as_str()))
    }

    /// An empty folder beside the copy.
    pub(super) fn beside(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder().join(name);
        std::fs::create_dir_all(&path)
            .with_context(|| format!("failed to create {}", path.display()))?;
        Ok(path)
    }
}

/// The folders with `.tf` files. What tests bring along is theirs to run.
fn modules<'a>(files: impl Iterator<Item = &'a str>) -> Vec<Module> {
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    let mut tests: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files {
        let folder = parent(file);
        if file.ends_with(".tftest.hcl") {
            let tested = folder.strip_suffix("/tests").unwrap_or(folder);
            *tests.entry(tested).or_default() += 1;
        } else if is_configuration(file) && !folder.split('/').any(|name| name == "tests") {
            folders.insert(folder);
        }
    }
    let module = |folder: &str| Module {
        path: folder.to_owned(),
        tests: tests.get(folder).copied().unwrap_or_default(),
    };
    folders.into_iter().map(module).collect()
}

/// Whether a file is part of a configuration, and not one of its tests.
pub(super) fn is_configuration(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|end| end == "tf")
}

fn parent(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_folders_with_a_configuration_and_know_their_tests() {
        let files = [
            "terraform/README.md",
            "terraform/main.tf",
            "terraform/outputs.tf",
            "terraform/main.tftest.hcl",
            "terraform/examples/minimal.tfvars",
            "terraform/modules/ecr/main.tf",
            "terraform/modules/ecr/tests/names.tftest.hcl",
            "terraform/modules/ecr/tests/rules.tftest.hcl",
            "terraform/modules/ecr/tests/setup/main.tf",
            "terraform/modules/ecr2/main.tf",
        ];
        let found = modules(files.into_iter());
        let found: Vec<_> = found.iter().map(|m| (m.path.as_str(), m.tests)).collect();
        assert_eq!(
            found,
            [
                ("terraform", 1),
                ("terraform/modules/ecr", 2),
                ("terraform/modules/ecr2", 0),
            ]
        );
    }
}
