//! What can be typed to look after the records.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};

/// `promoter store`
#[derive(Debug, ClapArgs)]
pub struct Store {
    /// What to do
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// What to do with the records.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Bring the records up to date for this promoter; whatever uses them does that, too
    Migrate,
    /// Write all records down, to be restored here or in the other kind of database
    Backup(Backup),
    /// Put a backup into empty records: all of it, or nothing
    Restore(Backup),
}

/// `promoter store backup` and `promoter store restore`
#[derive(Debug, ClapArgs)]
pub struct Backup {
    /// The backup; - is standard output, or input. A file that is there is never overwritten
    pub file: PathBuf,
}

impl Backup {
    /// The file, unless it is a stream.
    pub fn named(&self) -> Option<&Path> {
        Some(self.file.as_path()).filter(|file| *file != "-")
    }
}
