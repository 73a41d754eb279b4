//! Tables of listings and what is picked from them, and what holds for all.

use proptest::prelude::*;

use super::*;
use crate::group::image::RepositoryName;

fn digest(n: u64) -> Digest {
    Digest::parse(&format!("sha256:{n:064x}")).unwrap()
}

fn image(n: u64, pushed_at: i64, tags: &[&str]) -> RegistryImage {
    RegistryImage {
        digest: digest(n),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        pushed_at: Timestamp::from_second(pushed_at).unwrap(),
    }
}

fn wanted(branch: &str) -> BranchImage {
    BranchImage {
        repository: RepositoryName::parse("hello-a").unwrap(),
        branch: Branch::parse(branch).unwrap(),
        tag: TagPattern::default(),
    }
}

/// The tag and digest picked, or the error's text.
fn picked(images: &[RegistryImage], branch: &str, newest: Newest) -> String {
    let picked = candidates(images, &wanted(branch)).and_then(|candidates| {
        let picked = pick(&candidates, newest)?.unwrap();
        Ok(format!(
            "{} of {}",
            picked.tag,
            &picked.digest.as_str()[70..]
        ))
    });
    picked.unwrap_or_else(|error| error.to_string())
}

#[track_caller]
fn check(images: &[RegistryImage], branch: &str, expected: &str) {
    assert_eq!(picked(images, branch, Newest::Pushed), expected);
}

#[test]
fn the_last_push_is_the_newest() {
    let images = [
        image(2, 20, &["master-2-bbbbbbb"]),
        image(3, 30, &["master-3-ccccccc"]),
        image(1, 10, &["master-1-aaaaaaa"]),
    ];
    check(&images, "master", "master-3-ccccccc of 3");
}

#[test]
fn ten_is_more_than_nine() {
    let images = [
        image(1, 10, &["master-9-aaaaaaa"]),
        image(2, 20, &["master-10-aaaaaaa"]),
    ];
    check(&images, "master", "master-10-aaaaaaa of 2");
}

#[test]
fn a_tie_goes_to_the_higher_build() {
    let images = [
        image(1, 10, &["master-9-aaaaaaa"]),
        image(2, 10, &["master-10-bbbbbbb"]),
        image(3, 10, &["master-8-ccccccc"]),
    ];
    check(&images, "master", "master-10-bbbbbbb of 2");
}

#[test]
fn a_longer_branch_is_another_branch() {
    let images = [
        image(1, 10, &["feature-a-1-aaaaaaa"]),
        image(2, 20, &["feature-a-b-2-bbbbbbb"]),
        image(3, 30, &["feature-a-7-3-ccccccc"]),
        image(4, 40, &["my-feature-a-4-ddddddd"]),
    ];
    check(&images, "feature/a", "feature-a-1-aaaaaaa of 1");
}

#[test]
fn only_image_tags_count() {
    let images = [
        image(1, 10, &["master-1-aaaaaaa"]),
        image(2, 20, &["master-2-bbbbbbb.sig"]),
        image(3, 30, &["master-3-ccccccc.att", "latest"]),
        image(4, 40, &["sha256-aaaaaaa.sbom"]),
        image(5, 50, &[]),
    ];
    check(&images, "master", "master-1-aaaaaaa of 1");
}

#[test]
fn of_several_tags_the_highest_build_names_the_image() {
    let images = [image(
        1,
        10,
        &[
            "master-1-aaaaaaa",
            "latest",
            "master-2-bbbbbbb",
            "other-9-ccccccc",
        ],
    )];
    check(&images, "master", "master-2-bbbbbbb of 1");
}

#[test]
fn an_image_listed_twice_is_one() {
    let images = [
        image(1, 10, &["master-1-aaaaaaa"]),
        image(1, 10, &["master-2-bbbbbbb"]),
    ];
    assert_eq!(candidates(&images, &wanted("master")).unwrap().len(), 1);
    check(&images, "master", "master-2-bbbbbbb of 1");
}

#[test]
fn a_rerun_of_an_old_build_is_refused() {
    let images = [
        image(2, 20, &["master-2-bbbbbbb"]),
        image(3, 30, &["master-1-aaaaaaa"]),
    ];
    check(
        &images,
        "master",
        "`master-1-aaaaaaa` (000000000000, pushed 1970-01-01T00:00:30Z) was pushed last, but \
         `master-2-bbbbbbb` (000000000000, pushed 1970-01-01T00:00:20Z) has the higher build \
         number: run CI again for the one that is wanted, or set `newest = \"build\"` to take the \
         higher build",
    );
    assert_eq!(
        picked(&images, "master", Newest::Build),
        "master-2-bbbbbbb of 2"
    );
}

