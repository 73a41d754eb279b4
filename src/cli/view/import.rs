//! What Terraform made, as it changes an environment's file.

use std::collections::BTreeSet;

use super::line::{DIM, Line, WARN};
use super::terminal::Room;
use super::text::Text;
use super::unified;
use crate::cli::called;
use crate::group::image::RepositoryName;
use crate::group::name::{EnvironmentName, GroupName};
use crate::group::terraform::Imported;

/// A group with images in repositories that are not Terraform's.
#[derive(Debug, Clone)]
pub struct Stranger {
    /// The group.
    pub group: GroupName,
    /// The repositories that it uses and Terraform does not know; at least one.
    pub repositories: BTreeSet<RepositoryName>,
}

/// What changes in the file, and what else is to be known.
pub fn imported(path: &str, imported: &Imported, strangers: &[Stranger], room: Room) -> String {
    let mut text = Text::new(room.prose);
    if imported.changes() {
        let (before, after) = &imported.shown;
        text.quote([unified::heading(path, before, after)]);
        text.quote(unified::lines(before, after));
        text.gap();
    } else {
        let said = format!("{path} says what Terraform made already: nothing to change");
        text.line(Line::new().and(said));
    }
    let strange = strangers.iter().map(|Stranger { group, repositories }| {
        let names: Vec<_> = repositories.iter().map(|name| format!("`{name}`")).collect();
        let many = match names.len() {
            1 => "a repository".to_owned(),
            n => format!("{n} repositories"),
        };
        format!(
            "group {group} uses {many} that Terraform does not know: {}; put what is missing into `apps` in terraform.tfvars, unless it is kept elsewhere",
            names.join(", ")
        )
    });
    for note in imported.notes.iter().cloned().chain(strange) {
        text.line(Line::new().with(WARN, "note: ").and(note));
    }
    text.finish()
}

/// What to type once that is done, or was only shown.
pub fn next_after_import(environment: &EnvironmentName, changes: bool, dry: bool) -> String {
    let mut text = Text::new(usize::MAX);
    let step = format!("  {} doctor --environment {environment}", called::name());
    let what = "   # whether all of it is there, and may be used";
    let said = match (changes, dry) {
        (true, true) => "nothing was written, as --dry-run says",
        (true, false) => "written. Then:",
        (false, _) => return String::new(),
    };
    text.line(Line::new().and(said));
    if !dry {
        text.line(Line::new().and(step).with(DIM, what));
    }
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::sample::{from, plain};

    fn sample(after: &str) -> Imported {
        Imported {
            text: after.to_owned(),
            shown: ("a = 1\n".to_owned(), after.to_owned()),
            notes: vec!["the cluster was another one".to_owned()],
        }
    }

    #[test]
    fn before_and_after() {
        let strangers = [Stranger {
            group: from("master"),
            repositories: ["hello-c", "hello-d"].map(from).into(),
        }];
        let shown = imported(
            "environments/v2.toml",
            &sample("a = 2\n"),
            &strangers,
            Room::from(90),
        );
        insta::assert_snapshot!(plain(&shown), @r"
        ~ environments/v2.toml
          - a = 1
          + a = 2

        note: the cluster was another one
        note: group master uses 2 repositories that Terraform does not know: `hello-c`, `hello-d`;
          put what is missing into `apps` in terraform.tfvars, unless it is kept elsewhere
        ");
        let again = imported("environments/v2.toml", &sample(""), &[], Room::from(90));
        insta::assert_snapshot!(plain(&again), @r"
        environments/v2.toml says what Terraform made already: nothing to change
        note: the cluster was another one
        ");
    }

    #[test]
    fn what_comes_next() {
        let next = |changes, dry| plain(&next_after_import(&from("v2"), changes, dry));
        insta::assert_snapshot!(next(true, false), @r"
        written. Then:
          promoter doctor --environment v2   # whether all of it is there, and may be used
        ");
        assert_eq!(next(true, true), "nothing was written, as --dry-run says\n");
        assert_eq!(next(false, false), "");
    }
}
