//! Group and environment files on disk.
//!
//! Input: a folder with `groups/*.toml` and `environments/*.toml`. Output: a
//! [`Catalog`] of what they say, from which valid groups are taken. This is the
//! only file that reads them; it decides nothing about their content. Nothing
//! is written, and nothing outside of the folder is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::group::problem::{Problem, Problems, did_you_mean};
use crate::group::spec::{EnvironmentSpec, GroupSpec};
use crate::group::validate::{self, Manifests, Overrides, ValidEnvironment};
use crate::group::{Group, Template};

mod again;
mod read;

pub use again::Again;

/// Where group files are, below the root.
const GROUPS: &str = "groups";

/// Where environment files are, below the root.
const ENVIRONMENTS: &str = "environments";

/// Everything the files below one folder say.
#[derive(Debug)]
pub struct Catalog {
    root: PathBuf,
    /// By stem; `None` where the file cannot be read as TOML.
    groups: BTreeMap<String, Option<GroupSpec>>,
    environments: BTreeMap<String, Option<EnvironmentSpec>>,
    /// The manifests of each group.
    manifests: BTreeMap<String, Manifests>,
    valid_environments: BTreeMap<String, ValidEnvironment>,
    /// All but those that groups have by themselves.
    problems: Problems,
}

/// What came of validating several groups.
#[derive(Debug)]
pub struct Validation {
    /// The valid ones, by name.
    pub groups: Vec<Group>,
    /// Errors and warnings.
    pub problems: Problems,
}

impl Catalog {
    /// Reads all files below a folder. What cannot be read is a problem, told
    /// when a group or all of them are asked for.
    pub fn load(root: &Path) -> Self {
        Self::with(root, &BTreeMap::new())
    }

    /// The same, as if these files were there too: texts, by their paths below the
    /// folder, as `groups/master.toml`.
    pub fn with(root: &Path, more: &BTreeMap<String, String>) -> Self {
        let mut problems = Problems::new();
        let groups = folder(root, more, GROUPS, GroupSpec::read, &mut problems);
        let read = EnvironmentSpec::read;
        let environments = folder(root, more, ENVIRONMENTS, read, &mut problems);
        let mut valid_environments = BTreeMap::new();
        for (name, spec) in &environments {
            let Some(spec) = spec else { continue };
            let (valid, found) = validate::environment(spec);
            problems.extend(found);
            valid_environments.extend(valid.map(|valid| (name.clone(), valid)));
        }
        problems.extend(validate::across(&groups, &environments));
        let specs = groups.iter();
        let specs = specs.filter_map(|(name, spec)| Some((name, spec.as_ref()?)));
        let manifests = specs.map(|(name, spec)| (name.clone(), manifests(root, more, spec)));
        let manifests = manifests.collect();
        Self {
            root: root.to_owned(),
            groups,
            environments,
            manifests,
            valid_environments,
            problems,
        }
    }

    /// The names of all groups, valid or not.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// The names of all environments, valid or not.
    pub fn environment_names(&self) -> impl Iterator<Item = &str> {
        self.environments.keys().map(String::as_str)
    }

    /// What a group's file says, if it can be read.
    pub fn group_spec(&self, name: &str) -> Option<&GroupSpec> {
        self.groups.get(name)?.as_ref()
    }

    /// What an environment's file says, if it can be read.
    pub fn environment_spec(&self, name: &str) -> Option<&EnvironmentSpec> {
        self.environments.get(name)?.as_ref()
    }

    /// A valid environment.
    pub fn environment(&self, name: &str) -> Option<&ValidEnvironment> {
        self.valid_environments.get(name)
    }

    /// Every problem of an environment's file, those it has beside others included.
    pub fn environment_problems(&self, name: &str) -> Problems {
        let file = self.file(ENVIRONMENTS, name);
        let all = self.problems.iter();
        let its = all.filter(|problem| problem.source.path() == file);
        its.cloned().collect()
    }

