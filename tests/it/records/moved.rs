//! Records that are taken from one place to another, of whatever kind: all of them,
//! or none.

use std::io::{Read as _, Write as _};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use promoter::adapter::store::RestoreError;

use super::*;
use crate::support::given;
use promoter::plan::color::Color;
use promoter::plan::summary::Summarized;

/// Records in which every table has something.
async fn full(on: On) -> Fresh {
    let events = tokio::task::spawn_blocking(|| {
        let mut events = super::kept::failed();
        events.push(super::refused::refused(
            &events[0],
            "ann",
            "it is Christmas",
        ));
        events
    });
    let events = events.await.unwrap();
    let file = on.fresh().await;
    file.keep(&events).await;
    let entry = file.only().await;
    let plan = given::plan(&given::rich(), Color::Blue);
    let others = [
        Note::Plan {
            group: entry.group.clone(),
            promotion: entry.promotion.clone(),
            summary: Packed::json(&Summarized::from(&plan)).unwrap(),
        },
        super::pruned::log_of(&entry, "ok 1 - grüßt\n"),
        Note::Event(Event {
            promotion: None,
            fact: Fact::Warning {
                message: "the disk is slow".to_owned(),
            },
            ..events[0].clone()
        }),
    ];
    file.store.keep(&here(), &others).await.unwrap();
    file
}

async fn backup(store: &Store) -> Vec<u8> {
    let mut backup = Vec::new();
    let at = "2026-11-21T02:00:00Z".parse::<Timestamp>().unwrap();
    store.backup(&mut backup, at).await.unwrap();
    backup
}

fn text(backup: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(backup).read_to_string(&mut text).unwrap();
    text
}

