//! Every word that GitHub has, alone and beside others; what images claim.

use std::collections::BTreeMap;

use super::*;
use crate::group::BranchImage;
use crate::group::github::{GithubApi, GithubRef, Owner, SourceRepository};
use crate::group::image::{Branch, RepositoryName, TagPattern};

const STATUSES: [&str; 5] = ["success", "pending", "failure", "error", "surprising"];
const UNFINISHED: [&str; 6] = [
    "queued",
    "in_progress",
    "waiting",
    "requested",
    "pending",
    "surprising",
];
const CONCLUSIONS: [&str; 9] = [
    "success",
    "neutral",
    "skipped",
    "failure",
    "timed_out",
    "cancelled",
    "action_required",
    "startup_failure",
    "stale",
];

/// A word like `status:success`, `run:queued` or `run:completed:failure`.
fn add(reports: &mut Reports, name: &str, word: &str) {
    let name = name.to_owned();
    let mut parts = word.split(':').map(str::to_owned);
    match (parts.next().as_deref(), parts.next()) {
        (Some("status"), Some(state)) => {
            reports.statuses.push(CommitStatus {
                context: name,
                state,
            });
        }
        (Some("run"), Some(status)) => reports.runs.push(CheckRun {
            name,
            status,
            conclusion: parts.next(),
        }),
        other => panic!("{other:?}"),
    }
}

/// All words there are.
fn words() -> Vec<String> {
    let statuses = STATUSES.iter().map(|state| format!("status:{state}"));
    let unfinished = UNFINISHED.iter().map(|status| format!("run:{status}"));
    let ends = CONCLUSIONS.iter().chain(&["surprising"]);
    let ends = ends.map(|end| format!("run:completed:{end}"));
    let none = std::iter::once("run:completed".to_owned());
    statuses.chain(unfinished).chain(ends).chain(none).collect()
}

fn of(words: &[&str]) -> Standing {
    let mut reports = Reports::default();
    for (n, word) in words.iter().enumerate() {
        add(&mut reports, &format!("r{n}"), word);
    }
    standing(&reports, &[])
}

fn named(standing: &Standing) -> String {
    match standing {
        Standing::Good => "good".to_owned(),
        Standing::Bad(why) => format!("bad: {why}"),
        Standing::Pending(what) => format!("pending: {what}"),
        Standing::Unknown(why) => format!("unknown: {why}"),
    }
}

#[test]
fn every_word_by_itself() {
    let rows: Vec<_> = words()
        .iter()
        .map(|word| format!("{word:<30} {}", named(&of(&[word]))))
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    status:success                 good
    status:pending                 pending: status r0 is pending
    status:failure                 bad: status r0 failed
    status:error                   bad: status r0 errored
    status:surprising              bad: status r0 is `surprising`
    run:queued                     pending: check run r0 has not ended (queued)
    run:in_progress                pending: check run r0 has not ended (in_progress)
    run:waiting                    pending: check run r0 has not ended (waiting)
    run:requested                  pending: check run r0 has not ended (requested)
    run:pending                    pending: check run r0 has not ended (pending)
    run:surprising                 pending: check run r0 has not ended (surprising)
    run:completed:success          good
    run:completed:neutral          unknown: all that reported on its commit was skipped or neutral
    run:completed:skipped          unknown: all that reported on its commit was skipped or neutral
    run:completed:failure          bad: check run r0 failed
    run:completed:timed_out        bad: check run r0 timed out
    run:completed:cancelled        bad: check run r0 was cancelled
    run:completed:action_required  bad: check run r0 waits for somebody's action
    run:completed:startup_failure  bad: check run r0 could not start
    run:completed:stale            bad: check run r0 never ended
    run:completed:surprising       bad: check run r0 is `surprising`
    run:completed                  pending: check run r0 has no conclusion yet
    ");
    assert_eq!(
        of(&[]),
        Standing::Unknown("nothing has reported on its commit".to_owned())
    );
}

/// How much a word weighs: the heaviest one decides.
fn weight(word: &str) -> u8 {
    match of(&[word]) {
        Standing::Unknown(_) => 0,
        Standing::Good => 1,
        Standing::Pending(_) => 2,
        Standing::Bad(_) => 3,
    }
}

