//! `promoter store`: looks after the records. `migrate` brings them up to date,
//! `backup` and `restore` take them elsewhere.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::args::{Backup, Store, StoreCommand};
use super::exit::Exit;
use super::past::records;
use super::view::count;
use super::{CliError, now};
use crate::adapter::store::{self, BackupError};

pub(super) async fn run(command: &Store) -> Result<Exit, CliError> {
    let records = records()?;
    match &command.command {
        StoreCommand::Migrate => migrate(&records).await?,
        StoreCommand::Backup(command) => backup(&records, command).await?,
        StoreCommand::Restore(command) => restore(&records, command).await?,
    }
    Ok(Exit::Success)
}

async fn migrate(records: &store::Store) -> Result<(), CliError> {
    let (shape, at) = (records.migrate().await?, records.location());
    let mut out = anstream::stdout();
    if shape.is_new() {
        let store::Shape { from, to } = shape;
        writeln!(
            out,
            "brought the records in {at} from version {from} to {to}"
        )?;
    } else {
        writeln!(out, "the records in {at} have version {} already", shape.to)?;
    }
    Ok(())
}

async fn backup(records: &store::Store, command: &Backup) -> Result<(), CliError> {
    let (rows, to) = match command.named() {
        Some(file) => (to_file(records, file).await?, file.display().to_string()),
        None if io::stdout().is_terminal() => {
            let message = "a backup is nothing to look at: name a file, or pipe it on";
            return Err(CliError::Usage(message.to_owned()));
        }
        None => (
            records.backup(io::stdout(), now()).await?,
            "standard output".to_owned(),
        ),
    };
    let (rows, at) = (rows_of(rows), records.location());
    anstream::eprintln!("wrote {rows} of the records in {at} to {to}");
    Ok(())
}

/// What is no whole backup does not stay.
async fn to_file(records: &store::Store, path: &Path) -> Result<u64, CliError> {
    let mut file = create(path)?;
    let written = records.backup(&mut file, now()).await;
    let whole = written.and_then(|rows| file.sync_all().map(|()| rows).map_err(BackupError::Write));
    Ok(whole.inspect_err(|_| drop(fs::remove_file(path)))?)
}

/// Only its owner may read it: logs of checks are in it.
fn create(path: &Path) -> Result<File, CliError> {
    let mut options = OpenOptions::new();
    let created = options.write(true).create_new(true).mode(0o600).open(path);
    created.map_err(|error| {
        let shown = path.display();
        CliError::Usage(match error.kind() {
            ErrorKind::AlreadyExists => {
                format!("{shown} is there already and is not overwritten; name another file")
            }
            _ => format!("failed to create {shown}: {error}"),
        })
    })
}

async fn restore(records: &store::Store, command: &Backup) -> Result<(), CliError> {
    let rows = match command.named() {
        Some(path) => {
            let file = File::open(path).map_err(|error| {
                CliError::Usage(format!("failed to read {}: {error}", path.display()))
            })?;
            records.restore(file).await?
        }
        None => records.restore(io::stdin()).await?,
    };
    let (rows, at) = (rows_of(rows), records.location());
    anstream::eprintln!("restored {rows} into the records in {at}");
    Ok(())
}

fn rows_of(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "row")
}
