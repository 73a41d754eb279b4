//! Tags that are of a branch, tags that are not, and slugs as tags need them.

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
        let found =
            TagPattern::parse(pattern).map_or_else(|error| error.to_string(), |_| "ok".to_owned());
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
    fn a_moving_tag_is_a_tag_and_no_build_of_its_branch(name in "[a-zA-Z0-9/._é-]{1,200}") {
        if let Ok(branch) = Branch::parse(&name) {
            let tag = moving_tag(&branch);
            prop_assert!(tag.len() <= 128 && tag.is_ascii());
            prop_assert_eq!(TagPattern::default().matches(&branch, &tag), None);
        }
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
