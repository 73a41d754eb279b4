//! Records of many promotions: those of one that was for real, under other names and at
//! other times.
//!
//! Written as a backup that `promoter store restore` takes; a row more or less would
//! have it refused.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use super::super::site::Site;
use super::groups::Groups;
use crate::run;

/// Between two promotions of a group. All of them are kept for longer than that.
const APART_MS: i64 = 19 * 60 * 60 * 1000;
/// The first moment that identities of promotions tell.
const EPOCH_MS: i64 = 1_767_225_600_000;
/// Their digits, in order of value.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Puts so many promotions of each group into records of their own, and says how many
/// rows these are.
pub(super) fn fill(site: &Site, groups: usize, promotions: usize, to: &Path) -> Result<u64> {
    let backup = site.path("backup.gz");
    let shown = backup.display().to_string();
    run::output(&mut site.command(&["store", "backup", &shown]))?;
    let text = run::output(Command::new("gzip").args(["--decompress", "--stdout", &shown]))?;
    let real = Real::read(&text)?;

    let many = site.path("many.gz");
    let mut gzip = Command::new("gzip")
        .arg("--fast")
        .stdin(Stdio::piped())
        .stdout(File::create(&many)?)
        .spawn()
        .context("failed to start gzip: is it installed?")?;
    let mut out = BufWriter::new(gzip.stdin.take().context("its input is piped")?);
    let rows = real.write(groups, promotions, &mut out)?;
    drop(out);
    ensure!(gzip.wait()?.success(), "gzip failed");
    let mut restore = site.command(&["store", "restore", &many.display().to_string()]);
    run::output(restore.env("PROMOTER_RECORDS", to))?;
    Ok(rows)
}

/// What is on record of one promotion.
struct Real {
    header: String,
    promotion: String,
    began_ms: i64,
    /// Tables and rows, in the order of the backup.
    rows: Vec<(String, Map<String, Value>)>,
}

impl Real {
    /// Takes the last promotion of the first group out of a backup.
    fn read(text: &str) -> Result<Self> {
        let mut lines = BufReader::new(text.as_bytes()).lines();
        let header = lines.next().context("a backup has a first line")??;
        let mut all = Vec::new();
        for line in lines {
            let Value::Object(line) = serde_json::from_str(&line?)? else {
                continue;
            };
            all.extend(line.into_iter().filter_map(|(table, row)| match row {
                Value::Object(row) => Some((table, row)),
                _ => None,
            }));
        }
        let of_first = |row: &Map<String, Value>| row["group_name"] == Groups::name(0).as_str();
        let mut begun = all
            .iter()
            .filter(|(table, row)| table == "promotion" && of_first(row));
        let (_, last) = begun.next_back().context("nothing was promoted")?;
        let promotion = last["id"].as_str().context("a promotion has an identity")?;
        let promotion = promotion.to_owned();
        let began_ms = last["started_ms"].as_i64();
        let is_of = |(table, row): &(String, Map<String, Value>)| {
            let key = if table == "promotion" {
                "id"
            } else {
                "promotion"
            };
            of_first(row) && row.get(key).and_then(Value::as_str) == Some(&promotion)
        };
        Ok(Self {
            header,
            began_ms: began_ms.context("a promotion has begun")?,
            rows: all.iter().filter(|row| is_of(row)).cloned().collect(),
            promotion,
        })
    }

    /// Writes it down so many times for each group, and says how many rows these are.
    fn write(&self, groups: usize, promotions: usize, out: &mut impl Write) -> Result<u64> {
        writeln!(out, "{}", self.header)?;
        let mut number = 0_u64;
        let mut rows = self.rows.as_slice();
        // A table with all its rows, and then the next one.
        while let Some((table, _)) = rows.first() {
            let its = rows.iter().take_while(|(of, _)| of == table).count();
            let (of_table, rest) = rows.split_at(its);
            rows = rest;
            for group in 0..groups {
                for nth in (0..i64::try_from(promotions)?).rev() {
                    for (_, row) in of_table {
                        let row = self.renamed(row, &Groups::name(group), nth * APART_MS);
                        writeln!(out, "{}", json!({ table: row }))?;
                        number += 1;
                    }
                }
            }
        }
        writeln!(out, "{}", json!({ "end": number }))?;
        Ok(number)
    }

    /// A row of another group, so long before.
    fn renamed(&self, row: &Map<String, Value>, group: &str, earlier: i64) -> Map<String, Value> {
        let first = Groups::name(0);
        let promotion = identity(self.began_ms - earlier);
        let renamed = row.iter().map(|(column, value)| {
            let value = match value {
                Value::Number(time) if column.ends_with("_ms") && column != "duration_ms" => time
                    .as_i64()
                    .map_or(Value::Null, |time| json!(time - earlier)),
                // Packed are plans and logs, and a hash is not of these names alone.
                Value::String(text) if !is_packed(row, column) => {
                    json!(
                        text.replace(&first, group)
                            .replace(&self.promotion, &promotion)
                    )
                }
                other => other.clone(),
            };
            (column.clone(), value)
        });
        renamed.collect()
    }
}

/// Whether a column is bytes, and no text.
fn is_packed(row: &Map<String, Value>, column: &str) -> bool {
    let of_event_or_result = row.contains_key("once") || row.contains_key("verdict");
    column == "body" && !of_event_or_result
}

/// The identity of a promotion that began then.
fn identity(began_ms: i64) -> String {
    let mut number = ((began_ms - EPOCH_MS).max(0) / 1000) << 10;
    let mut digits = [b'0'; 8];
    for digit in digits.iter_mut().rev() {
        let place = usize::try_from(number & 31).unwrap_or_default();
        *digit = DIGITS[place];
        number >>= 5;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKUP: &str = r#"{"promoter_records":1,"shape":1,"at":"2026-11-30T00:00:00Z"}
{"promotion":{"group_name":"group-000","id":"0vedzzzz","started_ms":1795996800000,"outcome":"0vedzzzz of group-000"}}
{"plan":{"group_name":"group-000","promotion":"0vedzzzz","body":"group-000"}}
{"event":{"group_name":"group-000","promotion":"0vedzzzz","position":1,"at_ms":1795996800005,"once":null,"body":"group-000"}}
{"event":{"group_name":"group-000","promotion":"","position":1,"at_ms":1795996800005,"once":null,"body":"group-000"}}
{"end":4}
"#;

    #[test]
    fn a_promotion_is_written_down_for_each_group_and_time() {
        let real = Real::read(BACKUP).expect("a backup");
        let mut out = Vec::new();
        assert_eq!(real.write(2, 3, &mut out).expect("written"), 18);
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines.len(), 20);
        assert_eq!(lines[19], json!({ "end": 18 }));
        let oldest = &lines[1]["promotion"];
        assert_eq!(oldest["started_ms"], 1_795_996_800_000_i64 - 2 * APART_MS);
        let of_second = &lines[4]["promotion"];
        let id = of_second["id"].as_str().expect("an identity");
        assert_eq!(of_second["outcome"], format!("{id} of group-001"));
        assert!(oldest["id"].as_str() < lines[2]["promotion"]["id"].as_str());
        // What is packed stays as it is.
        assert_eq!(lines[10]["plan"]["body"], "group-000");
        assert_eq!(lines[16]["event"]["body"], "group-001");
    }
}
