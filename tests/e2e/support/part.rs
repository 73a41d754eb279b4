//! Single parts of the testbed that go away for a while. What is taken away
//! comes back at the end of the test at the latest.

use std::process::Command;

/// A part that is halted: connections stay open and nothing answers.
pub(crate) struct Paused(&'static str);

/// A part that does not run.
pub(crate) struct Stopped(&'static str);

impl Paused {
    /// Halts a part until this is dropped.
    pub(crate) fn new(part: &'static str) -> Self {
        testbed("pause", part).unwrap();
        Self(part)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        bring_back("resume", self.0);
    }
}

impl Stopped {
    /// Ends a part until this is dropped.
    pub(crate) fn new(part: &'static str) -> Self {
        let stopped = Self(part);
        testbed("stop", part).unwrap();
        stopped
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        bring_back("start", self.0);
    }
}

/// Ends a part and starts it again; returns once it is healthy.
#[track_caller]
pub(crate) fn restart(part: &str) {
    testbed("restart", part).unwrap();
}

fn bring_back(verb: &str, part: &str) {
    match testbed(verb, part) {
        // A second panic would hide the first.
        Err(error) if std::thread::panicking() => eprintln!("{error}"),
        done => drop(done.unwrap()),
    }
}

/// What `cargo xtask testbed` prints for a part, or why it failed.
pub(crate) fn testbed(verb: &str, part: &str) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.args(["xtask", "testbed", verb, part]).output();
    let output = output.map_err(|error| format!("failed to start cargo: {error}"))?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(&output.stderr);
    Err(format!("failed to {verb} {part}: {said}"))
}
