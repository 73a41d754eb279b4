//! Branches, tags and the patterns between them, and the other words of group
//! files that stand for something.

use std::fmt::Display;

use jiff::Timestamp;
use promoter::group::duration::{self, Short};
use promoter::group::image::{Branch, RepositoryName, TagPattern};
use promoter::group::name::{AppName, CheckName, GroupName};
use promoter::group::schedule::Schedule;
use promoter::group::slug::{LONGEST, slug};
use promoter::group::{BranchImage, Newest};
use promoter::plan::image::{Digest, RegistryImage};
use promoter::plan::resolve::{candidates, pick};
use proptest::prelude::*;

use super::cases;

/// Branches that come close to each other, to their slugs and to tags.
fn branch() -> impl Strategy<Value = Branch> {
    let part = prop_oneof![
        Just("a"),
        Just("b"),
        Just("A"),
        Just("-"),
        Just("_"),
        Just("."),
        Just("/"),
        Just("é"),
        Just("日"),
        Just("1"),
        Just("-12"),
        Just("-1234567"),
        Just("-abcdef1"),
        Just("feature"),
        Just("sig"),
        Just("@"),
        Just("#"),
        Just("'"),
        Just("é-/-é"),
        Just("aaaaaaaaaaaaaaaaaaaaaaaa"),
    ];
    let near = prop::collection::vec(part, 1..8).prop_map(|parts| parts.concat());
    prop_oneof![4 => near, 1 => "\\PC{1,80}"].prop_map(|text| {
        Branch::parse(&text).unwrap_or_else(|_| {
            let allowed = |c: &char| c.is_alphanumeric() || *c == '-';
            let text: String = text.chars().filter(allowed).collect();
            Branch::parse(&format!("x{text}")).unwrap()
        })
    })
}

/// Patterns, most of which CI may use.
fn pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(&["{slug}", "{build}", "{sha}", "-", "_", ".", "v", "-b", "x-"][..]),
        1 => prop::sample::select(&["1", "a", "{", "}", "{n}", "/", "é", "-0-"][..]),
    ];
    let any = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    let fine = prop::sample::select(
        &[
            "{slug}-{build}-{sha}",
            "{slug}-{build}",
            "{build}-{slug}",
            "v{build}.x-{slug}_{sha}-1",
            "{sha}-{slug}-{build}",
        ][..],
    );
    prop_oneof![2 => any, 3 => fine.prop_map(str::to_owned)]
}

/// Texts that are nearly names, durations, schedules and the like.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9/._@:-]{0,70}",
        "[0-9]{0,20}(h|m|s|ms|d|us)?[0-9]{0,3}(m|s|ms)?",
        "([0-9*/,#LW?-]{0,4} ){4}([0-9*/,#LW?-]|MON|FRI){0,4}",
        "\\PC{0,40}",
    ]
}

/// What is read is shown as something that is read as the same.
fn round_trip<T: PartialEq + std::fmt::Debug, E>(
    parse: impl Fn(&str) -> Result<T, E>,
    show: impl Fn(&T) -> String,
    text: &str,
) -> Result<(), TestCaseError> {
    if let Ok(read) = parse(text) {
        let again = parse(&show(&read)).ok();
        prop_assert_eq!(again.as_ref(), Some(&read), "{:?}", text);
    }
    Ok(())
}

