//! The slug under which CI tags a branch's images.
//!
//! Input: a branch as people write it. Output: text that may begin an image
//! tag. This file is also compiled into the development tools, so it uses the
//! standard library and `sha2` alone. The rule is a contract with every CI
//! script in use: a change to it makes the images of existing branches
//! impossible to find. `tests/fixtures/branch-slugs.tsv` holds it.

use sha2::{Digest, Sha256};

/// Longest slug in a tag.
///
/// A tag has 128 characters at most: 63 for the slug, 40 for the longest commit
/// hash, 10 for the build number and 15 for the text between them. It is also
/// what fits into a Kubernetes label.
pub const LONGEST: usize = 63;

/// A dot and six hexadecimal digits.
const SUFFIX: usize = 7;

/// Turns a branch into the slug its images are tagged with.
///
/// 1. ASCII upper-case letters become lower-case ones.
/// 2. Every run of characters outside `a-z 0-9 _ . -` becomes one `-`. A
///    single `/` is such a run, and so is `//`.
/// 3. Leading `.` and `-` are taken off, since a tag may not start with them.
///    If nothing is left, `_` stands for it.
/// 4. If the result differs from the branch with each `/` replaced by a `-`,
///    or is longer than `max`, then it is cut to `max` less 7 and `.` with the
///    first six hexadecimal digits of the SHA-256 of the branch is appended.
///
/// So `feature/a` and `feature-a` share the slug `feature-a`, while `feature//a`
/// (a character was lost) and `Feature/a` get slugs of their own. A `max`
/// below 8 counts as 8. The result is ASCII and never empty.
pub fn slug(branch: &str, max: usize) -> String {
    let max = max.max(SUFFIX + 1);
    let mut base = readable(branch);
    if base == branch.replace('/', "-") && base.len() <= max {
        return base;
    }
    base.truncate(max - SUFFIX);
    let hash = Sha256::digest(branch.as_bytes());
    format!("{base}.{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2])
}

/// Steps 1 to 3.
fn readable(branch: &str) -> String {
    let mut base = String::with_capacity(branch.len());
    let mut in_run = false;
    for c in branch.chars().map(|c| c.to_ascii_lowercase()) {
        let kept = matches!(c, 'a'..='z' | '0'..='9' | '_' | '.' | '-');
        if kept {
            base.push(c);
        } else if !in_run {
            base.push('-');
        }
        in_run = !kept;
    }
    match base.trim_start_matches(['.', '-']) {
        "" => "_".to_owned(),
        rest => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../tests/fixtures/branch-slugs.tsv");

    #[test]
    fn vectors() {
        let lines: Vec<_> = VECTORS.lines().filter(|l| !l.starts_with('#')).collect();
        assert!(lines.len() > 20);
        for line in lines {
            let (branch, expected) = line.split_once('\t').unwrap();
            assert_eq!(slug(branch, LONGEST), expected, "branch {branch}");
        }
    }

    #[test]
    fn a_small_max_is_kept() {
        assert_eq!(slug("master", 8), "master");
        assert_eq!(slug("mastermind", 8).len(), 8);
        assert_eq!(slug("mastermind", 0).len(), 8);
    }
}