#[test]
fn every_three_words_together() {
    let words = words();
    for a in &words {
        for b in &words {
            for c in &words {
                let all = [a.as_str(), b, c];
                let heaviest = all.iter().map(|word| weight(word)).max().unwrap();
                let standing = of(&all);
                let expected = match standing {
                    Standing::Unknown(_) => 0,
                    Standing::Good => 1,
                    Standing::Pending(_) => 2,
                    Standing::Bad(_) => 3,
                };
                assert_eq!(expected, heaviest, "{all:?}: {standing:?}");
                assert_eq!(standing.fault().is_none(), standing == Standing::Good);
            }
        }
    }
}

#[test]
fn good_needs_something_that_passed() {
    for (words, expected) in [
        (&["status:success", "run:completed:success"][..], "good"),
        (&["run:completed:success", "run:completed:skipped"], "good"),
        (
            &["run:completed:skipped", "run:completed:neutral"],
            "unknown: all that reported on its commit was skipped or neutral",
        ),
        (
            &[
                "run:completed:success",
                "run:completed:failure",
                "run:queued",
                "status:error",
            ],
            "bad: check run r1 failed, and 1 more",
        ),
    ] {
        assert_eq!(named(&of(words)), expected, "{words:?}");
    }
}

#[test]
fn required_reports_alone_count_and_have_to_be_there() {
    let required = ["build".to_owned(), "test".to_owned()];
    for (reports, expected) in [
        (&[][..], "pending: `build` has not reported, and 1 more"),
        (
            &[("lint", "run:completed:success")],
            "pending: `build` has not reported, and 1 more",
        ),
        (
            &[("build", "run:completed:success")],
            "pending: `test` has not reported",
        ),
        (
            &[
                ("build", "status:success"),
                ("test", "run:completed:success"),
            ],
            "good",
        ),
        // What is not required may say what it wants.
        (
            &[
                ("build", "status:success"),
                ("test", "run:completed:skipped"),
                ("lint", "run:completed:failure"),
                ("deploy", "run:in_progress"),
            ],
            "good",
        ),
        // Two of one name: both count.
        (
            &[
                ("build", "status:success"),
                ("test", "run:completed:success"),
                ("test", "run:completed:failure"),
            ],
            "bad: check run test failed",
        ),
        (
            &[
                ("build", "run:completed:neutral"),
                ("test", "run:completed:skipped"),
            ],
            "unknown: all that reported on its commit was skipped or neutral",
        ),
    ] {
        let mut all = Reports::default();
        for (name, word) in reports {
            add(&mut all, name, word);
        }
        assert_eq!(named(&standing(&all, &required)), expected, "{reports:?}");
    }
}

#[test]
fn names_from_outside_fit_on_a_line() {
    let mut reports = Reports::default();
    add(
        &mut reports,
        &format!("a\u{1b}[31m\n{}", "b".repeat(500)),
        "status:failure",
    );
    let text = named(&standing(&reports, &[]));
    assert!(
        text.len() < 90 && !text.contains(char::is_control),
        "{text:?}"
    );
}

const TAG: &str = "abc1234";
const FULL: &str = "abc1234def0123456789abcdef0123456789abcd";

fn claimed(repository: &str, github: &GithubRef, labels: &[(&str, &str)]) -> String {
    let wanted = BranchImage {
        repository: RepositoryName::parse(repository).unwrap(),
        branch: Branch::parse("master").unwrap(),
        tag: TagPattern::default(),
    };
    let labels: BTreeMap<_, _> = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    match claim(&wanted, Some(TAG), &labels, github) {
        Ok(claim) => format!("{} {}", claim.repository, claim.commit),
        Err(reason) => reason,
    }
}

fn acme() -> GithubRef {
    GithubRef {
        owner: Some(Owner::parse("acme").unwrap()),
        ..GithubRef::default()
    }
}

#[test]
fn the_label_may_tell_the_rest_of_the_tags_commit() {
    for (label, expected) in [
        ("", TAG),
        (" ", TAG),
        (TAG, TAG),
        (FULL, FULL),
        (&FULL.to_uppercase(), FULL),
    ] {
        let found = claimed("hello-a", &acme(), &[(REVISION_LABEL, label)]);
        assert_eq!(found, format!("acme/hello-a {expected}"), "{label}");
    }
    for label in [
        "def0123456789abcdef0123456789abcdef0123a",
        "abc1235",
        "abc1234-dirty",
        "v1",
        "abc",
    ] {
        let found = claimed("hello-a", &acme(), &[(REVISION_LABEL, label)]);
        let expected = format!(
            "its label org.opencontainers.image.revision says `{label}`, its tag `abc1234`: have CI \
             set the label, as base images hand theirs down"
        );
        assert_eq!(found, expected);
    }
}

