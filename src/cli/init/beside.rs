//! A first group beside the files that are there: what it would be together with them.
//!
//! Input: the folder and a [`Draft`]. Output: which of its files are there, and why it
//! must not be written. A file that is there is used as it stands, so it has to say
//! what the draft does where that decides what is promoted, and where.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::adapter::files::Catalog;
use crate::cli::CliError;
use crate::group::spec::EnvironmentSpec;
use crate::group::validate::{self, Overrides};
use crate::group::{ClusterRef, Environment, RegistryRef};
use crate::plan::init::{Draft, File};

/// The files of a draft that are there already.
pub(super) fn there(dir: &Path, draft: &Draft) -> Vec<String> {
    let paths = draft.files.iter().map(|file| file.path.clone());
    paths.filter(|path| dir.join(path).exists()).collect()
}

/// That the group would be the one that was looked at, and valid beside the others;
/// `there` are the files that stay as they are.
///
/// # Errors
/// A file that is there says something else, or the group has problems.
pub(super) fn check(dir: &Path, draft: &Draft, there: &[String]) -> Result<(), CliError> {
    let (kept, new): (Vec<_>, Vec<_>) = draft
        .files
        .iter()
        .partition(|file| there.contains(&file.path));
    let new = new.iter();
    let new: BTreeMap<_, _> = new
        .map(|file| (file.path.clone(), file.text.clone()))
        .collect();
    let catalog = Catalog::with(dir, &new);
    let is_new = new.contains_key(&draft.environment_path());
    if let Some(name) = same_place(&catalog, draft).filter(|_| is_new) {
        return Err(CliError::Usage(format!(
            "environment {name} is of this place already; choose it with --environment {name}"
        )));
    }
    for file in kept {
        kept_file(dir, draft, &catalog, file).map_err(CliError::Usage)?;
    }
    let group = catalog.group(draft.group.as_str(), &Overrides::default());
    group.map_err(CliError::Problems)?;
    Ok(())
}

/// Another environment of the place that the draft's is of.
fn same_place<'a>(catalog: &'a Catalog, draft: &Draft) -> Option<&'a str> {
    let own = draft.environment.as_str();
    let ours = &catalog.environment(own)?.environment;
    let mut others = catalog.environment_names().filter(|name| *name != own);
    others.find(|name| {
        let other = catalog.environment(name);
        other.is_some_and(|other| difference(&other.environment, ours).is_none())
    })
}

/// Whether a file that stays can be used in place of the draft's.
fn kept_file(dir: &Path, draft: &Draft, catalog: &Catalog, file: &File) -> Result<(), String> {
    let path = &file.path;
    if *path == draft.group_path() {
        return Err(format!(
            "{path} is there already and stays as it is; give another name with --group"
        ));
    }
    if *path == draft.environment_path() {
        let there = catalog.environment(draft.environment.as_str());
        let ours = EnvironmentSpec::read(path, &file.text).0;
        let ours = ours.and_then(|spec| validate::environment(&spec).0);
        // One that is not valid is told as such with the group's other problems.
        let difference = there
            .zip(ours.as_ref())
            .and_then(|(there, ours)| difference(&there.environment, &ours.environment));
        return difference.map_or(Ok(()), |difference| {
            Err(format!(
                "{path} is of another place: {difference}; give --environment another name"
            ))
        });
    }
    let is_same = fs::read(dir.join(path)).is_ok_and(|bytes| bytes == file.text.as_bytes());
    if is_same {
        return Ok(());
    }
    Err(format!(
        "{path} is there already and is not what runs: move it away, or add the app to its group by hand"
    ))
}

/// What makes an environment another place than the one that was looked at.
fn difference(there: &Environment, looked_at: &Environment) -> Option<String> {
    let place = |environment: &Environment| {
        let cluster = match &environment.cluster {
            ClusterRef::Context(context) => format!("context {context}"),
            ClusterRef::Eks(cluster) => format!("EKS cluster {}", cluster.name),
            ClusterRef::InCluster => "the cluster that promoter runs in".to_owned(),
        };
        format!("namespace {} of {cluster}", environment.namespace)
    };
    if (&there.cluster, &there.namespace) != (&looked_at.cluster, &looked_at.namespace) {
        return Some(format!("{}, not {}", place(there), place(looked_at)));
    }
    let images = |registry: &RegistryRef| [registry.account.clone(), registry.region.clone()];
    let others = images(&there.registry).into_iter();
    let mut others = others.zip(images(&looked_at.registry));
    // What it does not say comes from the AWS defaults, as it did here.
    let (there, ours) = others.find_map(|(there, ours)| {
        let (there, ours) = (there?, ours?);
        (there != ours).then_some((there, ours))
    })?;
    Some(format!("its images come from {there}, not {ours}"))
}

#[cfg(test)]
mod tests;
