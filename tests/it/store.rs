//! `promoter store`: what it says, how it ends, and what it leaves alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::postgres;

/// The binary with records where that says, and no other setting.
fn promoter(records: &str, arguments: &[&str]) -> Output {
    command(records, arguments).output().unwrap()
}

fn command(records: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_promoter"));
    command.env_clear().env("PROMOTER_RECORDS", records);
    command.args(arguments);
    command
}

/// How it ended, and all that it said.
fn said(output: &Output) -> (Option<i32>, String) {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    let lossy = String::from_utf8_lossy(&all);
    (
        output.status.code(),
        lossy.split_whitespace().collect::<Vec<_>>().join(" "),
    )
}

fn in_folder(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// An empty database, as promoter is told it.
fn database() -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(postgres::database()).url()
}

#[test]
fn migrate_says_from_where_to_where() {
    let folder = tempfile::tempdir().unwrap();
    for records in [in_folder(folder.path(), "records.db"), database()] {
        let migrate = || said(&promoter(&records, &["store", "migrate"]));
        let (code, first) = migrate();
        assert_eq!(code, Some(0), "{first}");
        assert!(first.starts_with("brought the records in "), "{first}");
        assert!(first.ends_with(" from version 0 to 1"), "{first}");
        let (code, again) = migrate();
        assert_eq!(code, Some(0), "{again}");
        assert!(again.ends_with(" have version 1 already"), "{again}");
    }
}

#[test]
fn a_backup_is_for_its_owner_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (file, server) = (in_folder(folder.path(), "records.db"), database());
    let backup = in_folder(folder.path(), "backup");
    let (code, wrote) = said(&promoter(&file, &["store", "backup", &backup]));
    assert_eq!(code, Some(0), "{wrote}");
    assert_eq!(
        wrote,
        format!("wrote 0 rows of the records in {file} to {backup}")
    );
    let mode = fs::metadata(&backup).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read(&backup).unwrap();
    let (code, refused) = said(&promoter(&file, &["store", "backup", &backup]));
    assert_eq!(code, Some(2), "{refused}");
    assert!(
        refused.contains("is there already and is not overwritten"),
        "{refused}"
    );
    assert_eq!(fs::read(&backup).unwrap(), before);
    let (code, restored) = said(&promoter(&server, &["store", "restore", &backup]));
    assert_eq!(code, Some(0), "{restored}");
    assert!(restored.starts_with("restored 0 rows into the records in postgres://"));
}

#[test]
fn a_backup_goes_through_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let (file, server) = (in_folder(folder.path(), "records.db"), database());
    let mut from = command(&file, &["store", "backup", "-"]);
    let mut from = from
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut to = command(&server, &["store", "restore", "-"]);
    let restored = to.stdin(from.stdout.take().unwrap()).output().unwrap();
    assert!(from.wait().unwrap().success());
    assert_eq!(said(&restored).0, Some(0), "{restored:?}");
}

#[test]
fn what_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, notes) = (
        in_folder(folder.path(), "backup"),
        in_folder(folder.path(), "notes"),
    );
    fs::write(
        &notes,
        "what a person wrote, longer than a header of a database is. ".repeat(4),
    )
    .unwrap();
    let (code, broken) = said(&promoter(&notes, &["store", "backup", &backup]));
    assert_eq!(code, Some(7), "{broken}");
    assert!(!Path::new(&backup).exists());
    let records = in_folder(folder.path(), "records.db");
    let (code, foreign) = said(&promoter(&records, &["store", "restore", &notes]));
    assert_eq!(code, Some(2), "{foreign}");
    assert!(
        foreign.contains("this is no backup of records"),
        "{foreign}"
    );
    let (code, missing) = said(&promoter(&records, &["store", "restore", &backup]));
    assert_eq!(code, Some(2), "{missing}");
    let mut full = command(&records, &["store", "backup", "-"]);
    let device = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let full = full.stdout(device).output().unwrap();
    let (code, full) = said(&full);
    assert_eq!(code, Some(1), "{full}");
    assert!(full.contains("failed to write the backup"), "{full}");
    let (code, off) = said(&promoter("off", &["store", "migrate"]));
    assert_eq!(code, Some(2), "{off}");
}

#[test]
fn no_password_is_shown() {
    let server = database();
    let wrong = server.replace("hunter2", "hunter3");
    let unescaped = "postgres://promoter:hunter2#x@localhost/records";
    let other = "mysql://promoter:hunter2@localhost/records";
    for (records, code) in [
        (server.as_str(), 0),
        (&wrong, 7),
        (unescaped, 2),
        (other, 2),
    ] {
        let mut migrate = command(records, &["store", "migrate"]);
        let (exit, migrated) = said(&migrate.env("PROMOTER_LOG", "trace").output().unwrap());
        assert_eq!(exit, Some(code), "{migrated}");
        let shown = promoter(records, &["config", "show", "-o", "json"]);
        let (exit, shown) = said(&shown);
        assert_eq!(exit, Some(0), "{shown}");
        for text in [&migrated, &shown] {
            assert!(!text.contains("hunter"), "{text}");
        }
    }
    let host = server.split('@').nth(1).unwrap().split('?').next().unwrap();
    let (_, shown) = said(&promoter(&server, &["config", "show", "-o", "json"]));
    assert!(shown.contains(&format!("\"postgres://{host}\"")), "{shown}");
}
