//! Tables without lines: a heading, columns, and at most one that wraps. Where
//! there is no room for columns, each row becomes a paragraph.

use anstyle::{AnsiColor, Color as AnyColor, Effects, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement};

use super::line::{DIM, Line, clean, width};

/// Columns between two cells.
const GAP: u16 = 2;

/// Columns that a text needs at least to wrap and be read.
const ENOUGH: usize = 16;

/// Columns of the longest word for which a table gives way.
const LONGEST: usize = 24;

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
        let widths = (0..self.heading.len()).map(|n| self.column(n) + usize::from(GAP));
        widths.sum::<usize>().saturating_sub(usize::from(GAP))
    }

    /// Columns that a column takes if it does not wrap.
    fn column(&self, n: usize) -> usize {
        let lines = self.cells(n).flat_map(str::lines);
        let heading = self.heading.get(n).copied().unwrap_or_default();
        lines.chain([heading]).map(width).max().unwrap_or(0)
    }

    fn cells(&self, n: usize) -> impl Iterator<Item = &str> {
        let cells = self.rows.iter().filter_map(move |row| row.get(n));
        cells.map(|(_, text)| text.as_str())
    }

    /// Whether so many columns are enough, the last one wrapping between words.
    fn fits(&self, columns: usize) -> bool {
        let (natural, last) = (self.natural_width(), self.heading.len().saturating_sub(1));
        let room = columns.saturating_sub(natural - self.column(last));
        let words = self.cells(last).flat_map(str::split_whitespace);
        let longest = words.map(width).max().unwrap_or(0);
        natural <= columns || room >= longest.clamp(ENOUGH, LONGEST)
    }

    /// As text of at most so many columns: the last column wraps where it does
    /// not fit, and where that is not enough, rows become paragraphs.
    pub(super) fn render(&self, columns: usize) -> String {
        if !self.fits(columns) {
            return self.paragraphs(columns);
        }
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

    /// A paragraph per row: each cell behind its heading, a cell without one
    /// behind the cell before it, none that is empty.
    fn paragraphs(&self, columns: usize) -> String {
        let named = self.heading.iter().map(|head| width(head)).max();
        let indent = named.unwrap_or(0) + usize::from(GAP);
        let mut text = String::new();
        for (n, row) in self.rows.iter().enumerate() {
            if n > 0 {
                text.push('\n');
            }
            let mut lines: Vec<Line> = Vec::new();
            for (head, (style, cell)) in self.heading.iter().zip(row) {
                let cell = cell.replace('\n', "  ");
                if cell.is_empty() {
                    continue;
                }
                let line = match lines.pop() {
                    Some(before) if head.is_empty() => before.and("  "),
                    before => {
                        lines.extend(before);
                        Line::new().with(DIM, head).pad(indent)
                    }
                };
                lines.push(line.with(*style, cell));
            }
            for line in lines
                .into_iter()
                .flat_map(|line| line.wrap(columns, indent))
            {
                text.push_str(&line.styled());
                text.push('\n');
            }
        }
        text
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
