//! A Deployment that runs an image of the registry, and what of it makes an app.

use serde_json::{Map, Value};

use super::{MAIN, Repositories, is_promoted, stem};
use crate::group::image::{RepositoryName, TagPattern};
use crate::group::name::{AppName, COLORED};
use crate::plan::autoscaler;
use crate::plan::image::{Digest, RegistryImage, tag_of_reference};
use crate::plan::object::Object;
use crate::plan::paint::is_subset;

/// A Deployment that can become an app.
pub(super) struct Running<'a> {
    pub(super) name: AppName,
    pub(super) repository: RepositoryName,
    pub(super) deployment: &'a Object,
    /// The container that runs the app's image.
    pub(super) container: &'a Map<String, Value>,
    /// Its image as it is written.
    pub(super) image: &'a str,
}

/// The Deployments that run images of the registry, by name; why others are none.
pub(super) fn running<'a>(
    objects: &'a [Object],
    registry: &Repositories,
    notes: &mut Vec<String>,
) -> Vec<Running<'a>> {
    let mut deployments: Vec<_> = objects
        .iter()
        .filter(|object| object.kind() == "Deployment")
        .collect();
    deployments.sort_by_key(|object| object.name());
    let mut running = Vec::new();
    for deployment in deployments {
        match app(deployment, registry) {
            Ok(app) => running.push(app),
            Err(why) => notes.push(left_out(deployment, &why)),
        }
    }
    let names: Vec<_> = running.iter().map(|app| app.name.clone()).collect();
    running.retain(|app| {
        let is_app = |stem: &str| names.iter().any(|name| name.as_str() == stem);
        let Some(of) = stem(app.name.as_str(), is_app) else {
            return true;
        };
        let why = format!("a Deployment of app {of} would be called so");
        notes.push(left_out(app.deployment, &why));
        false
    });
    running
}

fn left_out(deployment: &Object, why: &str) -> String {
    format!("Deployment {} is left out: {why}", deployment.name())
}

fn app<'a>(deployment: &'a Object, registry: &Repositories) -> Result<Running<'a>, String> {
    if is_promoted(deployment) {
        return Err("it belongs to a group of promoter already".to_owned());
    }
    if let Some(owner) = deployment.str_at("/metadata/ownerReferences/0/kind") {
        return Err(format!(
            "it is owned by a {owner}, which would undo changes"
        ));
    }
    if deployment.at("/spec/replicas").and_then(Value::as_u64) == Some(0) {
        return Err("it asks for no pods, so nothing of it serves".to_owned());
    }
    let containers = deployment.at("/spec/template/spec/containers");
    let containers = containers.and_then(Value::as_array).into_iter().flatten();
    let ours = |container: &'a Value| {
        let container = container.as_object()?;
        let image = container.get("image")?.as_str()?;
        let repository = repository(image, registry)?;
        Some((container, image, repository))
    };
    let mut ours: Vec<_> = containers.filter_map(ours).collect();
    // Of several the one that is called like the Deployment, or else the first.
    let named = ours.iter().position(|(container, _, repository)| {
        container.get("name").and_then(Value::as_str) == Some(deployment.name())
            || super::last(repository) == deployment.name()
    });
    if ours.is_empty() {
        return Err(format!("no container runs an image of {}", registry.host));
    }
    let (container, image, repository) = ours.swap_remove(named.unwrap_or(0));
    let name = AppName::parse(deployment.name()).map_err(|error| error.to_string())?;
    Ok(Running {
        name,
        repository,
        deployment,
        container,
        image,
    })
}

/// The repository of an image, if it is one of the registry's.
fn repository(image: &str, registry: &Repositories) -> Option<RepositoryName> {
    let name = image.strip_prefix(&registry.host)?.strip_prefix('/')?;
    let name = name.split(['@', ':']).next()?;
    let name = RepositoryName::parse(name).ok()?;
    registry.names.contains(&name).then_some(name)
}

