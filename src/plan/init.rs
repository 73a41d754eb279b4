//! A first group, from what runs in a namespace and what the registry holds.
//!
//! Input: [`Found`], the Deployments and Services that stand and the images of the
//! repositories that matter. Output: a [`Draft`], the texts of the files that
//! describe a group of them, and what could not be put in. It reads and writes no
//! file. What it proposes is valid, and what runs can be adopted by it; what it means
//! by a guess, such as a branch, it says in the file.

mod app;
mod manifest;
mod secret;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use super::color::Color;
use super::image::RegistryImage;
use super::label::GROUP;
use super::object::Object;
use crate::group::image::{RepositoryName, TagPattern};
use crate::group::name::{
    AppName, CheckName, EnvironmentName, GROUP_AND_CHECK, GroupName, Namespace,
};
use app::{Running, is_tagged};

/// How the names of repositories end that hold tests of others.
const TESTS: [&str; 4] = ["-tests", "-test", "-e2e", "-it"];

/// Branches that are taken where nothing says which: the first of these there is, or
/// else the one that was pushed to last.
const MAIN: [&str; 2] = ["main", "master"];

/// What a first group is made of.
#[derive(Debug, Clone)]
pub struct Found {
    /// The kubeconfig's context.
    pub context: String,
    /// The namespace in it.
    pub namespace: Namespace,
    /// Its Deployments and Services, and what scales them.
    pub objects: Vec<Object>,
    /// The registry.
    pub registry: Repositories,
    /// The images of the repositories that [`wanted`] names.
    pub images: BTreeMap<RepositoryName, Vec<RegistryImage>>,
}

/// A registry and its repositories.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repositories {
    /// Its host, as references of images begin.
    pub host: String,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its repositories.
    pub names: BTreeSet<RepositoryName>,
}

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The group's name; its branch's unless told.
    pub group: Option<GroupName>,
    /// The environment's name; its namespace's unless told.
    pub environment: Option<EnvironmentName>,
    /// Whether the files are to name the schemas beside them.
    pub schemas: bool,
}

/// A first group, to be looked at and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its name.
    pub group: GroupName,
    /// Its environment's.
    pub environment: EnvironmentName,
    /// Whether its apps run already.
    pub adopts: bool,
    /// Its files.
    pub files: Vec<File>,
    /// What is left out and why, and what to look at first.
    pub notes: Vec<String>,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path in the folder of the files.
    pub path: String,
    /// What is in it, in a few words.
    pub what: String,
    /// Whether people are shown all of it: manifests are what runs, and long.
    pub in_full: bool,
    /// Its text.
    pub text: String,
    /// What to put right before others read it.
    pub warning: Option<String>,
}

impl Draft {
    /// Where its environment's file belongs.
    pub fn environment_path(&self) -> String {
        environment_path(&self.environment)
    }

    /// Where its group's file belongs.
    pub fn group_path(&self) -> String {
        group_path(&self.group)
    }
}

fn environment_path(name: &EnvironmentName) -> String {
    format!("environments/{name}.toml")
}

fn group_path(name: &GroupName) -> String {
    format!("groups/{name}.toml")
}

/// One app of the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Proposed {
    name: AppName,
    repository: RepositoryName,
    branch: String,
    /// Why that branch, if what runs does not say so.
    guessed: Option<String>,
    port: Option<u16>,
    replicas: Option<u64>,
    manifest: Option<Manifest>,
}

/// The manifest of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Manifest {
    text: String,
    /// The objects in it.
    what: String,
    /// The fields in it that look like secrets, if there are any.
    warning: Option<String>,
}

/// One check of the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tests {
    name: CheckName,
    repository: RepositoryName,
    branch: String,
}

/// The repositories whose images are to be looked at: those of what runs and of its
/// tests; where nothing runs, all.
pub fn wanted(objects: &[Object], registry: &Repositories) -> BTreeSet<RepositoryName> {
    let running = app::running(objects, registry, &mut Vec::new());
    if running.is_empty() {
        return registry.names.clone();
    }
    let of_apps = running.iter().map(|app| app.repository.clone());
    let folders: BTreeSet<_> = running.iter().map(|app| folder(&app.repository)).collect();
    let tests = registry.names.iter();
    let tests = tests.filter(|name| is_tests(name) && folders.contains(folder(name)));
    of_apps.chain(tests.cloned()).collect()
}

/// Makes a first group.
///
/// # Errors
/// Why there is nothing to make one of, in words.
pub fn draft(found: &Found, wish: &Wish) -> Result<Draft, String> {
    let registry = &found.registry;
    if registry.names.is_empty() {
        return Err(format!(
            "ECR has no repository in {}: check AWS_PROFILE and AWS_REGION",
            registry.region
        ));
    }
    let mut notes = Vec::new();
    let running = app::running(&found.objects, registry, &mut notes);
    let adopts = !running.is_empty();
    let apps: Vec<_> = if adopts {
        let described = running.iter();
        described
            .map(|app| described_app(found, app, &mut notes))
            .collect()
    } else {
        offered(found, &mut notes)
    };
    if apps.is_empty() {
        let host = &registry.host;
        return Err(format!(
            "nothing in namespace {} of {} runs an image of {host}, and no repository there has an image that is tagged {}",
            found.namespace,
            found.context,
            TagPattern::default()
        ));
    }
    let branch = most_common(&apps);
    let group = wish
        .group
        .clone()
        .or_else(|| GroupName::parse(&branch).ok());
    let group = group.map_or_else(|| GroupName::parse("main"), Ok);
    let group = group.map_err(|error| error.to_string())?;
    let environment = wish.environment.clone();
    let environment =
        environment.map_or_else(|| EnvironmentName::parse(found.namespace.as_str()), Ok);
    let environment =
        environment.map_err(|error| format!("{error}; name the environment with --environment"))?;
    let checks = checks(found, &group, &branch, &mut notes);
    let writer = write::Writer {
        found,
        wish,
        group: &group,
        environment: &environment,
        branch: &branch,
        apps: &apps,
        checks: &checks,
    };
    Ok(Draft {
        files: writer.files(),
        adopts,
        notes,
        group,
        environment,
    })
}

