//! How CI names the tags of images, and how they are read back.
//!
//! Input: a pattern, a branch and a tag. Output: the build number and the
//! commit, if the tag is of that branch. Reading is exact: a tag has one slug,
//! one build number and one commit under a pattern, or it does not fit. So two
//! branches with different slugs never share an image. Only branches whose
//! slugs are the same can: see [`super::slug`].

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::image::Branch;
use super::slug::{LONGEST, slug};

/// Ends of tags that belong to signatures and the like, never to an image.
pub const SIGNATURE_SUFFIXES: [&str; 3] = [".sig", ".att", ".sbom"];

/// The way CI names its tags unless told otherwise.
const DEFAULT: &str = "{slug}-{build}-{sha}";

/// What the moving tag of a branch begins with; its slug follows.
const MOVING: &str = "branch.";

/// Longest text beside the placeholders; see [`LONGEST`] for the whole budget.
const LONGEST_TEXT: usize = 15;

/// The lengths of a commit hash, short and full.
const SHA: RangeInclusive<usize> = 7..=40;

/// How CI names its tags, like `{slug}-{build}-{sha}`.
///
/// The fields are read from both ends towards the slug, each as long as it can
/// be. That has one outcome because the text between a field and the slug
/// starts (seen from the field) with a character the field cannot contain,
/// which [`TagPattern::parse`] demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TagPattern {
    text: String,
    /// What is before the slug, from the left end on.
    before: Vec<Piece>,
    /// What is after the slug, from the right end on.
    after: Vec<Piece>,
}

/// What a tag says beside the slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagParts {
    /// CI's number of the build.
    pub build: u64,
    /// The commit, 7 to 40 hexadecimal digits, where the pattern has it.
    pub sha: Option<String>,
}

/// Why a text cannot be a tag pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// A placeholder is missing.
    #[error("a tag pattern needs {{{0}}}, like {DEFAULT}")]
    Missing(&'static str),
    /// A placeholder is there twice.
    #[error("{{{0}}} is in the tag pattern more than once")]
    Twice(&'static str),
    /// A placeholder that does not exist, or a stray brace.
    #[error("`{0}` is not a placeholder, a tag pattern may have {{slug}}, {{build}} and {{sha}}")]
    Unknown(String),
    /// A character that no tag can have.
    #[error("`{0}` cannot be in a tag, use letters, digits, `_`, `.` and `-`")]
    Character(char),
    /// A tag would start with a dot or a dash.
    #[error("a tag cannot start with `{0}`")]
    Start(char),
    /// It could not be told where a field ends.
    #[error("nothing shows where {{{field}}} {side}s, put a `-` there")]
    Unclear {
        /// The field.
        field: &'static str,
        /// `start` or `end`.
        side: &'static str,
    },
    /// Tags would be longer than a registry takes.
    #[error(
        "a tag pattern has at most {LONGEST_TEXT} characters beside its placeholders, this one has {0}"
    )]
    TooLong(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Slug,
    Build,
    Sha,
}

impl Field {
    const ALL: [Self; 3] = [Self::Slug, Self::Build, Self::Sha];

    fn name(self) -> &'static str {
        match self {
            Self::Slug => "slug",
            Self::Build => "build",
            Self::Sha => "sha",
        }
    }

    /// Whether the field's text may have this character.
    fn has(self, c: char) -> bool {
        match self {
            Self::Slug => matches!(c, 'a'..='z' | '0'..='9' | '_' | '.' | '-'),
            Self::Build => c.is_ascii_digit(),
            Self::Sha => matches!(c, '0'..='9' | 'a'..='f'),
        }
    }
}

impl Default for TagPattern {
    fn default() -> Self {
        let separator = || Piece::Text("-".to_owned());
        Self {
            text: DEFAULT.to_owned(),
            before: Vec::new(),
            after: vec![
                Piece::Field(Field::Sha),
                separator(),
                Piece::Field(Field::Build),
                separator(),
            ],
        }
    }
}

