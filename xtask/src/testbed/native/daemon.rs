//! Processes that stay when the task that started them has ended.
//!
//! They are found again by a mark in their environment, which their children
//! inherit: no record of process ids can be stale, and a stranger's process is
//! never taken for one of ours.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::layout::Layout;

/// The variable of the mark; its value is the state folder.
const MARK: &str = "PROMOTER_TESTBED_STATE";
const NAME: &str = "PROMOTER_TESTBED_COMPONENT";

/// Closes what the caller had open, such as a lock that would then be held for
/// as long as the daemon runs, makes a session, takes its share of the processors
/// and becomes the program. A kernel that does not group processes by session has
/// no such file.
const STARTER: [&str; 3] = [
    "sh",
    "-c",
    "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec setsid sh -c '\
       [ ! -w /proc/self/autogroup ] || echo \"$0\" >/proc/self/autogroup; exec \"$@\"\
     ' \"$0\" \"$@\"",
];

/// The parts of the cluster talk to each other alone.
const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

/// The programs that a process is before.
const STARTERS: [&str; 2] = [STARTER[0], "setsid"];
/// Longer than one takes to become the next.
const BECOMES_WITHIN: Duration = Duration::from_millis(100);

/// How long a killed process may take to vanish.
const VANISHES_WITHIN: Timespec = seconds(10);
/// How long one that was asked to end may take before it is killed. The API
/// server would let watches go on for a minute, which nobody wants to wait for.
const GRACE: Timespec = seconds(5);

const fn seconds(seconds: i64) -> Timespec {
    Timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    }
}

/// A daemon: what to run under which name.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) share: Share,
    pub(crate) state: PathBuf,
}

/// How much of the processors a daemon gets while others want them too.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Share {
    /// As much as any other.
    Equal,
    /// Nine times that.
    Large,
}

impl Share {
    /// As the kernel wants it: the lower, the more.
    fn nice(self) -> &'static str {
        match self {
            Self::Equal => "0",
            Self::Large => "-10",
        }
    }
}

impl Daemon {
    /// The process, if it runs.
    pub(crate) fn pid(&self) -> Option<Pid> {
        let command = self.command();
        let mut all = self.processes();
        all.find(|process| process.command == command)
            .map(|process| process.pid)
    }

    /// Whether there is neither the process nor one that has yet to become it.
    pub(crate) fn has_ended(&self) -> bool {
        let command = self.command();
        let is_there = || {
            self.processes().any(|process| {
                process.command == command || STARTERS.iter().any(|name| process.runs(name))
            })
        };
        // One that becomes the program has, for a moment, neither an environment
        // nor a command line.
        !is_there() && {
            thread::sleep(BECOMES_WITHIN);
            !is_there()
        }
    }

    /// Kills a process that runs with other arguments than it should, or whose
    /// files have changed since it read them.
    pub(crate) fn stop_outdated(&self, changed: &[PathBuf]) -> Result<()> {
        let command = self.command();
        let changed = changed.iter().any(|path| {
            let path = path.display().to_string();
            command.iter().any(|word| word.ends_with(&path))
        });
        let program = self.program.file_name().unwrap_or_default();
        let outdated: Vec<_> = self
            .processes()
            // Others with the mark are its children.
            .filter(|process| process.runs(program) && (changed || process.command != command))
            .map(|process| process.pid)
            .collect();
        kill(&outdated, |pid| Process::marked(&self.state, pid).is_some())
    }

    /// Sends a signal to the process, if it runs.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let Some((pid, handle)) = self.handle() else {
            return Ok(());
        };
        pidfd_send_signal(&handle, signal)
            .with_context(|| format!("failed to signal {} ({})", self.name, pid.as_raw_nonzero()))
    }

    /// Asks the process to end, if it runs, and kills it if it takes too long,
    /// as kubelet does with pods. Once this returns it is gone.
    pub(crate) fn end(&self) -> Result<()> {
        let Some((pid, handle)) = self.handle() else {
            return Ok(());
        };
        self.signal(Signal::TERM)?;
        if ends(&handle, &GRACE)? {
            return Ok(());
        }
        kill(&[pid], |pid| Process::marked(&self.state, pid).is_some())
    }

    /// Lets the process go on if somebody halted it.
    pub(crate) fn resume_if_paused(&self) -> Result<()> {
        match self.pid() {
            Some(pid) if is_paused(pid) => self.signal(Signal::CONT),
            _ => Ok(()),
        }
    }

    /// The process, held so that its id cannot become another's.
    fn handle(&self) -> Option<(Pid, OwnedFd)> {
        let pid = self.pid()?;
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        (self.pid() == Some(pid)).then_some((pid, handle))
    }

    fn command(&self) -> Vec<String> {
        let program = self.program.display().to_string();
        std::iter::once(program)
            .chain(self.arguments.iter().cloned())
            .collect()
    }

    fn processes(&self) -> impl Iterator<Item = Process> {
        let all = marked(&self.state).into_iter();
        all.filter(|process| process.component == self.name)
    }

    /// Starts the process in a session of its own, so that neither the end of
    /// this task nor that of its terminal reaches it.
    pub(crate) fn start(&self, layout: &Layout) -> Result<()> {
        layout.folder("logs")?;
        let path = layout.log(self.name);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("failed to open {}", path.display()))?;
        let mut command = Command::new(STARTER[0]);
        command.args(&STARTER[1..]);
        for name in PROXIES {
            command.env_remove(name);
        }
        command
            .arg(self.share.nice())
            .arg(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .env(MARK, &self.state)
            .env(NAME, self.name)
            .current_dir(&self.state)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("failed to start {}", self.name))?;
        Ok(())
    }
}

