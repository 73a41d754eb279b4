//! What a plan was made from, kept with it: the group as its file was, and its
//! images. From it the same release is planned again, in whatever colour is free.
//!
//! It is kept as text. Another version of promoter may not understand it, and then
//! it cannot go back to that plan by making it anew; all else goes on.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::image::Resolved;
use crate::group::Group;

/// A group and its images, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Source(String);

/// The same, unpacked.
#[derive(Serialize, Deserialize)]
struct Inputs<G, R> {
    group: G,
    resolved: R,
}

/// What was kept cannot be understood.
#[derive(Debug, Error)]
#[error("another version of promoter kept what it was made from")]
pub struct SourceError(#[from] serde_json::Error);

fn json(inputs: &impl Serialize) -> String {
    serde_json::to_string(inputs).expect("groups and images are made of strings, numbers and maps")
}

impl Source {
    /// Packs what a plan is made from.
    pub fn of(group: &Group, resolved: &Resolved) -> Self {
        Self(json(&Inputs { group, resolved }))
    }

    /// The group and its images.
    ///
    /// # Errors
    /// Another version wrote it.
    pub fn unpack(&self) -> Result<(Group, Resolved), SourceError> {
        let inputs: Inputs<Group, Resolved> = serde_json::from_str(&self.0)?;
        Ok((inputs.group, inputs.resolved))
    }
}
