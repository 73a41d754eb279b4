//! The API server's audit log: who asked for what, and when it was answered.
//!
//! The log is written before an answer is sent, so whatever a program has seen
//! answered is in it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long nobody may ask for anything until it counts as quiet.
const QUIET: Duration = Duration::from_secs(2);
const QUIET_WITHIN: Duration = Duration::from_mins(2);

/// The log.
pub(crate) struct Audit {
    path: PathBuf,
}

/// A place in the log, which later ones come after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// The file, as the log is moved away when it is large.
    inode: u64,
    offset: u64,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Who asked.
    pub(crate) user: String,
    pub(crate) verb: String,
    /// The API group; empty for the core's.
    pub(crate) group: String,
    /// With what is asked for of it, as `pods/log`.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uri: String,
    pub(crate) code: u64,
    pub(crate) received: SystemTime,
    /// For a watch, when its answer began.
    pub(crate) answered: SystemTime,
}

impl Audit {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The beginning of all that is kept.
    pub(crate) fn start(&self) -> Result<Mark> {
        let files = self.files()?;
        let first = files.first().unwrap_or(&self.path);
        let inode = open(first)?.metadata()?.ino();
        Ok(Mark { inode, offset: 0 })
    }

    /// The end of the log.
    pub(crate) fn mark(&self) -> Result<Mark> {
        let metadata = open(&self.path)?.metadata()?;
        Ok(Mark {
            inode: metadata.ino(),
            offset: metadata.len(),
        })
    }

    /// What programs whose user agent begins so have asked since, in the order
    /// of the answers.
    pub(crate) fn since(&self, mark: Mark, agent: &str) -> Result<Vec<Request>> {
        let mut requests = Vec::new();
        let mut ids = BTreeSet::new();
        let wanted = format!("\"userAgent\":\"{agent}");
        for line in self.lines(mark)? {
            // Reading all that others have asked would disturb what is measured.
            if !line.contains(&wanted) {
                continue;
            }
            // The last line may be half written; it is read the next time.
            let Ok(event) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            let (id, request) = read(&event)?;
            // The end of a watch is told as well as its beginning.
            if ids.insert(id) {
                requests.push(request);
            }
        }
        Ok(requests)
    }

    /// Waits until nobody asks for anything in these namespaces any more.
    pub(crate) fn quiet(&self, namespaces: &[String]) -> Result<()> {
        let begun = Instant::now();
        loop {
            let mark = self.mark()?;
            std::thread::sleep(QUIET);
            let requests = self.since(mark, "")?;
            let busy = requests
                .iter()
                .find(|request| request.verb != "watch" && namespaces.contains(&request.namespace));
            let Some(request) = busy else { return Ok(()) };
            if begun.elapsed() > QUIET_WITHIN {
                bail!(
                    "the cluster does not come to rest after a race: still {} {} in {}",
                    request.verb,
                    request.resource,
                    request.namespace,
                );
            }
        }
    }

    fn lines(&self, mark: Mark) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for path in self.files()? {
            let file = open(&path)?;
            files.push((file.metadata()?.ino(), file));
        }
        // A file that is kept no more began before all others.
        let at = files.iter().position(|(inode, _)| *inode == mark.inode);
        let mut lines = Vec::new();
        for (inode, mut file) in files.into_iter().skip(at.unwrap_or(0)) {
            if inode == mark.inode {
                file.seek(SeekFrom::Start(mark.offset))?;
            }
            for line in BufReader::new(file).lines() {
                lines.push(line?);
            }
        }
        Ok(lines)
    }

    /// The files of the log, the oldest first: one that was moved away has its time in
    /// its name, as `audit-2026-11-30T19-33-55.480.log`.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.path.parent().unwrap_or(Path::new("/")))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&format!("{stem}-")) && name.ends_with(".log") {
                files.push(entry.path());
            }
        }
        files.sort();
        files.push(self.path.clone());
        Ok(files)
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("failed to open {}", path.display()))
}

fn read(event: &Value) -> Result<(String, Request)> {
    let text = |path: &str| {
        let found = event.pointer(path).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let time = |path: &str| {
        let written = text(path);
        humantime::parse_rfc3339(&written)
            .with_context(|| format!("the audit log has no time in {path}: {written:?}"))
    };
    let mut resource = text("/objectRef/resource");
    let part = text("/objectRef/subresource");
    if !part.is_empty() {
        resource = format!("{resource}/{part}");
    }
    let request = Request {
        user: text("/user/username"),
        verb: text("/verb"),
        group: text("/objectRef/apiGroup"),
        resource,
        namespace: text("/objectRef/namespace"),
        name: text("/objectRef/name"),
        uri: text("/requestURI"),
        code: event
            .pointer("/responseStatus/code")
            .and_then(Value::as_u64)
            .unwrap_or(0),
        received: time("/requestReceivedTimestamp")?,
        answered: time("/stageTimestamp")?,
    };
    Ok((text("/auditID"), request))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, agent: &str, second: u32) -> String {
        format!(
            "{{\"auditID\":\"{id}\",\"verb\":\"patch\",\"userAgent\":\"{agent}\",\
             \"objectRef\":{{\"resource\":\"services\",\"name\":\"a\"}},\
             \"responseStatus\":{{\"code\":200}},\
             \"requestReceivedTimestamp\":\"2026-11-21T12:30:0{second}.000250Z\",\
             \"stageTimestamp\":\"2026-11-21T12:30:0{second}.500250Z\"}}\n"
        )
    }

    #[test]
    fn requests_after_a_mark_are_told_once_and_by_agent() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.log");
        let write = |text: &str| std::fs::write(&path, text).expect("written");
        let before = event("0", "promoter/1", 0);
        write(&before);
        let audit = Audit::new(path.clone());
        let mark = audit.mark().expect("a mark");
        let after = [
            event("1", "promoter/1", 1),
            event("1", "promoter/1", 2),
            event("2", "kubectl", 3),
        ];
        write(&format!("{before}{}{{\"half", after.concat()));
        let found = audit.since(mark, "promoter/").expect("read");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].resource.as_str(), found[0].code),
            ("services", 200)
        );
        let took = found[0]
            .answered
            .duration_since(found[0].received)
            .expect("later");
        assert_eq!(took.as_millis(), 500);
    }

    #[test]
    fn a_log_that_was_moved_away_is_read_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.log");
        std::fs::write(&path, event("0", "promoter/1", 0)).expect("written");
        let audit = Audit::new(path.clone());
        let start = audit.start().expect("a mark");
        std::fs::rename(&path, folder.path().join("audit-1.log")).expect("moved");
        std::fs::write(&path, event("1", "promoter/1", 1)).expect("written");
        std::fs::rename(&path, folder.path().join("audit-2.log")).expect("moved");
        std::fs::write(&path, event("2", "promoter/1", 2)).expect("written");
        assert_eq!(audit.since(start, "promoter/").expect("read").len(), 3);
        let start = audit.start().expect("a mark");
        assert_eq!(audit.since(start, "promoter/").expect("read").len(), 3);
        let end = audit.mark().expect("a mark");
        assert_eq!(audit.since(end, "promoter/").expect("read").len(), 0);
    }
}
