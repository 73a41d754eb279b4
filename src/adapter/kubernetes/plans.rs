//! Plans and the config key, kept as Secrets beside the group.
//!
//! A plan holds rendered Secrets, so it is one. It is compressed, cut into
//! chunks that fit into an object, immutable, and named by its content.

mod bounds;

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, Preconditions};
use kube::{Api, ResourceExt};
use rand::TryRngCore;
use serde::Deserialize;
use serde_json::json;

use super::{Kubernetes, error, resource};
use crate::group::name::GroupName;
use crate::plan::Plan;
use crate::plan::config::ConfigKey;
use crate::plan::fingerprint::PlanId;
use crate::plan::label::{self, FIELD_MANAGER, Role};
use crate::port::{ClusterError, Epoch};

/// Bytes per Secret; the API server takes a little over a million.
const CHUNK: usize = 700 * 1024;
/// Name of the Secret with the key of content hashes.
const KEY_NAME: &str = "promoter-config-key";
/// What every plan says, whatever else it holds.
#[derive(Deserialize)]
struct Shape {
    format: u32,
}

pub(super) fn secrets(cluster: &Kubernetes) -> Api<Secret> {
    Api::namespaced(cluster.client.clone(), cluster.namespace.as_str())
}

pub(super) async fn store(
    cluster: &Kubernetes,
    epoch: Epoch,
    plan: &Plan,
) -> Result<(), ClusterError> {
    let refused = |reason: String| ClusterError::Refused {
        action: "keep the plan".to_owned(),
        reason,
    };
    let json = serde_json::to_string(plan).map_err(|error| refused(error.to_string()))?;
    bounds::check(&json).map_err(&refused)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder
        .write_all(json.as_bytes())
        .and_then(|()| encoder.finish());
    let packed = packed.map_err(|error| refused(error.to_string()))?;
    let id = plan.id();
    let chunks: Vec<_> = packed.chunks(CHUNK).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(format!(
                    "promoter-plan-{}-{}-{index}",
                    cluster.group,
                    id.short()
                )),
                labels: Some(labels(cluster, &id)),
                annotations: Some([(label::FENCE.to_owned(), epoch.0.to_string())].into()),
                ..ObjectMeta::default()
            },
            immutable: Some(true),
            type_: Some("promoter.dev/plan".to_owned()),
            data: Some(BTreeMap::from([
                ("chunk".to_owned(), ByteString(chunk.to_vec())),
                (
                    "index".to_owned(),
                    ByteString(index.to_string().into_bytes()),
                ),
                (
                    "chunks".to_owned(),
                    ByteString(chunks.len().to_string().into_bytes()),
                ),
            ])),
            ..Secret::default()
        };
        if !create(cluster, &secret, "keep the plan").await? {
            claim(cluster, &secret).await?;
        }
    }
    Ok(())
}

/// A kept plan of a group: the own one, or another one of the namespace.
pub(super) async fn load(
    cluster: &Kubernetes,
    group: &GroupName,
    id: &PlanId,
) -> Result<Option<Plan>, ClusterError> {
    let refused = |reason: String| ClusterError::Refused {
        action: format!("read plan {id}"),
        reason,
    };
    let selector = format!("{}={},{}={}", label::GROUP, group, label::PLAN, id.short());
    let found = secrets(cluster)
        .list(&ListParams::default().labels(&selector))
        .await;
    let found = found.map_err(|error| error::from(&format!("read plan {id}"), error))?;
    let field = |secret: &Secret, key: &str| {
        secret
            .data
            .as_ref()
            .and_then(|data| data.get(key))
            .map(|b| b.0.clone())
    };
    let number = |secret: &Secret, key: &str| -> Option<usize> {
        String::from_utf8(field(secret, key)?).ok()?.parse().ok()
    };
    let mut chunks: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    let mut wanted = 0;
    for secret in &found.items {
        if let (Some(index), Some(chunk)) = (number(secret, "index"), field(secret, "chunk")) {
            wanted = number(secret, "chunks").unwrap_or(0);
            chunks.insert(index, chunk);
        }
    }
    // A plan that was cut off while being written was never carried out.
    if chunks.is_empty() || chunks.len() != wanted {
        return Ok(None);
    }
    let packed: Vec<u8> = chunks.into_values().flatten().collect();
    let mut json = String::new();
    let unpacked = GzDecoder::new(packed.as_slice())
        .take(bounds::LARGEST + 1)
        .read_to_string(&mut json);
    unpacked.map_err(|error| refused(error.to_string()))?;
    bounds::check(&json).map_err(&refused)?;
    if PlanId::of_json(&json) != *id {
        return Err(refused(
            "its content does not match its name; somebody changed it".to_owned(),
        ));
    }
    let unreadable = |error: serde_json::Error| refused(error.to_string());
    // Of a plan in another shape nothing else can be read.
    let Shape { format } = serde_json::from_str(&json).map_err(unreadable)?;
    if format != Plan::FORMAT {
        return Err(refused(format!(
            "it has format {format}, this promoter reads {}; use the promoter that wrote it",
            Plan::FORMAT
        )));
    }
    let plan = serde_json::from_str(&json).map_err(unreadable)?;
    Ok(Some(plan))
}

