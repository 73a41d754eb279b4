//! Running the built `promoter` as a user does: arguments in, exit code and output out.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::wait::until_within;

/// How long a command may take before it counts as hung.
const PATIENCE: Duration = Duration::from_mins(3);

/// A command to run.
pub(crate) struct Promoter {
    command: Command,
    shown: String,
}

/// A command that is running. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    shown: String,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// A command that has ended. Shows itself with all its output.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The exit code; -1 if a signal ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    shown: String,
}

/// The library that gives a process a wall clock of its own (Debian's faketime).
pub(crate) fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.find(|library| library.exists());
    found.expect("libfaketime is installed: `cargo xtask testbed up` does that")
}

impl Promoter {
    /// A command in a folder, which need not have group files.
    pub(crate) fn new<S: Into<OsString>>(
        folder: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let words: Vec<_> = arguments
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        let shown = format!("promoter {}", words.join(" "));
        let mut command = Command::new(env!("CARGO_BIN_EXE_promoter"));
        command
            .arg("-C")
            .arg(folder)
            .args(&arguments)
            .current_dir(folder);
        command
            .env("PROMOTER_ACTOR", "tester")
            .env("PROMOTER_RECORDS", folder.join("records.db"))
            .env_remove("PROMOTER_DIR")
            .env_remove("PROMOTER_LOG");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { command, shown }
    }

    /// Who asks, instead of "tester".
    #[must_use]
    pub(crate) fn actor(mut self, name: &str) -> Self {
        self.command.env("PROMOTER_ACTOR", name);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Run {
        self.start().wait()
    }

    /// Starts it and goes on.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self
            .command
            .spawn()
            .expect("the built promoter can be started");
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = vec![
            read_along(child.stdout.take().unwrap(), Arc::clone(&stdout)),
            read_along(child.stderr.take().unwrap(), Arc::clone(&stderr)),
        ];
        Running {
            child,
            shown: self.shown,
            stdout,
            stderr,
            readers,
        }
    }
}

fn read_along(from: impl Read + Send + 'static, to: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = to.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    })
}

impl Running {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Run {
        let shown = self.shown.clone();
        let status = until_within(PATIENCE, &format!("`{shown}` to end"), || {
            self.child.try_wait().unwrap()
        });
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        self.so_far(status.code().unwrap_or(-1))
    }

    /// Waits for an event (of `-o json`) and gives it. Fails if the command ends without it.
    #[track_caller]
    pub(crate) fn event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let waited_for = format!("{what} in the events of `{}`", self.shown);
        until_within(PATIENCE, &waited_for, || {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() {
                self.readers
                    .drain(..)
                    .for_each(|reader| reader.join().unwrap());
            }
            let run = self.so_far(ended.and_then(|status| status.code()).unwrap_or(-1));
            let found = run.events().into_iter().find(|event| wanted(event));
            assert!(
                found.is_some() || ended.is_none(),
                "ended without {what}: {run}"
            );
            found
        })
    }

    /// Waits for a line of a daemon's log, and gives it.
    #[track_caller]
    pub(crate) fn logged(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let waited_for = format!("{what} in the log of `{}`", self.shown);
        until_within(PATIENCE, &waited_for, || {
            let ended = self.child.try_wait().unwrap();
            let run = self.so_far(-1);
            let lines = run.stderr.lines();
            let mut lines = lines.filter_map(|line| serde_json::from_str(line).ok());
            let found = lines.find(|line| wanted(line));
            assert!(
                found.is_some() || ended.is_none(),
                "ended without {what}: {run}"
            );
            found
        })
    }

    /// Waits until it has entered a phase, like `Checking`.
    #[track_caller]
    pub(crate) fn phase(&mut self, phase: &str) {
        self.event(&format!("phase {phase}"), |event| event["phase"] == phase);
    }

    /// Asks it to end, as Kubernetes does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Interrupts it, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        self.signal("-INT");
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&self) {
        self.signal("-KILL");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .arg(signal)
            .arg(self.pid().to_string())
            .status()
            .unwrap();
        assert!(
            sent.success(),
            "failed to send {signal} to `{}`",
            self.shown
        );
    }

    fn so_far(&self, code: i32) -> Run {
        Run {
            code,
            stdout: self.stdout.lock().unwrap().clone(),
            stderr: self.stderr.lock().unwrap().clone(),
            shown: self.shown.clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            if std::thread::panicking() {
                eprintln!("killed while running: {}", self.so_far(-1));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Run {
    /// Both streams.
    pub(crate) fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// What `-o json` wrote, line by line.
    pub(crate) fn events(&self) -> Vec<Value> {
        let lines = self.stdout.lines().filter(|line| line.starts_with('{'));
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The events of one name, like `check-ended`.
    pub(crate) fn events_named(&self, name: &str) -> Vec<Value> {
        self.events()
            .into_iter()
            .filter(|event| event["event"] == name)
            .collect()
    }

    /// The outcome in the last event, with which a promotion ended.
    #[track_caller]
    pub(crate) fn outcome(&self) -> Value {
        let last = self.events_named("finished").pop();
        last.unwrap_or_else(|| panic!("no promotion ended: {self}"))["outcome"].clone()
    }

    /// The reasons of that outcome, as text.
    #[track_caller]
    pub(crate) fn reasons(&self) -> String {
        let outcome = self.outcome();
        let reasons = outcome["reasons"].as_array().cloned().unwrap_or_default();
        let texts: Vec<_> = reasons
            .iter()
            .filter_map(|reason| reason["text"].as_str())
            .collect();
        texts.join("\n")
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "`{}` exited with {}", self.shown, self.code)?;
        writeln!(
            f,
            "--- stdout\n{}--- stderr\n{}---",
            self.stdout, self.stderr
        )
    }
}