/// A process that bears the mark.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) component: String,
    pub(crate) command: Vec<String>,
}

impl Process {
    /// A process, if it is there and bears the mark of a state folder.
    pub(crate) fn marked(state: &Path, pid: Pid) -> Option<Self> {
        // It may end at any moment, and then its files are not there.
        let variables = texts(pid, "environ")?;
        let value = |name: &str| {
            let mut values = variables.iter().filter_map(|text| text.split_once('='));
            values
                .find(|(variable, _)| *variable == name)
                .map(|(_, value)| value)
        };
        (value(MARK)? == state.to_str()?).then_some(())?;
        Some(Self {
            pid,
            component: value(NAME)?.to_owned(),
            command: texts(pid, "cmdline")?,
        })
    }

    /// Whether it runs a program of that name.
    fn runs(&self, name: impl AsRef<OsStr>) -> bool {
        let program = self
            .command
            .first()
            .map(Path::new)
            .and_then(Path::file_name);
        program == Some(name.as_ref())
    }
}

/// All processes that bear the mark of a state folder.
pub(crate) fn marked(state: &Path) -> Vec<Process> {
    pids()
        .filter_map(|pid| Process::marked(state, pid))
        .collect()
}

/// Kills processes and waits until they are gone. `still` says once more
/// whether a process is the one that was meant, since its id may have been
/// given to another in the meantime.
pub(crate) fn kill(pids: &[Pid], still: impl Fn(Pid) -> bool) -> Result<()> {
    let mut handles = Vec::new();
    for pid in pids {
        let Ok(handle) = pidfd_open(*pid, PidfdFlags::empty()) else {
            continue;
        };
        if still(*pid) && pidfd_send_signal(&handle, Signal::KILL).is_ok() {
            handles.push((*pid, handle));
        }
    }
    for (pid, handle) in &handles {
        if !ends(handle, &VANISHES_WITHIN)? {
            bail!(
                "process {} does not end though it was killed",
                pid.as_raw_nonzero()
            );
        }
    }
    Ok(())
}

/// Waits for the end of a process; says whether it came in time.
fn ends(handle: &OwnedFd, within: &Timespec) -> Result<bool> {
    let mut wanted = [PollFd::new(handle, PollFlags::IN)];
    Ok(poll(&mut wanted, Some(within))? != 0)
}

/// Whether a process is halted: the state follows its name, which may contain anything.
fn is_paused(pid: Pid) -> bool {
    let stat = fs::read_to_string(folder(pid).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('T'))
}

/// How long ago a process started, by the age of its folder.
pub(crate) fn age(pid: Pid) -> Option<Duration> {
    fs::metadata(folder(pid))
        .ok()?
        .modified()
        .ok()?
        .elapsed()
        .ok()
}

fn pids() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

fn folder(pid: Pid) -> PathBuf {
    PathBuf::from("/proc").join(pid.as_raw_nonzero().to_string())
}

/// The texts of a file in which each ends with a zero byte.
fn texts(pid: Pid, file: &str) -> Option<Vec<String>> {
    let bytes = fs::read(folder(pid).join(file)).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.split_terminator('\0').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_found_and_killed_by_its_mark_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::at(folder.path());
        let daemon = |seconds: &str| sleeper(folder.path(), seconds);
        daemon("1000").start(&layout).expect("started");
        super::super::wait::until(
            "the daemon",
            Duration::from_secs(5),
            || {
                assert!(!daemon("1000").has_ended(), "it is about to run");
                Ok(daemon("1000").pid().is_some())
            },
            String::new,
        )
        .expect("found");
        assert!(
            daemon("1001").pid().is_none(),
            "another command line is another daemon"
        );
        let all: Vec<_> = marked(folder.path())
            .iter()
            .map(|process| process.pid)
            .collect();
        kill(&all, |_| false).expect("nothing to do");
        assert!(
            daemon("1000").pid().is_some(),
            "a process that is not meant stays"
        );
        kill(&all, |_| true).expect("killed");
        assert!(daemon("1000").pid().is_none());
    }

    #[test]
    fn a_daemon_is_paused_resumed_and_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let daemon = sleeper(folder.path(), "1002");
        daemon.start(&Layout::at(folder.path())).expect("started");
        let paused = || daemon.pid().map(is_paused);
        let until = |wanted| {
            let so = || Ok(paused() == wanted);
            super::super::wait::until("it to be so", Duration::from_secs(5), so, String::new)
        };
        until(Some(false)).expect("running");
        daemon.signal(Signal::STOP).expect("paused");
        until(Some(true)).expect("paused");
        daemon.resume_if_paused().expect("resumed");
        until(Some(false)).expect("running again");
        daemon.end().expect("ended");
        assert!(daemon.pid().is_none() && daemon.has_ended());
        daemon.end().expect("nothing to do");
    }

    fn sleeper(state: &Path, seconds: &str) -> Daemon {
        Daemon {
            name: "sleeper",
            program: "/bin/sleep".into(),
            arguments: vec![seconds.to_owned()],
            environment: Vec::new(),
            share: Share::Equal,
            state: state.to_owned(),
        }
    }
}