#[test]
fn repositories_are_told_by_the_nearest() {
    let source = |label| [(SOURCE_LABEL, label)];
    let found = |github: &GithubRef, repository, labels: &[(&str, &str)]| {
        let found = claimed(repository, github, labels);
        found
            .strip_suffix(" abc1234")
            .map(str::to_owned)
            .unwrap_or(found)
    };
    // Nothing but the owner: the repository's last name is that on GitHub.
    assert_eq!(found(&acme(), "team/hello-a", &[]), "acme/hello-a");
    // The label is nearer, if it is of the owner and of the host.
    let labelled = source("https://github.com/Acme/mono.git");
    assert_eq!(found(&acme(), "team/hello-a", &labelled), "Acme/mono");
    for other in [
        "https://github.com/debian/base",
        "https://gitlab.example/acme/base",
        "https://github.com.evil.example/acme/base",
        "no address",
    ] {
        assert_eq!(
            found(&acme(), "hello-a", &source(other)),
            "acme/hello-a",
            "{other}"
        );
    }
    // What is configured is the nearest.
    let mut github = acme();
    let own = SourceRepository::parse("acme/own").unwrap();
    github
        .sources
        .insert(RepositoryName::parse("hello-a").unwrap(), own);
    assert_eq!(found(&github, "hello-a", &labelled), "acme/own");
    assert_eq!(found(&github, "hello-b", &labelled), "Acme/mono");
    // Without an owner only a label can tell.
    let nobody = GithubRef::default();
    assert_eq!(found(&nobody, "hello-a", &labelled), "Acme/mono");
    insta::assert_snapshot!(found(&nobody, "hello-a", &source("https://gitlab.example/a/b")), @"which repository of github.com it is from is not known, as its label org.opencontainers.image.source says `https://gitlab.example/a/b`: set `owner` or `sources` under [github] in the environment");
    insta::assert_snapshot!(found(&nobody, "hello-a", &[]), @"which repository of github.com it is from is not known, as its label org.opencontainers.image.source is missing: set `owner` or `sources` under [github] in the environment");
    let enterprise = GithubRef {
        api: GithubApi::parse("https://git.acme.example/api/v3").unwrap(),
        ..nobody
    };
    let there = source("https://git.acme.example/team/a");
    assert_eq!(found(&enterprise, "hello-a", &there), "team/a");
}

#[test]
fn commits() {
    for (text, fits) in [
        ("abc1234", true),
        ("ABC1234", true),
        (FULL, true),
        ("abc123", false),
        ("abc123g", false),
        ("../../x", false),
        (&format!("{FULL}0"), false),
    ] {
        assert_eq!(Commit::parse(text).is_ok(), fits, "{text}");
    }
    let commit = |text| Commit::parse(text).unwrap();
    assert!(commit(FULL).agrees(&commit(TAG)) && commit(TAG).agrees(&commit(FULL)));
    assert!(!commit("abc1235").agrees(&commit(TAG)));
    assert!(commit(FULL).is_full() && !commit(TAG).is_full());
}

#[test]
fn what_was_passed_over_is_bounded() {
    let passed: Vec<_> = (0..9)
        .map(|n| PassedOver {
            tag: format!("master-{n}-abc1234"),
            why: "check run lint failed".to_owned(),
        })
        .collect();
    let texts = warnings(&passed);
    assert_eq!(
        texts[0],
        "master-0-abc1234 passed over: check run lint failed"
    );
    assert_eq!(
        (texts.len(), texts[3].as_str()),
        (4, "6 older ones passed over as well")
    );
    assert_eq!(warnings(&passed[..3]).len(), 3);
    assert_eq!(
        listed(&passed[..1]),
        "`master-0-abc1234` (check run lint failed)"
    );
    assert!(listed(&passed).ends_with(" and 6 more"));
}
