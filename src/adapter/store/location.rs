//! Where the records are: in a file, or in a database of a server.
//!
//! Input: what `PROMOTER_RECORDS` says. Knows what of an address may
//! be shown, and how its `sslmode` is meant; opens nothing.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;
use url::Url;

/// Parameters of an address: those that libpq and the client both know.
const KNOWN: [&str; 12] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
/// The port where none is told.
const PORT: u16 = 5432;

/// Where the records are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In a file of `SQLite`.
    File(PathBuf),
    /// In a database of a Postgres server.
    Server(Address),
}

/// The address of a database. It has a password in it, and shows none.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

/// Why an address is none. What was written is not repeated: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LocationError {
    /// It cannot be taken apart.
    #[error(
        "it is no address of a database; write postgres://user:password@host:port/database, \
         and / ? # @ in a password as %2F %3F %23 %40"
    )]
    Malformed,
    /// It is neither a path nor an address, or not known to be one.
    #[error(
        "it looks like the address of a database and is none; write \
         postgres://user:password@host:port/database, or a path that does not begin with \
         postgres and has no : before an @"
    )]
    Unclear,
    /// It is of something else.
    #[error("records are kept in a file or in Postgres; write a path, or postgres://…")]
    Kind,
    /// It says how TLS is used in words that nobody knows.
    #[error(
        "its sslmode is unknown; write disable, allow, prefer, require, verify-ca or verify-full"
    )]
    SslMode,
    /// It has a parameter that would not be heeded.
    #[error("it has a parameter that promoter does not know; there are {}", KNOWN.join(", "))]
    Parameter,
}

impl Location {
    /// What was written: an address, or a path.
    ///
    /// # Errors
    /// It looks like an address and is none.
    pub fn parse(written: &OsStr) -> Result<Self, LocationError> {
        match written.to_str() {
            Some(text) if text.contains("://") => Address::parse(text).map(Self::Server),
            _ if is_unclear(&written.to_string_lossy()) => Err(LocationError::Unclear),
            _ => Ok(Self::File(written.into())),
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// As the client takes it: each to be tried after the one before was refused
    /// for how it uses TLS.
    pub(super) fn urls(&self) -> Vec<Url> {
        match self {
            Self::File(path) => Url::parse(&of_file(path)).into_iter().collect(),
            Self::Server(address) => address.urls(),
        }
    }
}

/// Whether somebody may have meant an address, and so wrote a password: a path is shown
/// to everybody.
fn is_unclear(text: &str) -> bool {
    let begins = text.trim_start().to_lowercase().starts_with("postgres");
    let after = text.split_once(':').map(|(_, after)| after);
    begins || after.is_some_and(|after| after.contains('@'))
}

/// Every byte is escaped, so that none means anything.
fn of_file(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes().iter();
    bytes.fold("sqlite:".to_owned(), |mut url, byte| {
        let _ = write!(url, "%{byte:02X}");
        url
    })
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(address) => address.fmt(f),
        }
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, LocationError> {
        let scheme = text.split("://").next();
        if !matches!(scheme, Some("postgres" | "postgresql")) {
            return Err(LocationError::Kind);
        }
        let url = Url::parse(text).map_err(|_| LocationError::Malformed)?;
        // What is behind an unescaped character of a password.
        let path = url.path().trim_start_matches('/');
        if url.fragment().is_some() || path.contains(['/', '@']) {
            return Err(LocationError::Malformed);
        }
        if url.query_pairs().any(|(name, _)| !KNOWN.contains(&&*name)) {
            return Err(LocationError::Parameter);
        }
        let address = Self(url);
        let known = address.parameter("sslmode").is_none_or(|mode| {
            [
                "disable",
                "allow",
                "prefer",
                "require",
                "verify-ca",
                "verify-full",
            ]
            .contains(&mode.as_str())
        });
        known.then_some(address).ok_or(LocationError::SslMode)
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let mut all = self.0.query_pairs();
        let found = all.find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// Tried in this order, as libpq does it.
    fn urls(&self) -> Vec<Url> {
        let said = |name, variable| self.parameter(name).or_else(|| env::var(variable).ok());
        let mode = said("sslmode", "PGSSLMODE");
        let modes: &[&str] = match mode.as_deref() {
            Some("disable") => &["disable"],
            Some("allow") => &["disable", "require"],
            None | Some("prefer") => &["prefer", "disable"],
            // Whoever names a certificate wants it to count.
            Some("require") if said("sslrootcert", "PGSSLROOTCERT").is_none() => &["require"],
            Some("require" | "verify-ca") => &["verify-ca"],
            // What a variable says wrongly is no less strict.
            Some(_) => &["verify-full"],
        };
        modes.iter().map(|mode| self.using(mode)).collect()
    }

    fn using(&self, mode: &str) -> Url {
        let mut url = self.0.clone();
        let others = self.0.query_pairs().filter(|(name, _)| name != "sslmode");
        let mut pairs = url.query_pairs_mut();
        pairs.clear().extend_pairs(others);
        pairs.append_pair("sslmode", mode);
        if self.parameter("application_name").is_none() {
            pairs.append_pair("application_name", "promoter");
        }
        drop(pairs);
        url
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.parameter("host").or(self.parameter("hostaddr"));
        let host = host.or_else(|| self.0.host_str().map(str::to_owned));
        let port = self.parameter("port").and_then(|port| port.parse().ok());
        let port = port.or(self.0.port()).unwrap_or(PORT);
        let name = self.parameter("dbname");
        let name = name.unwrap_or_else(|| self.0.path().trim_start_matches('/').to_owned());
        let host = host.as_deref().unwrap_or("localhost");
        write!(f, "postgres://{host}:{port}/{name}")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
