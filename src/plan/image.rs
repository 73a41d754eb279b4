//! Images as a registry lists them and as a plan names them.
//!
//! Input: what [`crate::port::registry`] listed. Output: the words that
//! [`crate::plan::resolve`] chooses with and that a stored plan keeps. Nothing
//! here asks a registry, and nothing here knows what an app is deployed from.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::group::image::{Branch, RepositoryName};
use crate::group::name::{AppName, CheckName};

/// How many hexadecimal digits tell two digests apart for a person.
const SHORT: usize = 12;

/// The content address of an image: `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// The text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` is not `sha256:` and 64 lower-case hexadecimal digits", .0.chars().take(80).collect::<String>())]
pub struct DigestError(String);

impl Digest {
    const ALGORITHM: &'static str = "sha256:";

    /// Takes the text as it is, or refuses it.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let hex = text.strip_prefix(Self::ALGORITHM).unwrap_or_default();
        let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if hex.len() == 64 && hex.bytes().all(digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(DigestError(text.to_owned()))
        }
    }

    /// The text, with its algorithm.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// That of the image a reference names by its digest.
    pub fn of_reference(reference: &str) -> Option<Self> {
        let (_, digest) = reference.rsplit_once('@')?;
        Self::parse(digest).ok()
    }

    /// Its hexadecimal digits.
    pub fn hex(&self) -> &str {
        &self.0[Self::ALGORITHM.len()..]
    }

    /// The first twelve of them, for people.
    pub fn short(&self) -> &str {
        &self.hex()[..SHORT]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;
    fn try_from(text: String) -> Result<Self, DigestError> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

/// One image of a repository, as the registry lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryImage {
    /// Its content address.
    pub digest: Digest,
    /// All tags that point at it now.
    pub tags: Vec<String>,
    /// When the registry took it; a tag added later does not move it.
    pub pushed_at: Timestamp,
}

/// What a node must be to run an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// As in the node label `kubernetes.io/os`: `linux`.
    pub os: String,
    /// As in the node label `kubernetes.io/arch`: `amd64`, `arm64`.
    pub architecture: String,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)
    }
}

/// The image that "newest of this branch" meant when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedImage {
    /// The repository it lies in.
    pub repository: RepositoryName,
    /// `<registry>/<repository>@sha256:…`, as a container's `image`.
    pub reference: String,
    /// The branch it was chosen for.
    pub branch: Branch,
    /// The tag it was chosen by.
    pub tag: String,
    /// Its content address.
    pub digest: Digest,
    /// Build number in the tag.
    pub build: u64,
    /// Commit in the tag, as long as CI wrote it.
    pub commit: Option<String>,
    /// When the registry took it.
    pub pushed_at: Timestamp,
    /// What it runs on. Empty: the registry did not tell.
    pub platforms: Vec<Platform>,
    /// What a person should know before relying on the choice.
    pub warnings: Vec<String>,
}

/// The tag in a reference to an image, if it has one.
pub fn tag_of_reference(reference: &str) -> Option<&str> {
    let name = reference.split('@').next()?;
    let (_, tag) = name.rsplit_once(':')?;
    (!tag.contains('/')).then_some(tag)
}

/// What a check runs in, decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckImageRef {
    /// Resolved from a branch: its own, or that of an app.
    Resolved(ResolvedImage),
    /// The reference in the group file, as it stands there.
    Written(String),
}

impl CheckImageRef {
    /// The container's `image`.
    pub fn reference(&self) -> &str {
        match self {
            Self::Resolved(image) => &image.reference,
            Self::Written(reference) => reference,
        }
    }

    /// What was resolved, if anything had to be.
    pub fn resolved(&self) -> Option<&ResolvedImage> {
        match self {
            Self::Resolved(image) => Some(image),
            Self::Written(_) => None,
        }
    }
}

/// Every image of a group, decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resolved {
    /// Each app's image.
    pub apps: BTreeMap<AppName, ResolvedImage>,
    /// What each check runs in.
    pub checks: BTreeMap<CheckName, CheckImageRef>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn digests() {
        let digest = Digest::parse(&format!("sha256:{HEX}")).unwrap();
        assert_eq!(digest.short(), "0123456789ab");
        assert_eq!(digest.to_string(), format!("sha256:{HEX}"));
        for wrong in [
            String::new(),
            HEX.to_owned(),
            format!("sha512:{HEX}"),
            format!("sha256:{}", &HEX[1..]),
            format!("sha256:{HEX}0"),
            format!("sha256:{}", HEX.to_uppercase()),
            format!("sha256:{}é", &HEX[2..]),
        ] {
            assert!(Digest::parse(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn serde_validates_digests() {
        let text = format!("\"sha256:{HEX}\"");
        let digest: Digest = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&digest).unwrap(), text);
        assert!(serde_json::from_str::<Digest>("\"latest\"").is_err());
    }
}
