//! Sentences that stand alone.

use super::line::Line;
use super::terminal;
use super::text::Text;
use crate::cli::called;

/// What a command has to say beside, or in place of, its result.
pub fn note(said: &str) -> String {
    broken(said, terminal::prose())
}

/// The same, for standard error.
pub fn aside(said: &str) -> String {
    broken(said, terminal::messages())
}

fn broken(said: &str, columns: usize) -> String {
    let mut text = Text::new(columns);
    text.line(Line::new().and(called::said(said)));
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::sample::{fits, plain};

    #[test]
    fn a_narrow_terminal() {
        let said = "stopped; it goes on with whoever holds the lock, or with `promoter resume`";
        fits(|columns| broken(said, columns));
        insta::assert_snapshot!(plain(&broken(said, 40)), @"
        stopped; it goes on with whoever holds
          the lock, or with `promoter resume`
        ");
    }
}
