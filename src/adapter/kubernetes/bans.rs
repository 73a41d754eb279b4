//! The images that no group of a namespace promotes: one `ConfigMap`, an entry for
//! each. It can be read with `kubectl`; what cannot be made out in it still bans.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::Patch;
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::PATIENCE;
use super::kept::{self, Facts};
use super::{Connection, error, resource};
use crate::group::name::Namespace;
use crate::plan::label::{self, FIELD_MANAGER, Role};
use crate::plan::text::cut;
use crate::port::ClusterError;
use crate::promotion::restraint::{Ban, BannedImage, Statement};

/// Its name.
pub(super) const NAME: &str = "promoter-bans";
/// Bytes of an entry that somebody wrote by hand.
const LONGEST: usize = 200;

/// What an entry says.
#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    by: Statement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifted: Option<Statement>,
}

/// The bans of a namespace, as they are watched.
#[derive(Debug, Clone)]
pub(super) struct Bans(pub(super) Vec<Ban>);

/// What of the object is unpacked.
#[derive(Deserialize)]
pub(super) struct Wire {
    #[serde(deserialize_with = "kept::metadata")]
    metadata: ObjectMeta,
    #[serde(default)]
    data: BTreeMap<String, String>,
}

impl Facts for Bans {
    type Of = ConfigMap;
    type Wire = Wire;

    fn read(wire: Wire) -> (ObjectMeta, Option<Self>) {
        (wire.metadata, Some(Self(bans(&wire.data))))
    }
}

impl Connection {
    /// All bans of a namespace, lifted ones included.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn bans(&self, namespace: &Namespace) -> Result<Vec<Ban>, ClusterError> {
        read(&self.client, namespace).await
    }

    /// Notes a ban, or that it is lifted, whatever was noted of the image before.
    ///
    /// # Errors
    /// The cluster does not answer, or whoever asks may not do this.
    pub async fn put_ban(&self, namespace: &Namespace, ban: &Ban) -> Result<(), ClusterError> {
        let action = "note the ban";
        let entry = Entry {
            by: ban.by.clone(),
            lifted: ban.lifted.clone(),
        };
        let entry = serde_json::to_string(&entry).map_err(|error| ClusterError::Refused {
            action: action.to_owned(),
            reason: error.to_string(),
        })?;
        // Other entries stay as they are, whoever writes them meanwhile.
        let patch = Patch::Merge(json!({ "data": { ban.image.as_str(): entry } }));
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace.as_str());
        let putting = async {
            let params = resource::patched_by(FIELD_MANAGER);
            match api.patch(NAME, &params, &patch).await {
                Err(error) if error::is_not_found(&error) => {}
                put => return put,
            }
            match api.create(&resource::posted(), &empty()).await {
                Err(error) if !error::is_already_there(&error) => Err(error),
                _ => api.patch(NAME, &params, &patch).await,
            }
        };
        let put = error::in_time(action, PATIENCE, putting).await?;
        put.map(drop).map_err(|error| error::from(action, error))
    }
}

/// All bans of a namespace, as the server has them now.
pub(super) async fn read(client: &Client, namespace: &Namespace) -> Result<Vec<Ban>, ClusterError> {
    let action = "read the bans";
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace.as_str());
    let found = error::in_time(action, PATIENCE, api.get_opt(NAME)).await?;
    let found = found.map_err(|error| error::from(action, error))?;
    let data = found.and_then(|found| found.data).unwrap_or_default();
    Ok(bans(&data))
}

fn empty() -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            labels: Some([(label::ROLE.to_owned(), Role::Bans.as_str().to_owned())].into()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

/// An entry whose name is no image bans nothing; one that does not say who bans
/// it still does.
fn bans(data: &BTreeMap<String, String>) -> Vec<Ban> {
    let bans = data.iter().filter_map(|(image, text)| {
        let image = BannedImage::parse(image).ok()?;
        let entry = serde_json::from_str(text).unwrap_or_else(|_| by_hand(text));
        Some(Ban {
            image,
            by: entry.by,
            lifted: entry.lifted,
        })
    });
    bans.collect()
}

fn by_hand(text: &str) -> Entry {
    Entry {
        by: Statement {
            actor: "an entry made by hand".to_owned(),
            reason: cut(text.trim(), LONGEST),
            at: Timestamp::UNIX_EPOCH,
        },
        lifted: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "5b6d09d7db3f";

    fn of(text: &str) -> Vec<Ban> {
        bans(&[(IMAGE.to_owned(), text.to_owned())].into())
    }

    #[test]
    fn an_entry_comes_back_as_it_was_noted() {
        let by = Statement {
            actor: "ann@laptop".to_owned(),
            reason: "it leaks".to_owned(),
            at: "2026-11-21T10:00:00Z".parse().unwrap(),
        };
        for lifted in [None, Some(by.clone())] {
            let entry = Entry {
                by: by.clone(),
                lifted: lifted.clone(),
            };
            let ban = Ban {
                image: BannedImage::parse(IMAGE).unwrap(),
                by: by.clone(),
                lifted,
            };
            assert_eq!(of(&serde_json::to_string(&entry).unwrap()), [ban]);
        }
    }

    #[test]
    fn what_somebody_wrote_by_hand_bans() {
        let found = of("never again\n");
        assert_eq!(found[0].by.reason, "never again");
        assert_eq!(found[0].lifted, None);
        let nothing = bans(&[("notes".to_owned(), "x".to_owned())].into());
        assert_eq!(nothing, []);
    }
}