pub(super) async fn forget(cluster: &Kubernetes, except: &[PlanId]) -> Result<(), ClusterError> {
    let selector = format!(
        "{}={},{}={}",
        label::GROUP,
        cluster.group,
        label::ROLE,
        Role::Plan.as_str()
    );
    let api = secrets(cluster);
    let found = api
        .list_metadata(&ListParams::default().labels(&selector))
        .await;
    let found = found.map_err(|error| error::from("list plans", error))?;
    for secret in found.items {
        let plan = secret
            .labels()
            .get(label::PLAN)
            .cloned()
            .unwrap_or_default();
        if except.iter().any(|id| id.short() == plan) {
            continue;
        }
        // A plan that is wanted again meanwhile is another version, see `create`.
        let params = DeleteParams::default().preconditions(Preconditions {
            uid: secret.uid(),
            resource_version: secret.resource_version(),
        });
        match api.delete(&secret.name_any(), &params).await {
            Ok(_) => {}
            Err(error) if error::is_not_found(&error) || error::is_conflict(&error) => {}
            Err(error) => return Err(error::from("drop an old plan", error)),
        }
    }
    Ok(())
}

pub(super) async fn find_key(cluster: &Kubernetes) -> Result<Option<ConfigKey>, ClusterError> {
    let found = secrets(cluster).get_opt(KEY_NAME).await;
    let found = found.map_err(|error| error::from("read the key of content hashes", error))?;
    let bytes = found.and_then(|secret| secret.data?.remove("key"));
    Ok(bytes
        .and_then(|bytes| bytes.0.try_into().ok())
        .map(ConfigKey))
}

/// A key by chance.
pub(super) fn new_key() -> Result<ConfigKey, ClusterError> {
    let mut key = [0; 32];
    rand::rngs::OsRng
        .try_fill_bytes(&mut key)
        .map_err(|error| ClusterError::Refused {
            action: "make the key of content hashes".to_owned(),
            reason: error.to_string(),
        })?;
    Ok(ConfigKey(key))
}

/// Keeps a key for the namespace, unless somebody was faster.
pub(super) async fn make_key(cluster: &Kubernetes) -> Result<ConfigKey, ClusterError> {
    let ConfigKey(key) = new_key()?;
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(KEY_NAME.to_owned()),
            labels: Some([(label::ROLE.to_owned(), Role::Key.as_str().to_owned())].into()),
            ..ObjectMeta::default()
        },
        immutable: Some(true),
        data: Some([("key".to_owned(), ByteString(key.to_vec()))].into()),
        ..Secret::default()
    };
    create(cluster, &secret, "keep the key of content hashes").await?;
    // Whoever was first decides.
    find_key(cluster)
        .await?
        .ok_or_else(|| ClusterError::Refused {
            action: "read the key of content hashes".to_owned(),
            reason: format!("Secret {KEY_NAME} holds no key of 32 bytes"),
        })
}

/// Makes a Secret; says whether there was none yet.
async fn create(cluster: &Kubernetes, secret: &Secret, action: &str) -> Result<bool, ClusterError> {
    let params = resource::posted();
    match secrets(cluster).create(&params, secret).await {
        Ok(_) => Ok(true),
        // Named by content and immutable: what is there is the same.
        Err(error) if error::is_already_there(&error) => Ok(false),
        Err(error) => Err(error::from(action, error)),
    }
}

/// Makes a Secret that is there another version of itself: whoever was about to
/// drop it, as nobody needed it any more, leaves it alone then.
async fn claim(cluster: &Kubernetes, secret: &Secret) -> Result<(), ClusterError> {
    let params = resource::patched_by(FIELD_MANAGER);
    let fence = json!({ "metadata": { "annotations": secret.annotations() } });
    let (api, name) = (secrets(cluster), secret.name_any());
    let claimed = api
        .patch_metadata(&name, &params, &Patch::Merge(fence))
        .await;
    claimed
        .map(drop)
        .map_err(|error| error::from("keep the plan", error))
}

fn labels(cluster: &Kubernetes, id: &PlanId) -> BTreeMap<String, String> {
    [
        (label::GROUP.to_owned(), cluster.group.to_string()),
        (label::ROLE.to_owned(), Role::Plan.as_str().to_owned()),
        (label::PLAN.to_owned(), id.short().to_owned()),
    ]
    .into()
}
