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
        let wants_sha = self
            .before
            .iter()
            .chain(&self.after)
            .any(|piece| *piece == Piece::Field(Field::Sha));
        if !is_slug(rest) || (wants_sha && sha.is_none()) {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn branch(text: &str) -> Branch {
        Branch::parse(text).unwrap()
    }

    #[track_caller]
    fn check(pattern: &str, name: &str, tag: &str, expected: Option<(u64, Option<&str>)>) {
        let found = TagPattern::parse(pattern)
            .unwrap()
            .matches(&branch(name), tag);
        let expected = expected.map(|(build, sha)| TagParts {
            build,
            sha: sha.map(str::to_owned),
        });
        assert_eq!(found, expected, "{pattern}: {name}, {tag}");
    }

    #[test]
    fn tags_of_the_default_pattern() {
        let yes = |name, tag, build, sha| check(DEFAULT, name, tag, Some((build, Some(sha))));
        let no = |name, tag| check(DEFAULT, name, tag, None);
        yes("master", "master-12-abcdef1", 12, "abcdef1");
        yes("feature/a", "feature-a-7-0123456789", 7, "0123456789");
        yes("a", "a-12-1234567", 12, "1234567");
        yes("a-12", "a-12-7-abc1234", 7, "abc1234");
        no("a", "a-12-7-abc1234");
        no("a-12", "a-12-1234567");
        no("feature/a", "feature-a-b-12-abcdef1");
        no("feature/a-b", "feature-a-12-abcdef1");
        no("master", "master-12-abcdef");
        no("master", "master-12-ABCDEF1");
        no("master", "master-12-abcdefg");
        no("master", "master--abcdef1");
        no("master", "master-x-abcdef1");
        no("master", "xmaster-12-abcdef1");
        no("master", "master-12-abcdef1-x");
        no("master", "master-12-abcdef1.sig");
        no("master", "master");
        no("master", "");
        no("master", "master-99999999999999999999999-abcdef1");
        no("master", &format!("master-1-{}", "a".repeat(41)));
    }

    #[test]
    fn tags_of_other_patterns() {
        check("{slug}-{build}", "a", "a-12-1234567", None);
        check(
            "{slug}-{build}",
            "a-12",
            "a-12-1234567",
            Some((1_234_567, None)),
        );
        check("{build}-{slug}", "a", "12-a", Some((12, None)));
        check("{build}-{slug}", "a.sig", "12-a.sig", None);
        check(
            "{build}_{sha}_{slug}",
            "7_abcdef1_a",
            "12_abcdef1_7_abcdef1_a",
            Some((12, Some("abcdef1"))),
        );
        check(
            "v{build}-{slug}-{sha}-ci",
            "a",
            "v12-a-abcdef1-ci",
            Some((12, Some("abcdef1"))),
        );
    }

    #[test]
    fn slugs() {
        let pattern = TagPattern::default();
        let check = |tag, slug| assert_eq!(pattern.slug_of(tag), slug, "{tag}");
        check("feature-a-b-12-abcdef1", Some("feature-a-b"));
        check("a-12-1234567", Some("a"));
        check("latest", None);
        check("sha256-0123.sig", None);
        check("Master-12-abcdef1", None);
        check("-12-abcdef1", None);
    }

    #[test]
    fn patterns() {
        let check = |pattern: &str, expected: &str| {
            let found = TagPattern::parse(pattern)
                .map_or_else(|error| error.to_string(), |_| "ok".to_owned());
            assert_eq!(found, expected, "{pattern}");
        };
        assert_eq!(TagPattern::parse(DEFAULT), Ok(TagPattern::default()));
        check("{slug}.b{build}", "ok");
        check("{build}-{slug}", "ok");
        check("", "a tag pattern needs {slug}, like {slug}-{build}-{sha}");
        check(
            "{slug}",
            "a tag pattern needs {build}, like {slug}-{build}-{sha}",
        );
        check(
            "{slug}-{build}-{build}",
            "{build} is in the tag pattern more than once",
        );
        check(
            "{slug}-{n}",
            "`{n}` is not a placeholder, a tag pattern may have {slug}, {build} and {sha}",
        );
        check(
            "{slug}-{build",
            "`{build` is not a placeholder, a tag pattern may have {slug}, {build} and {sha}",
        );
        check(
            "{slug}/{build}",
            "`/` cannot be in a tag, use letters, digits, `_`, `.` and `-`",
        );
        check("-{slug}-{build}", "a tag cannot start with `-`");
        check(
            "{slug}{build}",
            "nothing shows where {build} starts, put a `-` there",
        );
        check(
            "{build}{slug}",
            "nothing shows where {build} ends, put a `-` there",
        );
        check(
            "{slug}-{build}{sha}",
            "nothing shows where {sha} starts, put a `-` there",
        );
        check(
            "{slug}-1{build}",
            "nothing shows where {build} starts, put a `-` there",
        );
        check(
            "{slug}-{build}-sha{sha}",
            "nothing shows where {sha} starts, put a `-` there",
        );
        check(
            "{slug}-{build}-0123456789abcd",
            "a tag pattern has at most 15 characters beside its placeholders, this one has 16",
        );
    }

    /// Branches that come close to each other and to tags.
    fn branches() -> impl Strategy<Value = String> {
        "([ab1/.é-]|-12|-1234567|-abcdef1){1,6}"
            .prop_filter("a branch", |text| Branch::parse(text).is_ok())
    }

    fn patterns_of_all_shapes() -> impl Strategy<Value = String> {
        prop::sample::select(vec![
            DEFAULT,
            "{slug}-{build}",
            "{build}-{slug}",
            "{sha}-{slug}-{build}",
            "{build}-{sha}-{slug}",
            "v{build}.x-{slug}_{sha}-1",
        ])
        .prop_map(str::to_owned)
    }

    proptest! {
        #[test]
        fn a_tag_is_read_back(name in branches(), pattern in patterns_of_all_shapes(), build: u64, sha in "[0-9a-f]{7,40}") {
            let pattern = TagPattern::parse(&pattern).unwrap();
            let tag = pattern.tag(&branch(&name), build, &sha);
            let sha = pattern.as_str().contains("{sha}").then_some(sha);
            let own = slug(&name, LONGEST);
            prop_assert_eq!(pattern.slug_of(&tag), Some(own.as_str()));
            prop_assert_eq!(pattern.matches(&branch(&name), &tag), Some(TagParts { build, sha }));
        }

        #[test]
        fn branches_with_different_slugs_share_no_tag(
            x in branches(), y in branches(), pattern in patterns_of_all_shapes(), build in 0_u64..2000, sha in "[0-9a-f]{7}",
        ) {
            let pattern = TagPattern::parse(&pattern).unwrap();
            let tag = pattern.tag(&branch(&y), build, &sha);
            if slug(&x, LONGEST) != slug(&y, LONGEST) {
                prop_assert_eq!(pattern.matches(&branch(&x), &tag), None);
            }
        }

        #[test]
        fn a_tag_fits_a_registry(name in branches(), pattern in patterns_of_all_shapes(), build: u32, sha in "[0-9a-f]{40}") {
            let tag = TagPattern::parse(&pattern).unwrap().tag(&branch(&name), build.into(), &sha);
            prop_assert!(tag.len() <= 128);
            prop_assert!(!tag.starts_with(['.', '-']));
        }

        #[test]
        fn no_text_panics(pattern in "(\\{slug\\}|\\{build\\}|\\{sha\\}|.){0,8}", tag in ".{0,140}") {
            if let Ok(pattern) = TagPattern::parse(&pattern) {
                drop(pattern.read(&tag));
            }
        }

        #[test]
        fn every_slug_may_start_a_tag(branch in ".{0,300}", max in 0_usize..100) {
            let slug = slug(&branch, max);
            prop_assert!(!slug.is_empty() && slug.len() <= max.max(8));
            prop_assert!(!slug.starts_with(['.', '-']));
            prop_assert!(slug.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '.' | '-')));
        }

        #[test]
        fn a_slug_is_its_own_slug(branch in ".{0,300}") {
            let once = slug(&branch, LONGEST);
            prop_assert_eq!(slug(&once, LONGEST), once);
        }

        #[test]
        fn unless_only_slashes_differ_two_branches_differ(a in "[aA/.é-]{1,6}", b in "[aA/.é-]{1,6}") {
            if a.replace('/', "-") != b.replace('/', "-") {
                prop_assert_ne!(slug(&a, LONGEST), slug(&b, LONGEST));
            }
        }
    }
}
