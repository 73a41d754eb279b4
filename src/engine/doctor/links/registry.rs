//! What AWS says: whose the credentials are, and what they may read of ECR.

use super::{Answer, Link, LinkName, State, Subject};
use crate::engine::doctor::facts::OfRepository;
use crate::group::image::{RepositoryName, moving_tag};
use crate::group::{Group, Newest};
use crate::port::chain::{Caller, RepositoryFound, Tags};

/// What stands for a build and a commit where a tag of a branch is meant.
const BUILD: (u64, &str) = (1, "0123abc");

/// What to exclude, as registries write it.
const MOVING: &str = "branch.*";

pub(super) fn credentials(subject: &Subject, answer: &Answer<Caller>) -> Link {
    let name = LinkName::Credentials;
    Link::judged(name, answer, |Caller { arn, account }| {
        let found = format!("{arn} of account {account}");
        let registry = subject.environment.registry.account.as_ref();
        match registry.filter(|registry| *registry != account) {
            None => Link::new(name, State::Good, found),
            Some(registry) => {
                let found =
                    format!("{found}, and images are in the registry of account {registry}");
                Link::new(name, State::Doubtful, found).help(format!(
                    "choose credentials of account {registry}, unless its repositories let account {account} in by their policies"
                ))
            }
        }
    })
}

/// A link for all that is good, and one for each that is not.
pub(super) fn repositories(subject: &Subject, answers: &[OfRepository]) -> Vec<Link> {
    let link = |(name, answer): &OfRepository| {
        let link = Link::judged(LinkName::Repository, answer, |found| {
            judged(subject, name, found)
        });
        link.of(name.as_str())
    };
    let all = answers.iter().map(link);
    let (held, mut links): (Vec<_>, Vec<_>) =
        all.partition(|link| [State::Good, State::NotLookedAt].contains(&link.state));
    // The same is to be said of all of them.
    let names = held.iter().filter_map(|link| link.of.as_deref());
    let names = names.collect::<Vec<_>>().join(", ");
    if let Some(first) = held.into_iter().next() {
        links.insert(0, first.of(names));
    }
    links
}

fn judged(subject: &Subject, repository: &RepositoryName, found: &RepositoryFound) -> Link {
    let link = |found: String| Link::new(LinkName::Repository, State::Doubtful, found);
    if !found.labels {
        return link("its images may be listed, and their labels not be read".to_owned()).help(
            "grant `ecr:GetDownloadUrlForLayer`: branch and commit are told by tags alone now",
        );
    }
    if let Some(tags) = &found.tags {
        if let Some(moving) = moving(subject, repository).find(|tag| !tags.can_move(tag)) {
            return link(format!(
                "CI cannot move its tag `{moving}`, which says what is the newest"
            ))
            .help(format!(
                "exclude `{MOVING}` from the immutability of its tags"
            ));
        }
        if let Some(fixed) = numbered(subject, repository).find(|tag| tags.can_move(tag)) {
            return link(format!(
                "a tag such as `{fixed}` can be moved to another image"
            ))
            .help(format!("make its tags immutable, but for `{MOVING}`"));
        }
    }
    Link::new(LinkName::Repository, State::Good, "may be read")
}

/// The tags by which its newest images are told.
fn moving(subject: &Subject, repository: &RepositoryName) -> impl Iterator<Item = String> {
    let groups = subject.groups.iter();
    let groups = groups.filter(|group| group.newest == Newest::MovingTag);
    let images = groups.flat_map(Group::branch_images);
    let images = images.filter(move |image| image.repository == *repository);
    images.map(|image| moving_tag(&image.branch))
}

/// Tags as builds of its branches get them.
fn numbered(subject: &Subject, repository: &RepositoryName) -> impl Iterator<Item = String> {
    let images = subject.groups.iter().flat_map(Group::branch_images);
    let images = images.filter(move |image| image.repository == *repository);
    let (build, sha) = BUILD;
    images.map(move |image| image.tag.tag(&image.branch, build, sha))
}

impl Tags {
    /// Whether a tag of that name can be moved.
    fn can_move(&self, tag: &str) -> bool {
        let is_excepted = self.except.iter().any(|pattern| matches(pattern, tag));
        self.immutable == is_excepted
    }
}

/// Whether a text is of a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let ends = text.char_indices().map(|(n, _)| n).chain([text.len()]);
    ends.map(|n| &text[n..]).any(|left| matches(rest, left))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, is_it) in [
            ("branch.*", "branch.master", true),
            ("branch.*", "branch.", true),
            ("branch.*", "master-1-0123abc", false),
            ("*", "", true),
            ("a", "ab", false),
            ("*-rc*", "a-1-rc2", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(matches(pattern, text), is_it, "{pattern} {text}");
        }
    }
}