fn shown<T: Display>(value: &T) -> String {
    value.to_string()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_tag_is_that_of_its_branch_and_of_no_other(
        ours in branch(),
        others in prop::collection::vec(branch(), 0..6),
        pattern in pattern(),
        build: u32,
        sha in "[0-9a-f]{7,40}",
    ) {
        let own = slug(ours.as_str(), LONGEST);
        prop_assert!((1..=LONGEST).contains(&own.len()) && !own.starts_with(['.', '-']));
        prop_assert_eq!(slug(&own, LONGEST), own.clone());
        let Ok(pattern) = TagPattern::parse(&pattern) else { return Ok(()) };
        let tag = pattern.tag(&ours, build.into(), &sha);
        prop_assert!(tag.len() <= 128 && !tag.starts_with(['.', '-']), "{}", tag);
        prop_assert!(tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)), "{}", tag);
        // A branch may be called like a signature.
        let signature = [".sig", ".att", ".sbom"].iter().any(|end| tag.ends_with(end));
        let found = pattern.matches(&ours, &tag);
        prop_assert_eq!(found.is_none(), signature, "{}", tag);
        if let Some(parts) = found {
            prop_assert_eq!(parts.build, u64::from(build));
            let has_sha = pattern.as_str().contains("{sha}");
            prop_assert_eq!(parts.sha, has_sha.then_some(sha));
        }
        for other in others {
            let same = slug(other.as_str(), LONGEST) == own;
            prop_assert!(same || pattern.matches(&other, &tag).is_none(), "{} {}", other, tag);
        }
    }

    /// Among the images of several branches, the newest of ours is picked.
    #[test]
    fn the_newest_image_of_a_branch_is_picked(
        branches in prop::collection::vec(branch(), 1..4),
        pushes in prop::collection::vec((any::<prop::sample::Index>(), 0_u64..40), 0..12),
        noise in prop::collection::vec("\\PC{0,20}|[a-z0-9.-]{0,20}", 0..4),
    ) {
        let wanted = BranchImage {
            repository: RepositoryName::parse("hello-a").unwrap(),
            branch: branches[0].clone(),
            tag: TagPattern::default(),
        };
        let own = slug(wanted.branch.as_str(), LONGEST);
        let mut newest = None;
        let mut images = Vec::new();
        for (n, (of, build)) in (1..).zip(&pushes) {
            let branch = &branches[of.index(branches.len())];
            let mut tags = noise.clone();
            tags.push(wanted.tag.tag(branch, *build, "abcdef1"));
            let digest = Digest::parse(&format!("sha256:{n:064x}")).unwrap();
            if slug(branch.as_str(), LONGEST) == own {
                newest = newest.max(Some((*build, n)));
            }
            images.push(RegistryImage { digest, tags, pushed_at: Timestamp::from_second(n).unwrap() });
        }
        match (candidates(&images, &wanted), newest) {
            (Ok(found), Some((build, n))) => {
                let picked = pick(&found, Newest::Build).unwrap().unwrap();
                let expected = images[usize::try_from(n).unwrap() - 1].digest.clone();
                prop_assert_eq!((picked.build, &picked.digest), (build, &expected));
            }
            (Err(error), None) => prop_assert!(!error.to_string().is_empty()),
            (found, newest) => prop_assert!(false, "{:?} {:?}", found, newest),
        }
    }

    #[test]
    fn what_is_read_is_shown_as_the_same(text in word(), zone in word(), pattern in pattern()) {
        round_trip(Branch::parse, shown, &text)?;
        round_trip(RepositoryName::parse, shown, &text)?;
        round_trip(AppName::parse, shown, &text)?;
        round_trip(CheckName::parse, shown, &text)?;
        round_trip(GroupName::parse, shown, &text)?;
        round_trip(TagPattern::parse, shown, &pattern)?;
        round_trip(TagPattern::parse, shown, &text)?;
        round_trip(duration::parse, |read| Short(*read).to_string(), &text)?;
        drop(Schedule::parse("0 0 * * *", &zone));
        let now: Timestamp = "2026-03-08T05:30:00Z".parse().unwrap();
        if let Ok(schedule) = Schedule::parse(&text, "America/New_York") {
            let again = Schedule::parse(schedule.cron(), schedule.timezone()).unwrap();
            prop_assert_eq!(&again, &schedule);
            let next = schedule.next_after(now);
            prop_assert!(next.is_some_and(|next| next > now), "{}", text);
            prop_assert_eq!(again.next_after(now), next);
        }
    }

    #[test]
    fn no_tag_breaks_anything(pattern in pattern(), tag in "[a-z0-9._-]{0,140}|\\PC{0,140}", ours in branch()) {
        if let Ok(pattern) = TagPattern::parse(&pattern)
            && let Some((found, parts)) = pattern.read(&tag)
        {
            // Leading zeros and the like are how CI may write it; the slug is one.
            prop_assert!(tag.contains(found) && (1..=LONGEST).contains(&found.len()));
            let matches = pattern.matches(&ours, &tag);
            let own = slug(ours.as_str(), LONGEST) == found;
            prop_assert_eq!(matches, own.then_some(parts));
        }
    }
}