impl TagPattern {
    /// Reads a pattern with one `{slug}`, one `{build}` and at most one `{sha}`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let pieces = pieces(text)?;
        let place = |field| {
            pieces
                .iter()
                .position(|piece| *piece == Piece::Field(field))
        };
        for field in Field::ALL {
            let count = pieces
                .iter()
                .filter(|piece| **piece == Piece::Field(field))
                .count();
            if count > 1 {
                return Err(PatternError::Twice(field.name()));
            }
        }
        let slug = place(Field::Slug).ok_or(PatternError::Missing("slug"))?;
        place(Field::Build).ok_or(PatternError::Missing("build"))?;
        if let Some(Piece::Text(first)) = pieces.first()
            && let Some(c) = first.chars().next().filter(|c| ".-".contains(*c))
        {
            return Err(PatternError::Start(c));
        }
        let before = pieces[..slug].to_vec();
        let after: Vec<Piece> = pieces[slug + 1..].iter().rev().cloned().collect();
        ends_are_clear(&before, "end", |text| text.chars().next())?;
        ends_are_clear(&after, "start", |text| text.chars().next_back())?;
        let beside = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Field(_) => 0,
        });
        let beside = beside.sum();
        if beside > LONGEST_TEXT {
            return Err(PatternError::TooLong(beside));
        }
        Ok(Self {
            text: text.to_owned(),
            before,
            after,
        })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether tags say which commit an image is of.
    pub fn has_sha(&self) -> bool {
        let mut pieces = self.before.iter().chain(&self.after);
        pieces.any(|piece| *piece == Piece::Field(Field::Sha))
    }

    /// What the tag says, if it is of a branch with this branch's slug.
    pub fn matches(&self, branch: &Branch, tag: &str) -> Option<TagParts> {
        let (found, parts) = self.read(tag)?;
        (found == slug(branch.as_str(), LONGEST)).then_some(parts)
    }

    /// The slug the tag belongs to, if CI named it by this pattern.
    pub fn slug_of<'a>(&self, tag: &'a str) -> Option<&'a str> {
        self.read(tag).map(|(slug, _)| slug)
    }

    /// The one way to take the tag apart, if there is one.
    pub fn read<'a>(&self, tag: &'a str) -> Option<(&'a str, TagParts)> {
        if SIGNATURE_SUFFIXES
            .iter()
            .any(|suffix| tag.ends_with(suffix))
        {
            return None;
        }
        let (mut build, mut sha) = (None, None);
        let mut keep = |field, text: &str| match field {
            Field::Build => build = text.parse().ok(),
            Field::Sha => sha = Some(text.to_owned()).filter(|sha| SHA.contains(&sha.len())),
            Field::Slug => {}
        };
        let mut rest = tag;
        for piece in &self.before {
            rest = match piece {
                Piece::Text(text) => rest.strip_prefix(text.as_str())?,
                Piece::Field(field) => {
                    let left = rest.trim_start_matches(|c| field.has(c));
                    keep(*field, &rest[..rest.len() - left.len()]);
                    left
                }
            };
        }
        for piece in &self.after {
            rest = match piece {
                Piece::Text(text) => rest.strip_suffix(text.as_str())?,
                Piece::Field(field) => {
                    let left = rest.trim_end_matches(|c| field.has(c));
                    keep(*field, &rest[left.len()..]);
                    left
                }
            };
        }
        if !is_slug(rest) || (self.has_sha() && sha.is_none()) {
            return None;
        }
        Some((rest, TagParts { build: build?, sha }))
    }

    /// The tag CI gives to a build; what [`TagPattern::matches`] reads back.
    pub fn tag(&self, branch: &Branch, build: u64, sha: &str) -> String {
        self.text
            .replace("{slug}", &slug(branch.as_str(), LONGEST))
            .replace("{build}", &build.to_string())
            .replace("{sha}", sha)
    }
}

/// The tag that CI moves to the last good image of a branch.
///
/// No pattern has a part in it: it says nothing of a build, and is there so
/// that the image is found without listing its repository.
pub fn moving_tag(branch: &Branch) -> String {
    format!("{MOVING}{}", slug(branch.as_str(), LONGEST))
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for TagPattern {
    type Error = PatternError;
    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::parse(&text)
    }
}

impl From<TagPattern> for String {
    fn from(pattern: TagPattern) -> Self {
        pattern.text
    }
}

/// Cuts a pattern at its placeholders; no piece of text is empty.
fn pieces(text: &str) -> Result<Vec<Piece>, PatternError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if rest.starts_with('{') {
            let end = rest.find('}').map_or(rest.len(), |end| end + 1);
            let field = Field::ALL
                .into_iter()
                .find(|field| rest[..end] == format!("{{{}}}", field.name()));
            let field = field.ok_or_else(|| PatternError::Unknown(rest[..end].to_owned()))?;
            pieces.push(Piece::Field(field));
            rest = &rest[end..];
        } else {
            let end = rest.find('{').unwrap_or(rest.len());
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            if let Some(c) = rest[..end].chars().find(|c| !allowed(*c)) {
                return Err(PatternError::Character(c));
            }
            pieces.push(Piece::Text(rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
    Ok(pieces)
}

/// Demands text behind every field, on the slug's side, that begins with a
/// character the field cannot have.
fn ends_are_clear(
    pieces: &[Piece],
    side: &'static str,
    nearest: fn(&str) -> Option<char>,
) -> Result<(), PatternError> {
    for (at, piece) in pieces.iter().enumerate() {
        let Piece::Field(field) = piece else { continue };
        let clear = match pieces.get(at + 1) {
            Some(Piece::Text(text)) => nearest(text).is_some_and(|c| !field.has(c)),
            Some(Piece::Field(_)) | None => false,
        };
        if !clear {
            let field = field.name();
            return Err(PatternError::Unclear { field, side });
        }
    }
    Ok(())
}

fn is_slug(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.chars().all(|c| Field::Slug.has(c))
}

#[cfg(test)]
mod tests;
