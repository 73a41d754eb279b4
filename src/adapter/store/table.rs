//! The tables as a backup has them: their names, and what is in their columns.

use Kind::{Bytes, Number, Text};

/// Every table, in the order it is written down.
pub(super) static TABLES: [Table; 7] = [
    Table {
        name: "promotion",
        key: 3,
        columns: &[
            ("place", Text),
            ("group_name", Text),
            ("id", Text),
            ("release_id", Text),
            ("color", Text),
            ("actor", Text),
            ("started_ms", Number),
            ("phase", Text),
            ("outcome", Text),
        ],
    },
    Table {
        name: "plan",
        key: 3,
        columns: &[
            ("place", Text),
            ("group_name", Text),
            ("promotion", Text),
            ("body", Bytes),
        ],
    },
    Table {
        name: "event",
        key: 4,
        columns: &[
            ("place", Text),
            ("group_name", Text),
            ("promotion", Text),
            ("position", Number),
            ("at_ms", Number),
            ("once", Text),
            ("body", Text),
        ],
    },
    Table {
        name: "refusal",
        key: 3,
        columns: &[
            ("place", Text),
            ("group_name", Text),
            ("same", Text),
            ("actor", Text),
            ("release_id", Text),
            ("restraints", Text),
            ("first_ms", Number),
            ("last_ms", Number),
            ("times", Number),
        ],
    },
    Table {
        name: "check_result",
        key: 4,
        columns: &[
            ("place", Text),
            ("group_name", Text),
            ("promotion", Text),
            ("check_name", Text),
            ("attempt", Number),
            ("verdict", Text),
            ("duration_ms", Number),
            ("body", Text),
        ],
    },
    TEST_CASE,
    Table {
        name: "check_log",
        key: 5,
        columns: &[
            ("place", Text),
            ("group_name", Text),
            ("promotion", Text),
            ("check_name", Text),
            ("attempt", Number),
            ("at_ms", Number),
            ("body", Bytes),
        ],
    },
];

/// One row for each test case of a check.
pub(super) const TEST_CASE: Table = Table {
    name: "test_case",
    key: 5,
    columns: &[
        ("place", Text),
        ("group_name", Text),
        ("promotion", Text),
        ("check_name", Text),
        ("position", Number),
        ("name", Text),
        ("outcome", Text),
        ("duration_ms", Number),
        ("diagnostic", Text),
    ],
};

/// A table.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// By how many of its columns, the first ones, rows are told apart.
    key: usize,
    pub(super) columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// The one of that name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name == name)
    }

    /// All rows in their order.
    pub(super) fn select(&self) -> String {
        let (columns, key) = (names(self.columns), names(&self.columns[..self.key]));
        format!("SELECT {columns} FROM {} ORDER BY {key}", self.name)
    }

    /// So many rows to be put in.
    pub(super) fn insert(&self, rows: usize) -> String {
        let width = self.columns.len();
        let row = |row| {
            let values = (1..=width).map(|column| format!("${}", row * width + column));
            format!("({})", values.collect::<Vec<_>>().join(", "))
        };
        let rows: Vec<_> = (0..rows).map(row).collect();
        let (name, columns) = (self.name, names(self.columns));
        format!("INSERT INTO {name} ({columns}) VALUES {}", rows.join(", "))
    }
}

fn names(columns: &[(&str, Kind)]) -> String {
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// What is in a column; any may be null.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Number,
    /// In base64, as JSON has no bytes.
    Bytes,
}
