//! A first group, before and after its files are written.

use super::line::{BOLD, DIM, Line, WARN};
use super::terminal::Room;
use super::text::Text;
use crate::cli::called;
use crate::plan::init::Draft;

/// What would be written; `there` are files that stay as they are.
pub fn draft(draft: &Draft, there: &[String], room: Room) -> String {
    let mut text = Text::new(room.prose);
    for file in &draft.files {
        let line = Line::new().with(BOLD, &file.path);
        if there.contains(&file.path) {
            text.line(line.with(DIM, "  is there already, and stays as it is"));
            continue;
        }
        let lines = file.text.lines().count();
        text.line(line.with(DIM, format!("  {} ({lines} lines)", file.what)));
        if let Some(warning) = &file.warning {
            text.line(Line::new().with(WARN, "  note: ").and(warning));
        }
        if file.in_full {
            let lines = file.text.lines();
            text.quote(lines.map(|line| Line::new().and(format!("  {line}").trim_end())));
            text.gap();
        }
    }
    text.gap();
    for note in &draft.notes {
        text.line(Line::new().with(WARN, "note: ").and(note));
    }
    text.finish()
}

/// What to type once they are written.
pub fn next_steps(draft: &Draft) -> String {
    let (group, environment) = (&draft.group, &draft.environment);
    let name = called::name();
    let (first, what) = if draft.adopts {
        ("adopt", "show how what runs is taken over; `--yes` does it")
    } else {
        ("deploy", "deploy, test and promote it")
    };
    let steps = [
        (format!("{name} validate"), "every problem of the files"),
        (
            format!("{name} install --environment {environment}"),
            "once: prepare cluster and namespace",
        ),
        (
            format!("{name} plan {group}"),
            "what would be deployed; writes nothing",
        ),
        (format!("{name} {first} {group}"), what),
    ];
    let mut text = Text::new(usize::MAX);
    text.line(Line::new().and("written. Look the files through, and then:"));
    let widest = steps.iter().map(|(step, _)| step.len()).max().unwrap_or(0);
    text.lines(steps.iter().map(|(step, what)| {
        Line::new()
            .and(format!("  {step:<widest$}"))
            .with(DIM, format!("   # {what}"))
    }));
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::sample::plain;
    use crate::group::name::{EnvironmentName, GroupName};
    use crate::plan::init::File;

    #[test]
    fn before_and_after() {
        let file = |path: &str, what: &str, in_full, text: &str| File {
            path: path.to_owned(),
            what: what.to_owned(),
            in_full,
            text: text.to_owned(),
            warning: path
                .contains("/manifests/")
                .then(|| "a shows env KEY".to_owned()),
        };
        let mut found = Draft {
            group: GroupName::parse("master").unwrap(),
            environment: EnvironmentName::parse("v2").unwrap(),
            adopts: true,
            files: vec![
                file(
                    "environments/v2.toml",
                    "where it runs",
                    true,
                    "[environment]\n",
                ),
                file(
                    "groups/master.toml",
                    "what it is",
                    true,
                    "[group]\n\n[[app]]\n",
                ),
                file(
                    "groups/manifests/a.yaml",
                    "Deployment a, Service a",
                    false,
                    "a\nb\n",
                ),
            ],
            notes: vec!["Deployment redis is left out".to_owned()],
        };
        let there = ["environments/v2.toml".to_owned()];
        insta::assert_snapshot!(plain(&draft(&found, &there, Room::from(80))), @"
        environments/v2.toml  is there already, and stays as it is
        groups/master.toml  what it is (3 lines)
          [group]

          [[app]]

        groups/manifests/a.yaml  Deployment a, Service a (2 lines)
          note: a shows env KEY

        note: Deployment redis is left out
        ");
        insta::assert_snapshot!(plain(&next_steps(&found)), @"
        written. Look the files through, and then:
          promoter validate                   # every problem of the files
          promoter install --environment v2   # once: prepare cluster and namespace
          promoter plan master                # what would be deployed; writes nothing
          promoter adopt master               # show how what runs is taken over; `--yes` does it
        ");
        found.adopts = false;
        assert!(next_steps(&found).contains("promoter deploy master"));
    }
}
