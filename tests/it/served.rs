//! `promoter serve` as a process: what it makes of signals and of those who ask it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// What never ends fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// A daemon that has nothing to promote.
struct Served {
    process: Child,
    log: Option<BufReader<ChildStderr>>,
    address: String,
    _folder: TempDir,
}

impl Served {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["groups", "environments"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_promoter"));
        command.env_clear().env("PROMOTER_RECORDS", "off");
        command.args(["serve", "--listen", "127.0.0.1:0", "-C"]);
        command.arg(folder.path()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let mut served = Self {
            process,
            log: Some(log),
            address: String::new(),
            _folder: folder,
        };
        let serving = served.logged("serving");
        let address = serving["fields"]["address"].as_str().unwrap();
        address.clone_into(&mut served.address);
        served
    }

    /// The next line of its log that says so.
    fn logged(&mut self, message: &str) -> Value {
        loop {
            let mut line = String::new();
            let log = self.log.as_mut().unwrap();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "{message}");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == message {
                return line;
            }
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end: its log ends with it.
    fn ended(mut self) -> ExitStatus {
        let mut log = self.log.take().unwrap();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || tell.send(io::copy(&mut log, &mut io::sink()).is_ok()));
        told.recv_timeout(PATIENCE).expect("it goes on");
        self.process.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn who_asks_and_does_not_go_on_keeps_nobody_from_ending() {
    let served = Served::start();
    let mut hanging = TcpStream::connect(&served.address).unwrap();
    hanging
        .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        .unwrap();
    let mut asking = TcpStream::connect(&served.address).unwrap();
    asking
        .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    asking.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    served.signal("-TERM");
    assert_eq!(served.ended().code(), Some(0));
}

#[test]
fn a_connection_does_not_live_for_ever() {
    let served = Served::start();
    let mut hanging = TcpStream::connect(&served.address).unwrap();
    hanging.set_read_timeout(Some(PATIENCE)).unwrap();
    hanging.write_all(b"GET /livez HTTP/1.1\r\n").unwrap();
    let mut answer = Vec::new();
    // However it is closed: what fails is that nobody closes it.
    let closed = hanging.read_to_end(&mut answer);
    let hangs = closed.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(!hangs, "it is still open");
}

/// One signal that comes with another is heard.
#[test]
fn told_to_read_anew_and_to_stop_it_stops() {
    for _ in 0..10 {
        let served = Served::start();
        served.signal("-HUP");
        served.signal("-TERM");
        assert_eq!(served.ended().code(), Some(0));
    }
}
