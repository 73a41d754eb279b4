//! How errors read.

use thiserror::Error;

use super::{error, refusals, resolve_errors};
use crate::cli::view::sample::{from, plain};
use crate::engine::resolve::{Cause, ResolveError, User};
use crate::plan::refusal::Refusal;
use crate::plan::resolve::PickError;

#[derive(Debug, Error)]
#[error("{text}")]
struct Nested {
    text: &'static str,
    source: Option<Box<Nested>>,
}

#[test]
fn causes_are_said_once_and_hints_apart() {
    let nested = |text, source: Option<Nested>| Nested {
        text,
        source: source.map(Box::new),
    };
    let cause = nested(
        "not allowed to get pods:\n  no role; `promoter install` prints the Role",
        None,
    );
    let wrapped = nested(
        "failed to look at the cluster",
        Some(nested("the cluster", Some(cause))),
    );
    insta::assert_snapshot!(plain(&error(&wrapped)), @r"
    error: failed to look at the cluster
      caused by: not allowed to get pods: no role
      hint: `promoter install` prints the Role
    ");
}

#[test]
fn images_that_are_not_found() {
    let missing = |app: &str| ResolveError::Image {
        user: User::App(from(app)),
        repository: from(app),
        branch: from("master"),
        cause: Cause::Pick(PickError::EmptyRepository),
    };
    insta::assert_snapshot!(plain(&resolve_errors(&[missing("hello-a"), missing("hello-b")])), @r"
    error: failed to find the image of app `hello-a`: branch `master` of repository `hello-a`
      caused by: the repository has no tagged image: let CI push one first

    error: failed to find the image of app `hello-b`: branch `master` of repository `hello-b`
      caused by: the repository has no tagged image: let CI push one first

    error: failed to find 2 images
    ");
    let one = plain(&resolve_errors(&[missing("hello-a")]));
    assert_eq!(one.matches("error:").count(), 1, "{one}");
}

#[test]
fn reasons_against_a_plan() {
    let refused = [
        Refusal::app(&"hello-a", "StatefulSet db cannot be coloured")
            .hint("deploy it outside of the group"),
        Refusal::about("quota small", "has no room for a second colour"),
    ];
    insta::assert_snapshot!(plain(&refusals(&refused)), @r"
    error: app hello-a: StatefulSet db cannot be coloured
      hint: deploy it outside of the group
    error: quota small: has no room for a second colour

    error: the group cannot be promoted as it stands, for 2 reasons
    ");
}
