//! One table of what was done and what users noticed of it, and what must be so in it.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use jiff::{SignedDuration, Timestamp};

use crate::operation::Done;
use crate::support::Load;

/// Around a switch there must be load, or it shows nothing.
const AROUND: SignedDuration = SignedDuration::from_secs(2);
/// Requests from [`AROUND`] before a switch to [`AROUND`] after it: 100 in a second.
pub(crate) const LEAST_AROUND: usize = 400;

/// Requests that have to be answered until the last operation is over.
pub(crate) const LEAST_REQUESTS: usize = 200_000;

/// The table, and the fewest requests around any of the switches.
pub(crate) fn of(all: &[Done], load: &Load) -> (String, usize) {
    let mut table = plain(&[
        "",
        "operation",
        "took s",
        "skew ms",
        "±2 s of switch",
        "requests",
        "failed",
        "mixed",
        "slowest ms",
        "kube-proxy stopped",
    ]);
    let mut fewest = usize::MAX;
    let first = all.first().map_or(Timestamp::MAX, |done| done.began);
    table.add_row(row("", "before", load, (Timestamp::MIN, first)));
    for (number, done) in all.iter().enumerate() {
        let around: Vec<_> = done
            .switches
            .iter()
            .map(|at| load.between(*at - AROUND, *at + AROUND).requests)
            .collect();
        fewest = around.iter().copied().fold(fewest, usize::min);
        // Up to the next one, or until users were gone.
        let until = all
            .get(number + 1)
            .map_or(Timestamp::MAX, |next| next.began);
        let number = (number + 1).to_string();
        let mut cells = row(&number, done.operation.name(), load, (done.began, until));
        cells[2] = format!("{:.1}", done.took.as_secs_f64());
        cells[3] = done.skew.map(|ms| ms.to_string()).unwrap_or_default();
        let around: Vec<_> = around.iter().map(ToString::to_string).collect();
        cells[4] = around.join(" + ");
        cells[9] = done.stopped.map(of_stop).unwrap_or_default();
        table.add_row(cells);
    }
    (format!("{table}\n{}\n", load.so_far()), fewest)
}

/// When kube-proxy was stopped, counted from what it was stopped around.
fn of_stop((from, until, around): (Timestamp, Timestamp, Timestamp)) -> String {
    let from = from.duration_since(around).as_secs_f64();
    let until = until.duration_since(around).as_secs_f64();
    format!("{from:+.1} to {until:+.1} s")
}

fn row(
    number: &str,
    name: &str,
    load: &Load,
    (from, until): (Timestamp, Timestamp),
) -> [String; 10] {
    let (stretch, none) = (load.between(from, until), String::new);
    [
        number.to_owned(),
        name.to_owned(),
        none(),
        none(),
        none(),
        stretch.requests.to_string(),
        stretch.failed.to_string(),
        stretch.mixed.to_string(),
        millis(stretch.slowest),
        none(),
    ]
}

fn millis(duration: Duration) -> String {
    format!("{:.0}", duration.as_secs_f64() * 1000.0)
}

/// A table without lines, numbers at the right.
pub(crate) fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .force_no_tty()
        .set_header(header.to_vec());
    for (column, title) in table.column_iter_mut().zip(header) {
        if !["operation", "kube-proxy stopped"].contains(title) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