impl Running<'_> {
    /// The branch that what runs is of, by a tag of its image; or else one that there
    /// is, and why that one.
    pub(super) fn branch(&self, images: &[RegistryImage]) -> (String, Option<String>) {
        let tag = tag_of_reference(self.image);
        let digest = Digest::of_reference(self.image);
        let of_digest = images
            .iter()
            .filter(|image| Some(&image.digest) == digest.as_ref())
            .flat_map(slugs);
        let pattern = TagPattern::default();
        let written = tag.and_then(|tag| pattern.slug_of(tag));
        let slug = written.into_iter().chain(of_digest).next();
        if let Some(slug) = slug {
            return (slug.to_owned(), None);
        }
        let runs = tag.map_or_else(
            || "what runs".to_owned(),
            |tag| format!("what runs ({tag})"),
        );
        match newest_branch(images) {
            Some(branch) => (branch, Some(format!("{runs} names no branch"))),
            None => (
                MAIN[0].to_owned(),
                Some("no image names a branch".to_owned()),
            ),
        }
    }

    /// Services that lead to its pods and can be part of the group.
    pub(super) fn services<'a>(
        &self,
        objects: &'a [Object],
        notes: &mut Vec<String>,
    ) -> Vec<&'a Object> {
        let labels = |deployment: &Object| deployment.texts_at("/spec/template/metadata/labels");
        let own = labels(self.deployment);
        let mut services = Vec::new();
        for service in objects.iter().filter(|object| object.kind() == "Service") {
            let selector = service.texts_at("/spec/selector");
            if selector.is_empty() || !is_subset(&selector, &own) {
                continue;
            }
            let mut others = objects.iter().filter(|object| {
                object.kind() == "Deployment"
                    && object.name() != self.deployment.name()
                    && is_subset(&selector, &labels(object))
            });
            let why = if let Some(other) = others.next() {
                format!(
                    "it leads to pods of {} too; narrow its selector",
                    other.name()
                )
            } else if service.str_at("/spec/clusterIP") == Some("None") {
                "it is headless; make it a Service with a cluster IP".to_owned()
            } else if service.str_at("/spec/type") == Some("ExternalName") {
                "it is an ExternalName".to_owned()
            } else if service.name().len() > COLORED {
                format!("its name leaves no room for the colour; use at most {COLORED} characters")
            } else {
                services.push(service);
                continue;
            };
            notes.push(format!(
                "Service {} of app {} is left out: {why}",
                service.name(),
                self.name
            ));
        }
        services.sort_by_key(|service| service.name());
        services
    }

    /// The port its container listens on: where a Service leads, or the only one that
    /// it names.
    pub(super) fn port(&self, services: &[&Object]) -> Option<u16> {
        let ports = self.container_ports();
        let target = services.iter().find_map(|service| {
            let port = service.at("/spec/ports/0")?;
            let target = port.get("targetPort").or_else(|| port.get("port"))?;
            match target {
                Value::String(name) => ports
                    .iter()
                    .find(|(named, _)| named.as_deref() == Some(name))
                    .map(|(_, number)| *number),
                number => number.as_u64(),
            }
        });
        let only = match ports.as_slice() {
            [(_, number)] => Some(*number),
            _ => None,
        };
        target.or(only).and_then(|port| u16::try_from(port).ok())
    }

    /// Containers beside the app's that run other images of the registry.
    pub(super) fn pinned(&self, registry: &Repositories) -> Vec<String> {
        let containers = self.deployment.containers();
        let others = containers.filter_map(|container| {
            let image = container.get("image")?.as_str()?;
            let other = repository(image, registry)? != self.repository;
            let name = container.get("name")?.as_str()?;
            other.then(|| {
                format!(
                    "app {}: container {name} stays at {image}; a promotion changes only the image of {}",
                    self.name, self.repository
                )
            })
        });
        others.collect()
    }

    /// What changes how many pods it has, which adoption refuses.
    pub(super) fn scaled(&self, objects: &[Object]) -> Vec<String> {
        let scalers = objects
            .iter()
            .filter(|object| autoscaler::scales(object, self.deployment.name()));
        let note = |scaler: &Object| {
            format!(
                "app {}: {} scales it, so `promoter adopt` refuses it: delete that one first, and bring one in the manifest if there is to be one",
                self.name,
                scaler.reference()
            )
        };
        scalers.map(note).collect()
    }

    fn container_ports(&self) -> Vec<(Option<String>, u64)> {
        let ports = self.container.get("ports");
        let ports = ports.and_then(Value::as_array).into_iter().flatten();
        ports
            .filter_map(|port| {
                let name = port.get("name").and_then(Value::as_str);
                Some((
                    name.map(str::to_owned),
                    port.get("containerPort")?.as_u64()?,
                ))
            })
            .collect()
    }

    pub(super) fn replicas(&self) -> Option<u64> {
        self.deployment.at("/spec/replicas").and_then(Value::as_u64)
    }
}

/// The branch of a repository that a group would take where nothing says which.
pub(super) fn newest_branch(images: &[RegistryImage]) -> Option<String> {
    let main = MAIN
        .iter()
        .find(|branch| images.iter().any(|image| is_of(image, branch)));
    if let Some(main) = main {
        return Some((*main).to_owned());
    }
    let tagged = images.iter().filter(|image| is_tagged(image));
    let newest = tagged.max_by_key(|image| image.pushed_at)?;
    slugs(newest).next().map(str::to_owned)
}

/// Whether one of its tags is as CI names them.
pub(super) fn is_tagged(image: &RegistryImage) -> bool {
    slugs(image).next().is_some()
}

/// Whether it is of a branch.
pub(super) fn is_of(image: &RegistryImage, branch: &str) -> bool {
    slugs(image).any(|slug| slug == branch)
}

/// The branches in its tags, as their slugs. That is a branch's name which gets the same
/// tags.
fn slugs(image: &RegistryImage) -> impl Iterator<Item = &str> {
    let pattern = TagPattern::default();
    let tags = image.tags.iter();
    tags.filter_map(move |tag| pattern.slug_of(tag))
}
