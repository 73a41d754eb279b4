//! `testbed status`: each part, whether it is healthy, and where its log lies.

use anyhow::Result;

use super::layout::Layout;
use super::{Programs, components, daemon};
use crate::cache::Cache;
use crate::progress::{Progress, human};

/// A table for people.
pub(crate) fn status(progress: &mut Progress) -> Result<String> {
    let layout = Layout::new();
    if !layout.state().exists() {
        return Ok("The testbed is not up.\n".to_owned());
    }
    let cache = Cache::open()?;
    let programs = Programs::get(&cache, progress)?;
    let mut rows = vec![["PART", "PID", "AGE", "STATE", "LOG"].map(str::to_owned)];
    for part in components::all(&layout, &programs)? {
        let pid = part.daemon.pid();
        let state = match (pid.is_some(), part.healthy(&layout)) {
            (true, true) => "healthy",
            (true, false) => "not healthy",
            (false, _) => "not running",
        };
        rows.push([
            part.daemon.name.to_owned(),
            pid.map_or_else(|| "-".to_owned(), |pid| pid.as_raw_nonzero().to_string()),
            pid.and_then(daemon::age)
                .map_or_else(|| "-".to_owned(), human),
            state.to_owned(),
            layout.log(part.daemon.name).display().to_string(),
        ]);
    }
    Ok(table(&rows))
}

/// Pads each column to its widest cell, except the last.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = rows
                .iter()
                .map(|row| row[column].len())
                .max()
                .unwrap_or_default();
            if column + 1 == N {
                cell.clone()
            } else {
                format!("{cell:width$}  ")
            }
        });
        text.extend(cells);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["A", "B"], ["long", "b"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "A     B\nlong  b\n");
    }
}
