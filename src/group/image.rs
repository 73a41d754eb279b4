//! Where an image comes from: a repository, a branch and the way CI names tags.
//!
//! Input: text from a group file, and tags as the registry lists them. Output:
//! whether a tag is of a branch, and its build number. Which of a branch's
//! images is the newest is decided elsewhere.

use thiserror::Error;

use super::name::text_newtype;
pub use super::tag::{PatternError, SIGNATURE_SUFFIXES, TagParts, TagPattern, moving_tag};

text_newtype! {
    /// An ECR repository: path segments of lower-case letters and digits,
    /// joined by `/`; 2 to 256 characters. Without the registry's host.
    RepositoryName, RepositoryError, check_repository
}

text_newtype! {
    /// A git branch as people write it, without `refs/heads/`.
    Branch, BranchError, check_branch
}

/// Why a text cannot be a repository.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RepositoryError {
    /// Shorter or longer than ECR takes.
    #[error("a repository's name has 2 to 256 characters, this one has {0}")]
    Length(usize),
    /// A full reference instead of a name.
    #[error(
        "`{0}` is not a repository's name: leave out the registry's host, the tag and the digest"
    )]
    Reference(String),
    /// Characters or separators that ECR does not take.
    #[error(
        "`{0}` is not a repository's name: write lower-case letters and digits, with single `.` `_` `-` or `/` between them"
    )]
    Characters(String),
}

/// Why a text cannot be a branch.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BranchError {
    /// No text at all.
    #[error("a branch's name cannot be empty")]
    Empty,
    /// More than a ref's file name may have.
    #[error("a branch's name has at most 255 bytes, this one has {0}")]
    TooLong(usize),
    /// `refs/heads/` belongs to git, not to the name.
    #[error("`{0}` is a full ref, write it without `refs/heads/`")]
    FullRef(String),
    /// Something git refuses.
    #[error("`{branch}` is not a branch git would take: it {fault}")]
    Fault {
        /// As written.
        branch: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

fn check_repository(text: &str) -> Result<(), RepositoryError> {
    let length = text.chars().count();
    if !(2..=256).contains(&length) {
        return Err(RepositoryError::Length(length));
    }
    let host = text.split('/').next().unwrap_or_default();
    if text.contains([':', '@']) || host.ends_with(".amazonaws.com") {
        return Err(RepositoryError::Reference(text.to_owned()));
    }
    let single = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if text.split(['/', '.', '_', '-']).all(single) {
        Ok(())
    } else {
        Err(RepositoryError::Characters(text.to_owned()))
    }
}

fn check_branch(text: &str) -> Result<(), BranchError> {
    if text.is_empty() {
        return Err(BranchError::Empty);
    }
    if text.len() > 255 {
        return Err(BranchError::TooLong(text.len()));
    }
    if text.starts_with("refs/heads/") {
        return Err(BranchError::FullRef(text.to_owned()));
    }
    branch_fault(text).map_or(Ok(()), |fault| {
        Err(BranchError::Fault {
            branch: text.escape_debug().to_string(),
            fault,
        })
    })
}

/// The rules of `git check-ref-format --branch`.
fn branch_fault(text: &str) -> Option<&'static str> {
    let mut parts = text.split('/');
    if text.chars().any(|c| c.is_ascii_control() || c == ' ') {
        Some("has a space or a control character")
    } else if text.contains(['~', '^', ':', '?', '*', '[', '\\']) {
        Some("has one of ~ ^ : ? * [ \\")
    } else if text.contains("..") || text.contains("@{") {
        Some("has `..` or `@{`")
    } else if text == "@" || text == "HEAD" {
        Some("means something else")
    } else if text.starts_with('-') {
        Some("starts with `-`")
    } else if text.ends_with('.') {
        Some("ends with `.`")
    } else if parts.clone().any(str::is_empty) {
        Some("has a `/` at an end or two in a row")
    } else if parts.any(|part| part.starts_with('.') || part.strip_suffix(".lock").is_some()) {
        Some("has a part that starts with `.` or ends with `.lock`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn repositories() {
        let long = "a".repeat(256);
        for text in [
            "hello-a",
            "team/hello",
            "a/b/c",
            "a1",
            "2048",
            "a.b_c-d",
            &long,
        ] {
            assert_eq!(
                RepositoryName::parse(text).map(|name| name.to_string()),
                Ok(text.to_owned())
            );
        }
        let longer = "a".repeat(257);
        for text in [
            "",
            "a",
            "Hello",
            "a--b",
            "a//b",
            "/a",
            "a/",
            "-a",
            "a.",
            "a b",
            "é1",
            "hello:v1",
            &longer,
            "hello@sha256:0",
            "1.dkr.ecr.eu-west-1.amazonaws.com/hello",
        ] {
            assert!(RepositoryName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn branches() {
        let long = "é".repeat(127);
        let two_hundred = format!("feature/{}", "x".repeat(192));
        for text in [
            "master",
            "feature/a",
            "feature/grüße",
            "日本",
            "v1.2_x",
            "a-",
            "@a",
            &long,
            &two_hundred,
        ] {
            assert_eq!(
                Branch::parse(text).map(|branch| branch.to_string()),
                Ok(text.to_owned())
            );
        }
        let longer = "é".repeat(128);
        for text in [
            "",
            "-a",
            "a..b",
            "a b",
            "a\tb",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[0",
            "a\\b",
            "a/",
            "/a",
            "a//b",
            ".a",
            "a/.b",
            "a.",
            "a.lock",
            "a.lock/b",
            "@",
            "HEAD",
            "a@{1}",
            "refs/heads/a",
            &longer,
        ] {
            assert!(Branch::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,300}") {
            drop(Branch::parse(&text));
            drop(RepositoryName::parse(&text));
        }
    }
}
