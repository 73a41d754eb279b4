//! What a daemon does about a group next, as an annotation of its `DeploymentGroup`.
//!
//! It is for people, and nobody goes by it: written without the group's lock, and by
//! whichever daemon finds that it says something else.

use kube::ResourceExt;
use kube::api::{DynamicObject, Patch};
use serde_json::json;

use super::error::PATIENCE;
use super::ledger::groups_in;
use super::{Connection, error, resource};
use crate::group::name::{GroupName, Namespace};
use crate::plan::label::{FIELD_MANAGER, UPCOMING};
use crate::port::ClusterError;
use crate::port::sight::Upcoming;

/// What it says. What somebody else wrote there says nothing.
pub(super) fn read(found: &DynamicObject) -> Option<Upcoming> {
    serde_json::from_str(found.annotations().get(UPCOMING)?).ok()
}

/// Lets everybody see what is done about a group next; `None`: nothing is. A group
/// that was never promoted has no place for it.
///
/// # Errors
/// The cluster does not answer, or refuses it.
pub async fn announce(
    connection: &Connection,
    namespace: &Namespace,
    group: &GroupName,
    upcoming: Option<&Upcoming>,
) -> Result<(), ClusterError> {
    let action = "say what is done next";
    let text = upcoming.map(|upcoming| json!(upcoming).to_string());
    let patch = Patch::Merge(json!({ "metadata": { "annotations": { UPCOMING: text } } }));
    let manager = resource::patched_by(FIELD_MANAGER);
    let groups = groups_in(&connection.client, namespace);
    let put = groups.patch_metadata(group.as_str(), &manager, &patch);
    match error::in_time(action, PATIENCE, put).await? {
        Err(error) if !error::is_not_found(&error) => Err(error::from_group(action, error)),
        _ => Ok(()),
    }
}