fn described_app(found: &Found, app: &Running<'_>, notes: &mut Vec<String>) -> Proposed {
    let images = found.images.get(&app.repository);
    let images = images.map(Vec::as_slice).unwrap_or_default();
    let (branch, guessed) = app.branch(images);
    if !images.iter().any(is_tagged) {
        notes.push(format!(
            "no image of repository {} is tagged {}: say in the group file how CI names its tags (`tag`)",
            app.repository,
            TagPattern::default()
        ));
    }
    let services = app.services(&found.objects, notes);
    let port = app.port(&services);
    notes.extend(app.pinned(&found.registry));
    notes.extend(app.scaled(&found.objects));
    Proposed {
        name: app.name.clone(),
        repository: app.repository.clone(),
        branch,
        guessed,
        port,
        replicas: app.replicas(),
        manifest: Some(manifest::write(app, &services)),
    }
}

/// Apps of all repositories with images of a branch.
fn offered(found: &Found, notes: &mut Vec<String>) -> Vec<Proposed> {
    let mut apps: Vec<Proposed> = Vec::new();
    for (repository, images) in &found.images {
        if is_tests(repository) {
            continue;
        }
        let Some(branch) = app::newest_branch(images) else {
            notes.push(format!(
                "repository {repository} has no image that is tagged {}, so it is left out",
                TagPattern::default()
            ));
            continue;
        };
        let known = |name: &AppName| apps.iter().any(|app| app.name == *name);
        let name = last(repository);
        if let Some(of) = stem(name, |stem| {
            found.images.keys().any(|other| last(other) == stem)
        }) {
            notes.push(format!(
                "repository {repository} is left out, as a Deployment of {of} is called {name}"
            ));
            continue;
        }
        match AppName::parse(name) {
            Ok(name) if !known(&name) => apps.push(Proposed {
                name,
                repository: repository.clone(),
                branch,
                guessed: None,
                port: None,
                replicas: None,
                manifest: None,
            }),
            Ok(name) => notes.push(format!(
                "repository {repository} is left out, as another one is called {name} too"
            )),
            Err(error) => notes.push(format!("repository {repository} is left out: {error}")),
        }
    }
    apps
}

/// Repositories of tests that lie beside those of the apps.
fn checks(found: &Found, group: &GroupName, branch: &str, notes: &mut Vec<String>) -> Vec<Tests> {
    let mut checks: Vec<Tests> = Vec::new();
    for (repository, images) in &found.images {
        if !is_tests(repository) {
            continue;
        }
        let Some(newest) = app::newest_branch(images) else {
            notes.push(format!(
                "repository {repository} looks like tests, but has no image that is tagged {}",
                TagPattern::default()
            ));
            continue;
        };
        let has_common = images.iter().any(|image| app::is_of(image, branch));
        let branch = if has_common {
            branch.to_owned()
        } else {
            newest
        };
        let known = |name: &CheckName| checks.iter().any(|check| check.name == *name);
        let name = CheckName::parse(last(repository)).ok();
        let fits = |name: &CheckName| {
            name.as_str().len() + group.as_str().len() <= GROUP_AND_CHECK && !known(name)
        };
        match name.filter(fits) {
            Some(name) => checks.push(Tests {
                name,
                repository: repository.clone(),
                branch,
            }),
            None => notes.push(format!(
                "repository {repository} looks like tests; add a [[check]] of another name for it"
            )),
        }
    }
    checks
}

/// The branch of most apps; of several, the one that comes first.
fn most_common(apps: &[Proposed]) -> String {
    let count = |branch: &str| apps.iter().filter(|app| app.branch == branch).count();
    let mut best: Option<&str> = None;
    for app in apps {
        if best.is_none_or(|best| count(&app.branch) > count(best)) {
            best = Some(&app.branch);
        }
    }
    best.unwrap_or(MAIN[0]).to_owned()
}

fn is_tests(repository: &RepositoryName) -> bool {
    TESTS.iter().any(|end| repository.as_str().ends_with(end))
}

/// `team` of `team/hello-a`.
fn folder(repository: &RepositoryName) -> &str {
    let name = repository.as_str();
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `hello-a` of `team/hello-a`.
fn last(repository: &RepositoryName) -> &str {
    let name = repository.as_str();
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}

/// The app of that name whose Deployment of a colour would be called `name`.
fn stem(name: &str, is_app: impl Fn(&str) -> bool) -> Option<&str> {
    let mut stems = Color::ALL.into_iter().filter_map(|color| {
        let stem = name.strip_suffix(color.as_str())?;
        stem.strip_suffix('-')
    });
    stems.find(|stem| is_app(stem))
}

/// Whether it belongs to a group already.
fn is_promoted(object: &Object) -> bool {
    object.label(GROUP).is_some()
}

#[cfg(test)]
mod tests;