    /// Every valid group, and every problem of every file.
    pub fn validate_all(&self) -> Validation {
        let mut problems = self.problems.clone();
        let mut groups = Vec::new();
        for name in self.groups.keys() {
            let (group, found) = self.validate_group(name, &Overrides::default());
            problems.extend(found);
            groups.extend(group);
        }
        groups.retain(|group| !self.is_spoilt(group.name.as_str(), &problems));
        if self.groups.is_empty() && problems.is_empty() {
            let path = read::shown(&self.root.join(GROUPS));
            problems.push(
                Problem::general(path, "there is no group").hint("add one as groups/<name>.toml"),
            );
        }
        Validation { groups, problems }
    }

    /// The same for some files: group files with their environments, or
    /// environment files.
    pub fn validate(&self, paths: &[PathBuf]) -> Validation {
        let Validation {
            mut groups,
            mut problems,
        } = self.validate_all();
        let mut unknown = Problems::new();
        let mut asked = BTreeSet::new();
        let mut files = BTreeSet::new();
        for path in paths {
            match self.find(path) {
                Some((GROUPS, name)) => {
                    files.extend(self.files_of(&name));
                    asked.insert(name);
                }
                Some((_, name)) => files.extend([self.file(ENVIRONMENTS, &name)]),
                None => unknown.push(self.not_ours(path)),
            }
        }
        groups.retain(|group| asked.contains(group.name.as_str()));
        problems.retain(|problem| files.contains(problem.source.path()));
        problems.extend(unknown);
        Validation { groups, problems }
    }

    /// One group as it would be promoted. Problems of files that have nothing
    /// to do with it do not stand in its way; its warnings are not returned.
    pub fn group(&self, name: &str, overrides: &Overrides) -> Result<Group, Problems> {
        if !self.groups.contains_key(name) {
            return Err(self.unknown_group(name));
        }
        let (group, mut problems) = self.validate_group(name, overrides);
        let files = self.files_of(name);
        let others = self
            .problems
            .iter()
            .filter(|problem| files.contains(problem.source.path()));
        problems.extend(others.cloned());
        group.filter(|_| !problems.has_errors()).ok_or(problems)
    }

    /// The warnings of a group's files; empty for a group that is not there.
    pub fn warnings(&self, name: &str) -> Problems {
        let problems = self.validate_group(name, &Overrides::default()).1;
        let files = self.files_of(name);
        let others = self.problems.warnings();
        let others = others.filter(|problem| files.contains(problem.source.path()));
        problems.warnings().chain(others).cloned().collect()
    }

    fn validate_group(&self, name: &str, overrides: &Overrides) -> (Option<Group>, Problems) {
        let (Some(Some(spec)), Some(manifests)) = (self.groups.get(name), self.manifests.get(name))
        else {
            return (None, Problems::new());
        };
        let environment = environment_of(spec).and_then(|name| self.valid_environments.get(name));
        validate::group(spec, environment, manifests, overrides)
    }

    /// The files whose problems are those of a group.
    fn files_of(&self, name: &str) -> BTreeSet<String> {
        let spec = self.groups.get(name).and_then(Option::as_ref);
        let environment = spec.and_then(|spec| environment_of(spec));
        let environment = environment.map(|name| self.file(ENVIRONMENTS, name));
        environment
            .into_iter()
            .chain([self.file(GROUPS, name)])
            .collect()
    }

    /// Whether an error in one of its files keeps a group from being used.
    fn is_spoilt(&self, name: &str, problems: &Problems) -> bool {
        let files = self.files_of(name);
        problems
            .errors()
            .any(|problem| files.contains(problem.source.path()))
    }

    fn file(&self, folder: &str, name: &str) -> String {
        read::shown(&self.root.join(folder).join(format!("{name}.toml")))
    }

    /// Which of the catalog's files a path leads to, however it is written.
    fn find(&self, path: &Path) -> Option<(&'static str, String)> {
        let path = fs::canonicalize(path).ok()?;
        let folders = [
            (GROUPS, self.groups.keys().collect::<Vec<_>>()),
            (ENVIRONMENTS, self.environments.keys().collect()),
        ];
        folders.into_iter().find_map(|(folder, names)| {
            let folder_path = self.root.join(folder);
            let is_it = |name: &&String| {
                fs::canonicalize(folder_path.join(format!("{name}.toml")))
                    .is_ok_and(|own| own == path)
            };
            names
                .into_iter()
                .find(is_it)
                .map(|name| (folder, name.clone()))
        })
    }

