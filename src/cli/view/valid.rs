//! Groups whose files have no error.

use super::line::Line;
use super::terminal::Room;
use super::text::Text;
use super::words::count;
use crate::group::Group;

/// A line for each.
pub fn valid(groups: &[Group], room: Room) -> String {
    let mut text = Text::new(room.prose);
    text.lines(groups.iter().map(|group| {
        Line::new().and(format!(
            "{}: valid, {} and {} in environment {}",
            group.name,
            count(group.apps.len(), "app"),
            count(group.checks.len(), "check"),
            group.environment.name
        ))
    }));
    text.finish()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::adapter::files::Catalog;
    use crate::cli::view::sample::{fits, plain};

    #[test]
    fn a_narrow_terminal() {
        let folder = Path::new("tests/it/fixtures/groups/valid");
        let groups = Catalog::load(folder).validate_all().groups;
        fits(|columns| valid(&groups, Room::from(columns)));
        insta::assert_snapshot!(plain(&valid(&groups[..2], Room::from(40))), @"
        base: valid, 1 app and 1 check in
          environment production
        play: valid, 1 app and 0 checks in
          environment sandbox
        ");
    }
}
