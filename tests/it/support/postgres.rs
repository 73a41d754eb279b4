//! A Postgres of the tests' own, from the programs that Debian's package brings.
//!
//! Each server has a folder and an address of its own, and goes with the process
//! that started it, however that ends: a shell beside it waits for that, stops the
//! server and takes the folder away. Databases are one per test.

use std::collections::hash_map::RandomState;
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::hash::BuildHasher as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};

/// Where the package puts its programs, one folder per version.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// Whoever records belong to, and a password that has to be escaped.
const OWNER: &str = "promoter";
pub(crate) const PASSWORD: &str = "hunter2/?#@";
/// The same in an address.
const ESCAPED: &str = "hunter2%2F%3F%23%40";
/// Waits for a line, which stops the server, or for the end of the process that
/// would write one: then the folder goes, too.
const BESIDE: &str = r#"
folder=$1; shift
"$@" &
server=$!
exec 2>&-
read -r line
kill -QUIT "$server"
wait "$server"
[ -n "$line" ] || rm -rf "$folder"
"#;
/// A little server that does not wait for disks.
const SETTINGS: [&str; 6] = [
    "shared_buffers=16MB",
    "fsync=off",
    "max_connections=60",
    "autovacuum=off",
    "lc_messages=C",
    "log_checkpoints=off",
];

/// The server that tests share.
static SHARED: LazyLock<Server> = LazyLock::new(Server::start);
static DATABASES: AtomicU32 = AtomicU32::new(1);

/// A server.
pub(crate) struct Server {
    folder: PathBuf,
    address: Ipv4Addr,
    settings: Vec<String>,
    beside: Option<(Child, ChildStdin)>,
}

/// A database of one test.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) name: String,
    address: Ipv4Addr,
    socket: PathBuf,
}

/// An empty one of the shared server.
pub(crate) async fn database() -> Database {
    SHARED.database().await
}

impl Server {
    /// One that a test may stop.
    pub(crate) fn start() -> Self {
        let mut server = Self::init();
        server.run();
        server
    }

    /// One that has yet to run.
    pub(crate) fn init() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        own(&folder);
        let password = folder.join("password");
        fs::write(&password, PASSWORD).unwrap();
        own(&password);
        let mut init = as_user(program("initdb"));
        init.args([
            "--no-sync",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
        ]);
        init.args([
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--wal-segsize=1",
        ]);
        init.arg(format!("--pwfile={}", password.display()));
        let done = init.arg(folder.join("data")).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        // Addresses of this machine are many: no port has to be found.
        let [a, b, c, ..] = RandomState::new().hash_one(&folder).to_be_bytes();
        Self {
            folder,
            address: Ipv4Addr::new(127, a, b, c.clamp(1, 254)),
            settings: Vec::new(),
            beside: None,
        }
    }

    /// Sets something before it runs.
    pub(crate) fn set(&mut self, name: &str, value: impl Display) {
        self.settings.push(format!("{name}={value}"));
    }

    /// Where files for it can be.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Lets it run, until it takes connections.
    pub(crate) fn run(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", BESIDE, "beside"]).arg(&self.folder);
        let server = as_user(program("postgres"));
        command.arg(server.get_program()).args(server.get_args());
        command.arg("-D").arg(self.folder.join("data"));
        let own = [
            format!("listen_addresses={}", self.address),
            format!("unix_socket_directories={}", self.folder.display()),
        ];
        let settings = SETTINGS.iter().map(|&set| set.to_owned());
        for setting in settings.chain(own).chain(self.settings.clone()) {
            command.arg("-c").arg(setting);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // What is typed at a terminal is not for it.
        let mut beside = command.process_group(0).spawn().unwrap();
        let mut lines = BufReader::new(beside.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let is_ready = lines.by_ref().map_while(Result::ok).any(|line| {
            let is_ready = line.ends_with("database system is ready to accept connections");
            said.push(line);
            is_ready
        });
        assert!(is_ready, "Postgres did not start:\n{}", said.join("\n"));
        // It would wait for its log to be read.
        thread::spawn(move || lines.for_each(drop));
        let stdin = beside.stdin.take().unwrap();
        self.beside = Some((beside, stdin));
    }

    /// Stops it at once, as if its machine had failed.
    pub(crate) fn crash(&mut self) {
        let (mut beside, mut stdin) = self.beside.take().unwrap();
        writeln!(stdin, "stop").unwrap();
        beside.wait().unwrap();
    }

    /// The process that takes connections.
    pub(crate) fn pid(&self) -> String {
        let file = self.folder.join("data/postmaster.pid");
        let text = fs::read_to_string(file).unwrap();
        text.lines().next().unwrap().to_owned()
    }

    /// An empty database. Its texts are sorted as in most clouds, not by their bytes.
    pub(crate) async fn database(&self) -> Database {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let database = Database {
            name: format!("test{number}"),
            address: self.address,
            socket: self.folder.clone(),
        };
        let mut admin = admin(&self.folder, "postgres").await;
        let role = format!("CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'");
        let role = format!(
            "DO $$ BEGIN {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        run(&mut admin, &role).await;
        let name = &database.name;
        let create = format!(
            "CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0 \
             LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        );
        run(&mut admin, &create).await;
        database
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match self.beside.take() {
            Some((mut beside, stdin)) => {
                drop(stdin);
                let _ = beside.wait();
            }
            None => drop(fs::remove_dir_all(&self.folder)),
        }
    }
}

impl Database {
    /// Where its server is.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// As promoter is told it.
    pub(crate) fn url(&self) -> String {
        self.url_by(&self.address.to_string(), 5432, "sslmode=disable")
    }

    /// The same by another way.
    pub(crate) fn url_by(&self, host: &str, port: u16, query: &str) -> String {
        let name = &self.name;
        format!("postgres://{OWNER}:{ESCAPED}@{host}:{port}/{name}?{query}")
    }

    /// A connection of whoever runs the server.
    pub(crate) async fn admin(&self) -> PgConnection {
        admin(&self.socket, &self.name).await
    }

    /// Lets whoever runs the server do something.
    pub(crate) async fn run(&self, sql: &str) {
        run(&mut self.admin().await, sql).await;
    }
}

async fn admin(socket: &Path, database: &str) -> PgConnection {
    let options = PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .port(5432);
    let options = options.username("postgres").database(database);
    options.connect().await.unwrap()
}

async fn run(admin: &mut PgConnection, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(admin).await.unwrap();
}

/// A program of the newest version there is.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir(PROGRAMS).into_iter().flatten().flatten();
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let folders = versions.map(|version| version.path());
    let newest = folders
        .filter(|folder| folder.join("bin").join(name).is_file())
        .max_by_key(version);
    let newest = newest.unwrap_or_else(|| {
        panic!("Postgres is not installed: `cargo xtask test` installs it, as `apt-get install postgresql` does")
    });
    newest.join("bin").join(name)
}

/// A program, run by who runs the server: Postgres refuses to be run by root.
pub(crate) fn as_user(program: impl AsRef<OsStr>) -> Command {
    let Some((user, group)) = user() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={group}")]);
    command.args(["--clear-groups", "--"]).arg(program);
    command
}

/// Gives a file to who runs the server.
pub(crate) fn own(path: &Path) {
    if let Some((user, group)) = user() {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

/// In root's place: the user that the package brings.
fn user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users
        .lines()
        .find_map(|line| line.strip_prefix("postgres:x:"));
    let line = line.expect("the package of Postgres makes a user of that name");
    let mut numbers = line.split(':').map(|number| number.parse().unwrap());
    numbers.next().zip(numbers.next())
}
