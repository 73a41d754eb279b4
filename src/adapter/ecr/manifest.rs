//! What the manifest, index and configuration of an image say.
//!
//! Input: JSON as the registry stores it, in OCI's and in Docker's shape, which
//! differ in media types only. Output: platforms, annotations, labels. What
//! cannot be read counts as not said.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::plan::image::{Digest, Platform};
use crate::port::registry::ImageDetails;

/// What the registry may answer with. Without this list ECR turns an index into
/// the manifest of one platform.
pub(super) const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// A manifest or an index, whichever it is.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Manifest {
    /// Of an index: one manifest per platform.
    manifests: Vec<Entry>,
    /// Of a manifest: the image's configuration.
    pub(super) config: Option<Blob>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// Something a manifest points at.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Blob {
    pub(super) digest: String,
    #[serde(default)]
    pub(super) size: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Entry {
    digest: String,
    platform: Option<Target>,
}

/// Where something runs, in an index and in a configuration alike.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Target {
    os: String,
    architecture: String,
}

impl Target {
    /// `None` for what is no image: attestations are `unknown/unknown`.
    fn platform(&self) -> Option<Platform> {
        let known = |text: &str| !text.is_empty() && text != "unknown";
        (known(&self.os) && known(&self.architecture)).then(|| Platform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
        })
    }
}

impl Manifest {
    pub(super) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The platforms of an index and the manifest of each.
    pub(super) fn platforms(&self) -> Vec<(Platform, Digest)> {
        let platform = |entry: &Entry| {
            let platform = entry.platform.as_ref()?.platform()?;
            Some((platform, Digest::parse(&entry.digest).ok()?))
        };
        self.manifests.iter().filter_map(platform).collect()
    }
}

/// The configuration of an image.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Configuration {
    #[serde(flatten)]
    target: Target,
    config: Option<Container>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Container {
    labels: Option<BTreeMap<String, String>>,
}

impl Configuration {
    pub(super) fn parse(text: &[u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }

    /// Adds what is not known yet.
    pub(super) fn add_to(&self, details: &mut ImageDetails) {
        if details.platforms.is_empty() {
            details.platforms.extend(self.target.platform());
        }
        if let Some(labels) = self
            .config
            .as_ref()
            .and_then(|config| config.labels.as_ref())
        {
            details.add_labels(labels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> String {
        let entry = |n: u8, os: &str, architecture: &str| {
            format!(
                r#"{{"digest": "sha256:{n:064x}", "size": 1,
                    "platform": {{"os": "{os}", "architecture": "{architecture}", "variant": "v8"}}}}"#
            )
        };
        format!(
            r#"{{"schemaVersion": 2, "annotations": {{"a": "1"}}, "manifests": [{}, {}, {}]}}"#,
            entry(1, "linux", "amd64"),
            entry(2, "linux", "arm64"),
            entry(3, "unknown", "unknown"),
        )
    }

    #[test]
    fn an_index_lists_its_platforms_without_attestations() {
        let manifest = Manifest::parse(&index());
        let platforms: Vec<_> = manifest
            .platforms()
            .iter()
            .map(|(p, _)| p.to_string())
            .collect();
        assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
        assert_eq!(manifest.annotations["a"], "1");
        assert_eq!(manifest.config, None);
    }

    #[test]
    fn a_manifest_points_at_its_configuration() {
        let manifest = Manifest::parse(r#"{"config": {"digest": "sha256:0", "size": 7}}"#);
        assert!(manifest.platforms().is_empty());
        assert_eq!(manifest.config.unwrap().size, 7);
    }

    #[test]
    fn a_configuration_adds_what_is_not_known() {
        let text = r#"{"os": "linux", "architecture": "arm64", "variant": "v8",
            "config": {"Labels": {"a": "2", "b": "2"}}}"#;
        let mut details = ImageDetails::default();
        details.labels.insert("a".to_owned(), "1".to_owned());
        Configuration::parse(text.as_bytes()).add_to(&mut details);
        assert_eq!(details.platforms[0].to_string(), "linux/arm64");
        assert_eq!((&*details.labels["a"], &*details.labels["b"]), ("1", "2"));
    }

    #[test]
    fn nonsense_says_nothing() {
        for text in ["", "[]", "{}", r#"{"manifests": 1}"#, r#"{"config": {}}"#] {
            assert_eq!(Manifest::parse(text), Manifest::default(), "{text}");
        }
        let mut details = ImageDetails::default();
        for text in [
            "",
            "[]",
            "{}",
            r#"{"config": {"Labels": null}}"#,
            r#"{"config": null}"#,
        ] {
            Configuration::parse(text.as_bytes()).add_to(&mut details);
            assert_eq!(details, ImageDetails::default(), "{text}");
        }
    }
}
