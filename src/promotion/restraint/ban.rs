//! Images that are banned, by the first digits of their digests.

use std::fmt;

use thiserror::Error;

use super::{Restraint, Statement};
use crate::plan::Plan;
use crate::plan::image::Digest;

/// Fewest digits by which an image is banned: as many as are shown of a digest.
const FEWEST: usize = 12;

/// An image that no group of the namespace promotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Which.
    pub image: BannedImage,
    /// Who bans it, and why.
    pub by: Statement,
    /// Who lifted that since. It stays on record.
    pub lifted: Option<Statement>,
}

/// The first digits of an image's digest, twelve at least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BannedImage(String);

/// The text does not name an image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{}` names no image; give its digest, or the first {FEWEST} digits of it or more, as `promoter plan` \
     and `promoter diff` show them",
    .0.chars().take(80).collect::<String>()
)]
pub struct BannedImageError(String);

impl BannedImage {
    /// Takes a digest or its first digits, with or without `sha256:` and whatever
    /// stands before an `@`.
    ///
    /// # Errors
    /// It has fewer than twelve digits, more than a digest, or other letters.
    pub fn parse(text: &str) -> Result<Self, BannedImageError> {
        let digest = text.rsplit_once('@').map_or(text, |(_, digest)| digest);
        let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if (FEWEST..=64).contains(&hex.len()) && hex.bytes().all(is_digit) {
            Ok(Self(hex.to_owned()))
        } else {
            Err(BannedImageError(text.to_owned()))
        }
    }

    /// Whether it names that image.
    pub fn is(&self, digest: &Digest) -> bool {
        digest.hex().starts_with(&self.0)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BannedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Ban {
    /// What of a plan runs the image.
    pub(super) fn subjects<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = String> + 'a {
        let is_named = |reference: &str| {
            let digest = Digest::of_reference(reference);
            digest.is_some_and(|digest| self.image.is(&digest))
        };
        let apps = plan.apps.iter().filter(move |app| {
            let containers = app.deployment.containers();
            let mut beside = containers.filter_map(|container| container.get("image")?.as_str());
            self.image.is(&app.image.digest) || beside.any(is_named)
        });
        let jobs = plan.jobs().filter(move |job| is_named(&job.image));
        let apps = apps.map(|app| format!("app {}", app.name));
        apps.chain(jobs.map(|job| plan.called(&job.name)))
    }

    pub(super) fn of(&self, subject: String) -> Restraint {
        Restraint::Banned {
            subject,
            image: self.image.to_string(),
            by: self.by.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_they_are_shown() {
        let hex = "5b6d09d7db3f9fa4".repeat(4);
        let digest = Digest::parse(&format!("sha256:{hex}")).unwrap();
        for written in [
            hex.clone(),
            format!("sha256:{hex}"),
            format!("registry.test/hello-b@sha256:{hex}"),
            hex[..12].to_owned(),
            hex[..40].to_owned(),
        ] {
            let image = BannedImage::parse(&written).unwrap();
            assert!(image.is(&digest), "{written}");
            let other = Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap();
            assert!(!image.is(&other), "{written}");
        }
        for wrong in [
            "",
            "latest",
            "5b6d09d7db3",
            "5B6D09D7DB3F",
            &format!("{hex}0"),
        ] {
            assert!(BannedImage::parse(wrong).is_err(), "{wrong}");
        }
    }
}
