//! Looking at what a first group could be made of: what runs in a namespace, and what
//! the registry holds. Changes nothing; [`crate::plan::init`] makes the group.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use thiserror::Error;

use crate::group::name::Namespace;
use crate::plan::autoscaler;
use crate::plan::init::{Found, wanted};
use crate::plan::object::Object;
use crate::port::{Cluster, ClusterError, Registry, RegistryError};

/// Repositories that are asked about at the same time.
const AT_ONCE: usize = 8;

/// Why there is nothing to look at.
#[derive(Debug, Error)]
pub enum InitError {
    /// The cluster does not say what runs.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The cluster does, and the registry says nothing.
    #[error(
        "the cluster has {deployments} Deployments in namespace {namespace}, but the registry does not say which images are its own"
    )]
    Registry {
        /// Where was looked.
        namespace: Namespace,
        /// How many were found.
        deployments: usize,
        /// What was the matter.
        #[source]
        source: RegistryError,
    },
}

/// Looks at a namespace of a cluster, `context` as people know it, and at the registry.
///
/// # Errors
/// Either does not answer, or does not let this be read.
pub async fn look(
    cluster: &dyn Cluster,
    registry: &dyn Registry,
    context: String,
    namespace: Namespace,
) -> Result<Found, InitError> {
    let scaler = (autoscaler::API_VERSION, autoscaler::KIND);
    let kinds = [("apps/v1", "Deployment"), ("v1", "Service"), scaler];
    let objects = cluster.all(&kinds).await?;
    let is_deployment = |object: &&Object| object.kind() == "Deployment";
    let deployments = objects.iter().filter(is_deployment).count();
    let silent = |source| InitError::Registry {
        namespace: namespace.clone(),
        deployments,
        source,
    };
    let repositories = registry.repositories().await.map_err(silent)?;
    let listings = stream::iter(wanted(&objects, &repositories)).map(async |repository| {
        let listing = registry.images(&repository).await?;
        Ok((repository, listing.images))
    });
    let images = listings.buffer_unordered(AT_ONCE);
    let images: Result<BTreeMap<_, _>, _> = images.try_collect().await;
    Ok(Found {
        images: images.map_err(silent)?,
        context,
        objects,
        registry: repositories,
        namespace,
    })
}
