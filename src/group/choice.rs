//! Settings that take one of a few words.
//!
//! One table per type: what is read, what editors offer and what people are
//! shown all come from it.

use super::report::ReportKind;
use super::{Isolation, Newest, OnRegression, Proof, Start, Untested, When};

/// A value that is written as one of a few words.
pub trait Choice: Copy + PartialEq + Sized + 'static {
    /// The words, and what they mean.
    const WORDS: &'static [(&'static str, Self)];

    /// All words, in the order they are offered.
    fn words() -> Vec<&'static str> {
        Self::WORDS.iter().map(|(word, _)| *word).collect()
    }

    /// The word of this value.
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, value)| *value == self);
        found.map_or("", |(word, _)| *word)
    }
}

/// The kinds of `[strategy]`: there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlueGreen;

impl Choice for BlueGreen {
    const WORDS: &'static [(&'static str, Self)] = &[("blue-green", Self)];
}

impl Choice for Untested {
    const WORDS: &'static [(&'static str, Self)] =
        &[("refused", Self::Refused), ("allowed", Self::Allowed)];
}

impl Choice for Proof {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("pushed", Self::Pushed),
        ("github-checks", Self::GithubChecks),
    ];
}

impl Choice for Newest {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("pushed", Self::Pushed),
        ("build", Self::Build),
        ("moving-tag", Self::MovingTag),
    ];
}

impl Choice for OnRegression {
    const WORDS: &'static [(&'static str, Self)] =
        &[("switch-back", Self::SwitchBack), ("report", Self::Report)];
}

impl Choice for Isolation {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("pinning", Self::Pinning),
        ("network-policy", Self::NetworkPolicy),
    ];
}

impl Choice for Start {
    const WORDS: &'static [(&'static str, Self)] =
        &[("beside", Self::Beside), ("on-promote", Self::OnPromote)];
}

impl Choice for ReportKind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("tap", Self::Tap),
        ("junit", Self::Junit),
    ];
}

impl Choice for When {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("before-deploy", Self::BeforeDeploy),
        ("before-switch", Self::BeforeSwitch),
        ("after-promote", Self::AfterPromote),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each_has_a_word<T: Choice>() {
        assert!(T::WORDS.iter().all(|(word, value)| value.word() == *word));
    }

    #[test]
    fn every_value_has_its_word() {
        each_has_a_word::<BlueGreen>();
        each_has_a_word::<Untested>();
        each_has_a_word::<Proof>();
        each_has_a_word::<Newest>();
        each_has_a_word::<OnRegression>();
        each_has_a_word::<Isolation>();
        each_has_a_word::<Start>();
        each_has_a_word::<ReportKind>();
        each_has_a_word::<When>();
    }
}