#[test]
fn old_content_built_again_is_refused() {
    // Build 3 made the very image of build 1, so nothing new was pushed.
    let images = [
        image(1, 10, &["master-1-aaaaaaa", "master-3-ccccccc"]),
        image(2, 20, &["master-2-bbbbbbb"]),
    ];
    assert!(picked(&images, "master", Newest::Pushed).starts_with("`master-2-bbbbbbb`"));
    assert_eq!(
        picked(&images, "master", Newest::Build),
        "master-3-ccccccc of 1"
    );
}

#[test]
fn disorder_among_older_images_does_not_matter() {
    let images = [
        image(1, 20, &["master-1-aaaaaaa"]),
        image(2, 10, &["master-2-bbbbbbb"]),
        image(3, 30, &["master-3-ccccccc"]),
    ];
    check(&images, "master", "master-3-ccccccc of 3");
}

#[test]
fn a_missing_branch_is_told_what_there_is() {
    let images = [
        image(1, 10, &["master-1-aaaaaaa", "feature-greeting-9-aaaaaaa"]),
        image(2, 20, &["develop-2-bbbbbbb"]),
        image(3, 30, &["master-3-ccccccc", "latest"]),
    ];
    check(
        &images,
        "feature/greetings",
        "no tag has the branch's slug `feature-greetings`; there are images of `master`, \
         `develop`, `feature-greeting`; did you mean `feature-greeting`?",
    );
}

#[test]
fn a_long_list_of_branches_is_cut() {
    let tags: Vec<_> = (0..4000).map(|n| format!("b{n:04}-1-aaaaaaa")).collect();
    let tags: Vec<_> = tags.iter().map(String::as_str).collect();
    let error = picked(&[image(1, 1, &tags)], "zzz", Newest::Pushed);
    assert!(error.ends_with("`b0009` and 3990 more"), "{error}");
}

#[test]
fn nothing_to_pick_from() {
    check(
        &[],
        "master",
        "the repository has no tagged image: let CI push one first",
    );
    check(
        &[image(1, 1, &["sha256-1.sig"]), image(2, 2, &[])],
        "master",
        "the repository has no tagged image: let CI push one first",
    );
    check(
        &[image(1, 1, &["v1"]), image(2, 2, &["latest", "v2"])],
        "master",
        "no tag fits the pattern `{slug}-{build}-{sha}`; there are `latest`, `v2`, `v1`",
    );
}

#[test]
fn a_moving_tag_leads_to_its_image_alone() {
    let newer = image(3, 30, &["master-3-ccccccc"]);
    for (tags, expected) in [
        // Nothing is newer than what CI points at.
        (
            &["master-2-bbbbbbb", "branch.master", "master-1-aaaaaaa"][..],
            "master-2-bbbbbbb",
        ),
        (
            &["master-2-bbbbbbb", "branch.main"],
            "the repository has no tag `branch.master`: have CI move it to each good image of the \
             branch, or set `newest = \"pushed\"` to find the image by its numbered tag",
        ),
        (
            &["main-2-bbbbbbb", "branch.master", "branch.master.sig"],
            "`branch.master` points at an image without a tag of the slug `master` after the \
             pattern `{slug}-{build}-{sha}`, so its build and commit are not known: have CI push \
             both tags; it has `main-2-bbbbbbb`, `branch.master`",
        ),
    ] {
        let images = [newer.clone(), image(2, 20, tags)];
        let found = moved(&images, &wanted("master")).map(|found| {
            let picked = pick(&found, Newest::MovingTag).unwrap().unwrap();
            assert_eq!(found.len(), 1);
            picked.tag.clone()
        });
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected);
    }
    let slashed = [image(1, 10, &["branch.feature-a", "feature-a-1-aaaaaaa"])];
    assert!(moved(&slashed, &wanted("feature/a")).is_ok());
}

#[test]
fn labels() {
    let tag = "feature-a-1-aaaaaaa";
    for (label, expected) in [
        (Some("feature/a"), Owner::Wanted),
        (Some("refs/heads/feature/a"), Owner::Wanted),
        (Some("feature-a"), Owner::Other("feature-a".to_owned())),
        (
            Some("refs/heads/feature-a"),
            Owner::Other("feature-a".to_owned()),
        ),
        // What a base image says of itself.
        (Some("ubuntu"), Owner::Unknown),
        (Some(""), Owner::Unknown),
        (None, Owner::Unknown),
    ] {
        let labels = label
            .map(|l| (BRANCH_LABEL.to_owned(), l.to_owned()))
            .into_iter()
            .collect();
        assert_eq!(
            owner(tag, &wanted("feature/a"), &labels),
            expected,
            "{label:?}"
        );
    }
}

