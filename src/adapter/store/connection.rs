//! Connections to where the records are: a few at most, made once they are needed.
//!
//! One by which something went wrong is not used again, and none is used that the
//! other side has closed meanwhile, so that records that are locked, full or away
//! for a while are used as soon as they can be. Knows no table.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, install_default_drivers};
use sqlx::{AnyConnection, ConnectOptions, Connection};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use url::Url;

use super::location::Location;

/// Most connections to a server: what waits for it is short, and one replica is not
/// to take them all.
const TO_SERVER: usize = 4;
/// A file has one writer at a time, and a connection takes memory.
const TO_FILE: usize = 1;
/// How long the answer to one statement is waited for. A server that vanished without
/// a word would be for a quarter of an hour.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to be reached.
const REACHED_WITHIN: Duration = Duration::from_secs(10);
/// What a connection to a file is told: how many milliseconds another process that
/// writes to it is waited for, and its memory for pages in KiB, instead of two
/// thousand: what is kept is hardly read again, and 20,000 test cases are kept as
/// fast (measured).
const OF_FILE: [&str; 2] = ["PRAGMA busy_timeout = 2000", "PRAGMA cache_size = -64"];
/// The server does not let this user in by this way; another `sslmode` may be.
const NOT_LET_IN: &str = "28000";

/// Connections to one place.
pub(super) struct Connections {
    to: Location,
    free: Semaphore,
    idle: Mutex<Vec<AnyConnection>>,
}

/// One of them, which nobody else has.
pub(super) struct Taken<'a> {
    pub(super) connection: AnyConnection,
    pub(super) is_new: bool,
    _one: SemaphorePermit<'a>,
}

impl Connections {
    pub(super) fn new(to: Location) -> Self {
        let most = match to {
            Location::File(_) => TO_FILE,
            Location::Server(_) => TO_SERVER,
        };
        Self {
            to,
            free: Semaphore::new(most),
            idle: Mutex::default(),
        }
    }

    /// Where they lead.
    pub(super) fn to(&self) -> &Location {
        &self.to
    }

    /// One that works.
    pub(super) async fn take(&self) -> Result<Taken<'_>, sqlx::Error> {
        let one = self.free.acquire().await;
        let one = one.map_err(|_| sqlx::Error::PoolClosed)?;
        let mut taken = self.idle().pop();
        if let Some(connection) = &mut taken
            && within(REACHED_WITHIN, connection.ping()).await.is_err()
        {
            taken = None;
        }
        let is_new = taken.is_none();
        let connection = match taken {
            Some(connection) => connection,
            None => connect(&self.to).await?,
        };
        Ok(Taken {
            connection,
            is_new,
            _one: one,
        })
    }

    /// Keeps one for the next; what is not put back is closed.
    pub(super) fn put_back(&self, taken: Taken<'_>) {
        self.idle().push(taken.connection);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<AnyConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said to one statement, if the database answers. Many make a batch, however
/// far away it is.
pub(super) async fn answered<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    within(PATIENCE, asked).await
}

async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(limit, asked).await.unwrap_or_else(|_| {
        let silent = format!("no answer within {} s", limit.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, silent).into())
    })
}

async fn connect(to: &Location) -> Result<AnyConnection, sqlx::Error> {
    install_default_drivers();
    if let Some(path) = to.file() {
        make_file(path)?;
    }
    let mut connected = Err(sqlx::Error::PoolClosed);
    for url in to.urls() {
        connected = within(REACHED_WITHIN, connect_by(&url)).await;
        if !connected.as_ref().is_err_and(is_about_tls) {
            break;
        }
    }
    let mut connection = connected?;
    if to.file().is_some() {
        for pragma in OF_FILE {
            sqlx::query(pragma).execute(&mut connection).await?;
        }
    }
    Ok(connection)
}

async fn connect_by(url: &Url) -> Result<AnyConnection, sqlx::Error> {
    let options = AnyConnectOptions::from_url(url)?;
    options.disable_statement_logging().connect().await
}

/// Whether it may work with another use of TLS.
fn is_about_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::InvalidData,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code == NOT_LET_IN),
        _ => false,
    }
}

/// Makes the file and its folder, so that only their owner may read them.
fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    if path.exists() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    options.open(path).map(drop)
}
