//! Tables without lines: a heading, columns, and at most one that wraps.

use anstyle::{AnsiColor, Color as AnyColor, Effects, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement};

use super::line::{DIM, clean, width};

/// Columns between two cells.
const GAP: u16 = 2;

/// Rows under a heading.
pub(super) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    /// An empty table.
    pub(super) fn new(heading: &[&'static str]) -> Self {
        Self {
            heading: heading.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; a cell may have several lines.
    pub(super) fn row(&mut self, cells: Vec<(Style, String)>) {
        let cleaned = cells.into_iter().map(|(style, text)| {
            let lines: Vec<_> = text.lines().map(clean).collect();
            (style, lines.join("\n"))
        });
        self.rows.push(cleaned.collect());
    }

    /// Columns it takes if nothing wraps.
    pub(super) fn natural_width(&self) -> usize {
        let cells = |n: usize| {
            let of_rows = self.rows.iter().filter_map(move |row| row.get(n));
            of_rows.flat_map(|(_, text)| text.lines()).map(width)
        };
        let widths = self.heading.iter().enumerate();
        let widths = widths
            .map(|(n, head)| cells(n).chain([width(head)]).max().unwrap_or(0) + usize::from(GAP));
        widths.sum::<usize>().saturating_sub(usize::from(GAP))
    }

    /// As text; the last column wraps where it does not fit into `columns`.
    pub(super) fn render(&self, columns: usize) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).force_no_tty().enforce_styling();
        table.set_header(self.heading.iter().map(|head| cell(DIM, head)));
        for row in &self.rows {
            table.add_row(row.iter().map(|(style, text)| cell(*style, text)));
        }
        let last = self.heading.len().saturating_sub(1);
        for (n, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if n == last { 0 } else { GAP }));
            if n != last {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        if self.natural_width() > columns {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
        }
        table.lines().map(|line| trimmed(&line) + "\n").collect()
    }
}

/// Without the blanks that fill its last column, coloured or not.
fn trimmed(line: &str) -> String {
    const RESETS: [&str; 2] = ["\x1b[0m", "\x1b[39m"];
    let mut rest = line.trim_end();
    let mut behind = String::new();
    while let Some(reset) = RESETS.into_iter().find(|reset| rest.ends_with(reset)) {
        behind.insert_str(0, reset);
        rest = rest[..rest.len() - reset.len()].trim_end();
    }
    format!("{rest}{behind}")
}

fn cell(style: Style, text: &str) -> Cell {
    let mut cell = Cell::new(text);
    let attributes = [
        (Effects::BOLD, Attribute::Bold),
        (Effects::DIMMED, Attribute::Dim),
    ];
    for (effect, attribute) in attributes {
        if style.get_effects().contains(effect) {
            cell = cell.add_attribute(attribute);
        }
    }
    let color = match style.get_fg_color() {
        Some(AnyColor::Ansi(AnsiColor::Green)) => Color::DarkGreen,
        Some(AnyColor::Ansi(AnsiColor::Red)) => Color::DarkRed,
        Some(AnyColor::Ansi(AnsiColor::Yellow)) => Color::DarkYellow,
        Some(AnyColor::Ansi(AnsiColor::BrightBlue)) => Color::Blue,
        _ => return cell,
    };
    cell.fg(color)
}