#[test]
fn doubts() {
    let other = |branch| doubt(&wanted(branch)).map(|d| d.split('`').nth(3).unwrap().to_owned());
    assert_eq!(other("feature/a"), Some("feature-a".to_owned()));
    assert_eq!(other("feature-a"), Some("feature/a".to_owned()));
    assert_eq!(other("master"), None);
    // The hash in the slug tells `Feature/a` from every other branch.
    assert_eq!(other("Feature/a"), None);
}

fn listing() -> impl Strategy<Value = Vec<RegistryImage>> {
    let tag = prop_oneof![
        (0_u64..6).prop_map(|build| format!("master-{build}-aaaaaaa")),
        (0_u64..6).prop_map(|build| format!("master-x-{build}-aaaaaaa")),
        "[a-z0-9._-]{0,30}",
        ".{0,20}",
    ];
    let image = (0_u64..8, 0_i64..5, proptest::collection::vec(tag, 0..4));
    let image = image.prop_map(|(n, at, tags)| RegistryImage {
        digest: digest(n),
        tags,
        pushed_at: Timestamp::from_second(at).unwrap(),
    });
    proptest::collection::vec(image, 0..12)
}

proptest! {
    #[test]
    fn what_is_picked_is_a_candidate_and_the_newest(images in listing()) {
        let wanted = wanted("master");
        let Ok(candidates) = candidates(&images, &wanted) else {
            let of_branch = |tag: &String| wanted.tag.matches(&wanted.branch, tag).is_some();
            prop_assert!(!images.iter().flat_map(|i| &i.tags).any(of_branch));
            return Ok(());
        };
        for c in &candidates {
            prop_assert!(images.iter().any(|i| i.digest == c.digest && i.tags.contains(&c.tag)));
            prop_assert!(c.tag.starts_with("master-") && !c.tag.starts_with("master-x"));
        }
        prop_assert!(candidates.is_sorted_by(|a, b| a.pushed_at >= b.pushed_at));
        let highest = candidates.iter().map(|c| c.build).max().unwrap();
        let last = candidates.iter().map(|c| c.pushed_at).max().unwrap();
        prop_assert_eq!(pick(&candidates, Newest::Build).unwrap().unwrap().build, highest);
        match pick(&candidates, Newest::Pushed) {
            Ok(picked) => {
                let picked = picked.unwrap();
                prop_assert_eq!((picked.pushed_at, picked.build), (last, highest));
            }
            Err(disagreement) => {
                prop_assert_eq!(disagreement.last.pushed_at, last);
                prop_assert_eq!(disagreement.highest.build, highest);
                prop_assert!(disagreement.last.build < highest);
            }
        }
    }

    #[test]
    fn the_order_of_the_listing_does_not_matter(mut images in listing()) {
        let before = candidates(&images, &wanted("master")).ok();
        images.reverse();
        prop_assert_eq!(candidates(&images, &wanted("master")).ok(), before);
    }
}

#[test]
fn which_of_two_images_is_a_way_back() {
    let image = |branch: &str, build, pushed_at| ResolvedImage {
        repository: RepositoryName::parse("hello-a").unwrap(),
        reference: String::new(),
        branch: Branch::parse(branch).unwrap(),
        tag: String::new(),
        digest: digest(build),
        build,
        commit: None,
        pushed_at: Timestamp::from_second(pushed_at).unwrap(),
        platforms: Vec::new(),
        warnings: Vec::new(),
    };
    let serves = image("master", 5, 50);
    let way_back = |offered: &ResolvedImage, newest| is_way_back(&serves, offered, newest);
    for (branch, build, pushed_at, by_push, by_build) in [
        ("master", 4, 40, true, true),
        ("master", 6, 60, false, false),
        // ECR may give whole seconds.
        ("master", 4, 50, true, true),
        ("master", 6, 50, false, false),
        // A build that was run again, and one that came late.
        ("master", 4, 60, true, true),
        ("master", 6, 40, true, false),
        // The same image under another tag.
        ("master", 5, 40, false, false),
        ("feature/a", 4, 40, false, false),
    ] {
        let offered = image(branch, build, pushed_at);
        let found = [Newest::Pushed, Newest::Build, Newest::MovingTag]
            .map(|newest| way_back(&offered, newest));
        assert_eq!(
            found,
            [by_push, by_build, false],
            "{branch} {build} {pushed_at}"
        );
    }
    let mut elsewhere = image("master", 4, 40);
    elsewhere.repository = RepositoryName::parse("hello-b").unwrap();
    assert!(!way_back(&elsewhere, Newest::Pushed));
}
