//! The tags that CI gives to images: `<slug>-<build number>-<short commit>`.

/// As many digits of a commit as a tag has.
const SHORT: usize = 7;

/// A build's tag.
pub(crate) fn render(slug: &str, build: u64, sha: &str) -> String {
    let short = sha.get(..SHORT).unwrap_or(sha);
    format!("{slug}-{build}-{short}")
}

/// The build number in a tag, whatever its branch.
pub(crate) fn build(tag: &str) -> Option<u64> {
    Some(split(tag)?.1)
}

/// The number after the highest one that a branch has.
pub(crate) fn next_build<T: AsRef<str>>(tags: &[T], slug: &str) -> u64 {
    let of_branch = tags
        .iter()
        .filter_map(|tag| split(tag.as_ref()))
        .filter(|(of, _)| *of == slug);
    of_branch.map(|(_, build)| build).max().unwrap_or_default() + 1
}

/// Slug and build number. Read from the end, since a slug may contain dashes.
pub(crate) fn split(tag: &str) -> Option<(&str, u64)> {
    let (rest, _sha) = tag.rsplit_once('-')?;
    let (slug, build) = rest.rsplit_once('-')?;
    Some((slug, build.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_a_short_commit() {
        assert_eq!(
            render("master", 12, "0123456789abcdef"),
            "master-12-0123456"
        );
    }

    #[test]
    fn the_next_build_counts_its_own_branch_alone() {
        let tags = [
            "feature-a-9-0000000",
            "feature-a-b-40-0000000",
            "feature-a-10-0000000",
            "latest",
        ];
        assert_eq!(next_build(&tags, "feature-a"), 11);
        assert_eq!(next_build(&tags, "feature-a-b"), 41);
        assert_eq!(next_build(&tags, "feature"), 1);
    }
}
