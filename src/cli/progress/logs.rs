//! What checks write, each in a file of its own.
//!
//! A folder that cannot be written to is said once and fails nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::group::name::CheckName;
use crate::port::Recorder;
use crate::promotion::event::{Event, Fact};

/// Keeps what each check wrote as `<folder>/<check>.log`, all its runs in one
/// file.
pub struct Logs {
    folder: PathBuf,
    shown: Option<Arc<dyn Recorder>>,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    open: BTreeMap<CheckName, File>,
    /// Whether one could not be written; nothing more is tried then.
    broken: bool,
}

impl Logs {
    /// Keeps logs below a folder, which is made once a check writes.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            shown: None,
            files: Mutex::default(),
        }
    }

    /// Lets the warning that nothing can be written be shown by whoever shows
    /// the promotion's other events, not on standard error beside it.
    #[must_use]
    pub fn warning_to(mut self, shown: Arc<dyn Recorder>) -> Self {
        self.shown = Some(shown);
        self
    }

    fn keep(&self, fact: &Fact) -> io::Result<()> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.broken {
            return Ok(());
        }
        let written = match fact {
            Fact::CheckStarted { check, attempt }
                if *attempt > 1 || files.open.contains_key(check) =>
            {
                self.write(&mut files, check, &format!("--- run {attempt} ---"))
            }
            Fact::CheckOutput { check, line, .. } => self.write(&mut files, check, line),
            _ => Ok(()),
        };
        files.broken = written.is_err();
        written
    }

    fn write(&self, files: &mut Files, check: &CheckName, line: &str) -> io::Result<()> {
        if !files.open.contains_key(check) {
            fs::create_dir_all(&self.folder)?;
            let file = File::create(self.folder.join(format!("{check}.log")))?;
            files.open.insert(check.clone(), file);
        }
        match files.open.get_mut(check) {
            Some(file) => file.write_all(format!("{line}\n").as_bytes()),
            None => Ok(()),
        }
    }
}

impl Recorder for Logs {
    fn record(&self, event: Event) {
        let Err(error) = self.keep(&event.fact) else {
            return;
        };
        let folder = self.folder.display();
        let message = format!("the checks' logs are not kept in {folder}: {error}");
        match &self.shown {
            Some(shown) => shown.record(Event {
                fact: Fact::Warning { message },
                ..event
            }),
            None => drop(writeln!(anstream::stderr(), "warning: {message}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::progress::sample::{output, runs};

    #[derive(Default)]
    struct Seen(Mutex<Vec<Fact>>);

    impl Recorder for Seen {
        fn record(&self, event: Event) {
            self.0.lock().unwrap().push(event.fact);
        }
    }

    #[test]
    fn each_check_has_a_file_with_all_its_runs() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("logs/today");
        let logs = Logs::new(below.clone());
        logs.record(runs(0, "greets", 1));
        assert!(!below.exists(), "made before anything was written");
        for event in [
            output(1, "greets", "one"),
            output(1, "smoke", "other"),
            runs(2, "greets", 2),
            output(3, "greets", "two"),
        ] {
            logs.record(event);
        }
        let read = |name: &str| fs::read_to_string(below.join(name)).unwrap();
        assert_eq!(read("greets.log"), "one\n--- run 2 ---\ntwo\n");
        assert_eq!(read("smoke.log"), "other\n");
    }

    #[test]
    fn what_cannot_be_written_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "in the way").unwrap();
        let seen = Arc::new(Seen::default());
        let logs = Logs::new(file).warning_to(seen.clone());
        logs.record(output(1, "greets", "one"));
        logs.record(output(2, "greets", "two"));
        let seen = seen.0.lock().unwrap();
        assert!(
            matches!(seen.as_slice(), [Fact::Warning { message }] if message.contains("not kept in")),
            "{seen:?}"
        );
    }
}
