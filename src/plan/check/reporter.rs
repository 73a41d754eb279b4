//! The container that hands out the report a check writes to files.
//!
//! A container's files are gone once it has ended, and nobody but promoter's own
//! reading of logs has a right to the pod. So the folder of the report is a volume,
//! and a sidecar of the check's own image waits beside it. The kubelet tells a
//! sidecar to stop once the check has ended; then it writes the files to its output,
//! each between two lines that no XML can hold. What it wrote is read by
//! [`promotion::junit`](crate::promotion::junit).

use serde_json::{Map, Value, json};

use crate::group::report::ReportFile;
use crate::plan::object::{Object, entry};

/// The sidecar, and the volume it shares with the check.
pub const REPORTER: &str = "report";
/// Begins the lines that the sidecar writes itself; XML may hold no such character.
pub const RECORD: char = '\u{1}';
/// What follows on it: this is the first line of all; a node that drops the beginning
/// of a long log drops it.
pub const BEGIN: &str = "begin";
/// A file begins; its path.
pub const FILE: &str = "file ";
/// It has ended; what `cat` exited with.
pub const DONE: &str = "done ";
/// What has such a name, and is no file; its path.
pub const OTHER: &str = "other ";
/// That was all; how many files and others there were.
pub const END: &str = "end ";

/// What a folder may hold until the kubelet evicts the pod: reports, and what test
/// runners write beside them.
const ROOM: &str = "64Mi";

/// Puts the sidecar beside the check's container.
pub(super) fn add(job: &mut Object, file: &ReportFile) {
    let volume = json!({ "name": REPORTER, "emptyDir": { "sizeLimit": ROOM } });
    let mount = json!([{ "name": REPORTER, "mountPath": file.folder() }]);
    let spec = entry(&mut job.0, &["spec", "template", "spec"]);
    let containers = spec.get_mut("containers").and_then(Value::as_array_mut);
    let mut sidecars = Vec::new();
    for container in containers.into_iter().flatten() {
        container["volumeMounts"] = mount.clone();
        sidecars.extend(container.as_object().map(|check| sidecar(check, file)));
    }
    spec.insert("initContainers".into(), sidecars.into());
    spec.insert("volumes".into(), json!([volume]));
}

/// The check's container, as it is but for what it runs: so it may do no more, and
/// may read what the check wrote.
fn sidecar(check: &Map<String, Value>, file: &ReportFile) -> Value {
    let mut sidecar = check.clone();
    for other in ["args", "env", "envFrom"] {
        sidecar.remove(other);
    }
    sidecar.insert("name".into(), REPORTER.into());
    // Kubernetes 1.29: it starts before the check, and is stopped after it.
    sidecar.insert("restartPolicy".into(), "Always".into());
    sidecar.insert("command".into(), json!(["sh", "-c", script(file)]));
    let resources = json!({
        "requests": { "cpu": "10m", "memory": "16Mi" },
        // It has 30 s, and starts a process for each file.
        "limits": { "cpu": "500m", "memory": "64Mi" },
    });
    sidecar.insert("resources".into(), resources);
    sidecar.into()
}

/// An image may name another signal than TERM to be stopped with. Without `sleep`
/// the loop ends, rather than go round for ever. Only files are opened, as a pipe
/// would never end.
fn script(file: &ReportFile) -> String {
    let path = file.as_str();
    format!(
        r#"write() {{
  n=0
  printf '\001{BEGIN}\n'
  for f in {path}; do
    if [ -f "$f" ]; then
      printf '\001{FILE}%s\n' "$f"
      cat "$f" 2>/dev/null
      printf '\n\001{DONE}%s\n' "$?"
    elif [ -e "$f" ] || [ -L "$f" ]; then
      printf '\001{OTHER}%s\n' "$f"
    else
      continue
    fi
    n=$((n + 1))
  done
  printf '\001{END}%s\n' "$n"
  exit 0
}}
trap write HUP INT QUIT TERM USR1 USR2
while sleep 3600 & wait $!; do :; done
"#
    )
}