    fn not_ours(&self, path: &Path) -> Problem {
        let root = read::shown(&self.root);
        let problem = match fs::metadata(path) {
            Ok(_) => "is neither a group nor an environment".to_owned(),
            Err(error) => read::reason(&error),
        };
        let hint = format!(
            "name files in {GROUPS} and {ENVIRONMENTS} of {root}, or choose another folder with -C"
        );
        Problem::general(read::shown(path), problem).hint(hint)
    }

    fn unknown_group(&self, name: &str) -> Problems {
        let path = read::shown(&self.root.join(GROUPS));
        let folders = self
            .problems
            .errors()
            .filter(|problem| problem.source.path() == path);
        let folders: Problems = folders.cloned().collect();
        if folders.has_errors() {
            return folders;
        }
        let known: Vec<_> = self.group_names().collect();
        let there = match known.as_slice() {
            [] => "there are none".to_owned(),
            known => format!("there are {}", known.join(", ")),
        };
        let hint = match did_you_mean(name, known) {
            Some(hint) => format!("{hint} ({there})"),
            None => there,
        };
        Problem::general(path, format!("there is no group `{name}`"))
            .hint(hint)
            .into()
    }
}

fn environment_of(spec: &GroupSpec) -> Option<&str> {
    let written = spec.environment.as_ref()?;
    Some(written.get_ref().as_str())
}

/// Reads all TOML files of a folder, and those of `more` that belong there, by their
/// stems.
fn folder<T>(
    root: &Path,
    more: &BTreeMap<String, String>,
    folder: &str,
    parse: fn(&str, &str) -> (Option<T>, Problems),
    problems: &mut Problems,
) -> BTreeMap<String, Option<T>> {
    let mut found = BTreeMap::new();
    let path = root.join(folder);
    let given: Vec<_> = more
        .iter()
        .filter_map(|(path, text)| Some((stem_in(folder, path)?, path, text)))
        .collect();
    let files = match read::toml_files(&path) {
        Ok(files) => files,
        Err(_) if !given.is_empty() && !path.exists() => Vec::new(),
        Err(reason) => {
            let hint =
                format!("choose the folder that has `{folder}` in it with -C or PROMOTER_DIR");
            problems.push(Problem::general(read::shown(&path), reason).hint(hint));
            return found;
        }
    };
    let files = files.into_iter();
    let read = files.map(|(stem, file)| (stem, read::shown(&file), read::text_within(root, &file)));
    let given = given.into_iter();
    let given = given.map(|(stem, path, text)| {
        let shown = read::shown(&root.join(path));
        (stem.to_owned(), shown, Ok(text.clone()))
    });
    for (stem, shown, text) in read.chain(given) {
        let spec = match text {
            Ok(text) => {
                let (spec, wrong) = parse(&shown, &text);
                problems.extend(wrong);
                spec
            }
            Err(reason) => {
                problems.push(Problem::general(shown, reason));
                None
            }
        };
        found.insert(stem, spec);
    }
    found
}

/// `master` of `groups/master.toml`, if that is in the folder.
fn stem_in<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(folder)?
        .strip_prefix('/')?
        .strip_suffix(".toml")
}

/// Reads the manifests a group names, each once.
fn manifests(root: &Path, more: &BTreeMap<String, String>, spec: &GroupSpec) -> Manifests {
    let written = spec.apps.iter().filter_map(|app| app.manifest.as_ref());
    let folder = root.join(GROUPS);
    let template = |path: &str| match more.get(&format!("{GROUPS}/{path}")) {
        Some(text) => Ok(Template {
            path: read::shown(&folder.join(path)),
            text: text.clone(),
        }),
        None => read::template(root, &folder, path),
    };
    written
        .map(|path| (path.get_ref().clone(), template(path.get_ref())))
        .collect()
}

#[cfg(test)]
mod tests;