fn packed(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn sorted(backup: &[u8]) -> Vec<String> {
    let mut lines: Vec<_> = text(backup).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// How many rows there are in all tables that there are.
async fn rows(file: &Fresh) -> i64 {
    let tables = match file.database {
        Place::Folder(_) => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Place::Server(_) => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
    };
    let mut connection = file.connected().await;
    let tables = sqlx::query_scalar::<_, String>(tables);
    let mut all = 0;
    for table in tables.fetch_all(&mut connection).await.unwrap() {
        if table != "_sqlx_migrations" {
            let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            let rows = sqlx::query_scalar::<_, i64>(sql);
            let rows = rows.fetch_one(&mut connection).await.unwrap();
            assert!(rows > 0, "{table} is empty");
            all += rows;
        }
    }
    all
}

#[test]
fn all_of_them_come_back_in_either_kind() {
    on_each(async |from| {
        let file = full(from).await;
        let written = backup(&file.store).await;
        let all_rows = rows(&file).await;
        let lines = text(&written);
        assert!(lines.starts_with(r#"{"promoter_records":1,"shape":1,"at":"2026-11-21"#));
        assert!(
            lines.ends_with(&format!("{{\"end\":{all_rows}}}\n")),
            "{lines}"
        );
        for to in [On::Sqlite, On::Postgres] {
            let other = to.fresh().await;
            let restored = other.store.restore(written.as_slice()).await.unwrap();
            assert_eq!(i64::try_from(restored), Ok(all_rows));
            assert_eq!(rows(&other).await, all_rows);
            assert_eq!(sorted(&backup(&other.store).await), sorted(&written));
            let (entry, same) = (file.only().await, other.only().await);
            assert_eq!(same, entry);
            let (one, two) = (&file.store, &other.store);
            assert_eq!(two.events(&same).await, one.events(&entry).await);
            assert_eq!(two.results(&same).await, one.results(&entry).await);
            assert_eq!(two.plan(&same).await, one.plan(&entry).await);
            let runs = two.logged(&same, None).await.unwrap();
            let log = two.log(&same, &runs[0]).await.unwrap();
            assert_eq!(log.as_deref(), Some("ok 1 - grüßt\n"));
            // What is told once more is known there, too.
            other.keep(&one.events(&entry).await.unwrap()).await;
            assert_eq!(rows(&other).await, all_rows);
        }
    });
}

#[test]
fn many_rows_go_through() {
    let events = super::kept::failed();
    on_each(async |from| {
        let file = from.fresh().await;
        for number in 0..40 {
            let place = there(&format!("place-{number}"));
            file.store.keep(&place, &notes(&events)).await.unwrap();
        }
        let written = backup(&file.store).await;
        let other = On::Sqlite.fresh().await;
        let restored = other.store.restore(written.as_slice()).await.unwrap();
        assert!(restored > 400, "{restored}");
        assert_eq!(sorted(&backup(&other.store).await), sorted(&written));
    });
}

#[test]
fn what_is_no_whole_backup_is_refused_and_nothing_of_it_kept() {
    on_each(async |on| {
        let whole = backup(&full(on).await.store).await;
        let lines: Vec<_> = text(&whole).lines().map(str::to_owned).collect();
        let of = |lines: &[String]| packed(&(lines.join("\n") + "\n"));
        let without = |left_out: usize| {
            let mut lines = lines.clone();
            lines.remove(left_out);
            of(&lines)
        };
        let changed = |from: &str, to: &str| {
            let changed = text(&whole).replacen(from, to, 1);
            assert_ne!(changed, text(&whole), "{from}");
            packed(&changed)
        };
        let last = lines.len() - 1;
        let mut damaged: Vec<(String, Vec<u8>)> = vec![
            ("without its end".to_owned(), without(last)),
            ("without a row".to_owned(), without(3)),
            ("with something after it".to_owned(), {
                let twice = [lines.as_slice(), &lines[1..2]].concat();
                of(&twice)
            }),
            ("with a row twice".to_owned(), {
                let twice = [&lines[..2], &lines[1..last]].concat();
                let (text, rows) = (twice.join("\n"), twice.len() - 1);
                packed(&format!("{text}\n{{\"end\":{rows}}}\n"))
            }),
            (
                "of another table".to_owned(),
                changed(r#"{"event":"#, r#"{"events":"#),
            ),
            (
                "of another column".to_owned(),
                changed(r#""at_ms":"#, r#""at":"#),
            ),
            (
                "of another type".to_owned(),
                changed(r#""position":1"#, r#""position":"1""#),
            ),
            (
                "no end of a line".to_owned(),
                packed(text(&whole).trim_end()),
            ),
        ];
        for part in [1, 3, 5, 9] {
            let cut = whole[..whole.len() * part / 10].to_vec();
            damaged.push((format!("{part} tenths of it"), cut));
        }
        let cut = whole[..whole.len() - 4].to_vec();
        damaged.push(("without its checksum".to_owned(), cut));
        let empty = on.fresh().await;
        for (what, backup) in damaged {
            let error = empty.store.restore(backup.as_slice()).await.unwrap_err();
            let is_said = matches!(error, RestoreError::Damaged { .. } | RestoreError::Foreign);
            assert!(is_said, "{what}: {error:?}");
            assert_eq!(empty.store.last(&all(), 10).await, Ok(Vec::new()), "{what}");
        }
        for foreign in [
            b"".as_slice(),
            b"not compressed",
            &packed("{}\n"),
            &packed("one\ntwo\n"),
        ] {
            let error = empty.store.restore(foreign).await.unwrap_err();
            assert!(matches!(error, RestoreError::Foreign), "{error:?}");
        }
        // It is as good as new.
        empty.store.restore(whole.as_slice()).await.unwrap();
    });
}

#[test]
fn that_of_another_promoter_is_told_apart() {
    in_real_time(async {
        let whole = backup(&full(On::Sqlite).await.store).await;
        let empty = On::Sqlite.fresh().await;
        let with = |from: &str, to: &str| packed(&text(&whole).replacen(from, to, 1));
        let newer = [
            with(r#""promoter_records":1"#, r#""promoter_records":2"#),
            with(r#""shape":1"#, r#""shape":2"#),
        ];
        for newer in newer {
            let error = empty.store.restore(newer.as_slice()).await.unwrap_err();
            assert!(matches!(error, RestoreError::Newer), "{error:?}");
        }
        let older = with(r#""shape":1"#, r#""shape":0"#);
        let error = empty.store.restore(older.as_slice()).await.unwrap_err();
        let is_said = matches!(error, RestoreError::Older { shape: 0, known: 1 });
        assert!(is_said, "{error:?}");
    });
}

#[test]
fn what_is_there_is_never_mixed_with_a_backup() {
    on_each(async |on| {
        let file = full(on).await;
        let whole = backup(&file.store).await;
        let before = rows(&file).await;
        let error = file.store.restore(whole.as_slice()).await.unwrap_err();
        assert!(matches!(error, RestoreError::NotEmpty { .. }), "{error:?}");
        assert_eq!(rows(&file).await, before);
    });
}

/// Writes records while it is written to.
struct Meanwhile<'a>(&'a tokio::runtime::Handle, &'a Store, Vec<Event>);

impl std::io::Write for Meanwhile<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let told = notes(&self.2.drain(..).collect::<Vec<_>>());
        if !told.is_empty() {
            let place = here();
            std::thread::scope(|scope| {
                let done = scope.spawn(|| self.0.block_on(self.1.keep(&place, &told)));
                done.join().unwrap().unwrap();
            });
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_server_goes_on_being_written_to_meanwhile() {
    let events = super::night::night();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let file = On::Postgres.fresh().await;
        let first: Vec<_> = events[..events.len() / 2].to_vec();
        file.keep(&first).await;
        let alone = text(&backup(&file.store).await).lines().count();
        let other = file.again();
        other.migrate().await.unwrap();
        let meanwhile = Meanwhile(&tokio::runtime::Handle::current(), &other, events.clone());
        let at = events[0].at;
        let rows = file.store.backup(meanwhile, at).await.unwrap();
        assert_eq!(usize::try_from(rows), Ok(alone - 2));
        assert_eq!(other.last(&all(), 10).await.unwrap().len(), 5);
    });
}
