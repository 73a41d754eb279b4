//! The sidecar that hands out reports: what its script does in a real shell is what
//! the reader takes apart.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use promoter::group::report::{Report, ReportFile};
use promoter::plan::check::reporter::REPORTER;
use promoter::plan::color::Color;
use promoter::plan::object::Object;
use promoter::promotion::check::Verdict;
use promoter::promotion::junit::JunitReport;
use serde_json::json;

use crate::support::given;

fn job(file: &ReportFile) -> Object {
    let mut group = given::hello();
    group.checks = vec![given::junit("greets")];
    group.checks[0].report = Report::Junit(file.clone());
    given::plan(&group, Color::Green).checks[0].job.clone()
}

/// The sidecar as the kubelet runs it: told to stop once it waits.
fn output(file: &ReportFile, path: Option<&Path>) -> String {
    let job = job(file);
    let command = job.at("/spec/template/spec/initContainers/0/command");
    let words = command.unwrap().as_array().unwrap().iter();
    let words: Vec<_> = words.map(|word| word.as_str().unwrap()).collect();
    let mut sidecar = Command::new("/bin/sh");
    if let Some(path) = path {
        sidecar.env("PATH", path);
    }
    let sidecar = sidecar.args(&words[1..]).stdout(Stdio::piped());
    let mut sidecar = sidecar.spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", sidecar.id());
    let waiting = loop {
        let children = fs::read_to_string(&children).unwrap();
        let first = children.split_whitespace().next().unwrap_or_default();
        // Until it is `sleep`, it is still the shell, to which a signal may be lost.
        let name = fs::read_to_string(format!("/proc/{first}/comm"));
        if name.is_ok_and(|name| name.trim_end() == "sleep") {
            break first.to_owned();
        }
        std::thread::yield_now();
    };
    kill(&sidecar.id().to_string());
    assert!(sidecar.wait().unwrap().success());
    // In a container it ends with its first process.
    kill(&waiting);
    let output = sidecar.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn kill(process: &str) {
    let killed = Command::new("kill").arg(process).status();
    assert!(killed.unwrap().success());
}

#[test]
fn files_are_handed_out() {
    let folder = tempfile::Builder::new().prefix("r").tempdir().unwrap();
    let folder = folder.path();
    let says = |name: &str, path: Option<&Path>| {
        let file = ReportFile::parse(&format!("{}/{name}", folder.display())).unwrap();
        let (_, reason) = JunitReport::read(&file, &output(&file, path)).judge();
        reason.replace(folder.to_str().unwrap(), "")
    };
    assert_eq!(says("a.xml", None), "no report: there is no /a.xml");
    assert_eq!(says("*.xml", None), "no report: no file matches /*.xml");
    // One without an end of line, one with what `printf` and `sh` would take apart.
    let one = "<testsuite>\n<testcase name='a'/>\n</testsuite>";
    let two = "<testsuite>\n<testcase name='%s \\n $(id) `id`'/>\n</testsuite>\n";
    fs::write(folder.join("a.xml"), one).unwrap();
    fs::write(folder.join("b.xml"), two).unwrap();
    fs::write(folder.join("notes.txt"), "no report").unwrap();
    assert_eq!(says("a.xml", None), "1 test case passed");
    assert_eq!(says("*.xml", None), "2 test cases passed");
    // An image with `sleep`, and without `cat`.
    let few = folder.join("few");
    fs::create_dir(&few).unwrap();
    symlink("/bin/sleep", few.join("sleep")).unwrap();
    assert_eq!(
        says("a.xml", Some(&few)),
        "no report: /a.xml cannot be read: the check's image has no `cat`"
    );
}

/// What has the name of a report, and cannot be read, may have been one that failed.
#[test]
fn what_is_no_file_is_told() {
    let folder = tempfile::Builder::new().prefix("r").tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.xml"), "<testsuite><testcase/></testsuite>").unwrap();
    let file = ReportFile::parse(&format!("{}/*.xml", folder.display())).unwrap();
    let other = folder.join("b.xml");
    let said = || {
        let (verdict, reason) = JunitReport::read(&file, &output(&file, None)).judge();
        format!("{verdict}: {reason}").replace(folder.to_str().unwrap(), "")
    };
    let untold = "errored: no report: /b.xml is a folder, a pipe or a broken link";
    fs::create_dir(&other).unwrap();
    assert_eq!(said(), untold);
    fs::remove_dir(&other).unwrap();
    symlink(folder.join("gone"), &other).unwrap();
    assert_eq!(said(), untold);
    fs::remove_file(&other).unwrap();
    let made = Command::new("mkfifo").arg(&other).status();
    assert!(made.unwrap().success());
    assert_eq!(said(), untold);
    fs::remove_file(&other).unwrap();
    symlink("a.xml", &other).unwrap();
    assert_eq!(said(), "passed: 2 test cases passed");
}

/// What is left of it once a node has dropped its beginning does not pass.
#[test]
fn a_part_of_what_is_handed_out() {
    let folder = tempfile::Builder::new().prefix("r").tempdir().unwrap();
    let folder = folder.path();
    for name in ["a.xml", "b.xml"] {
        fs::write(folder.join(name), "<testsuite><testcase/></testsuite>").unwrap();
    }
    let file = ReportFile::parse(&format!("{}/*.xml", folder.display())).unwrap();
    let output = output(&file, None);
    let verdict = |output: &str| JunitReport::read(&file, output).judge().0;
    assert_eq!(verdict(&output), Verdict::Passed);
    for (at, _) in output.match_indices('\n') {
        assert_eq!(verdict(&output[at + 1..]), Verdict::Failed, "from {at}");
    }
}

/// What the sidecar may do is what the check may do.
#[test]
fn the_sidecar_is_the_check_itself() {
    let file = ReportFile::parse("/app/reports/*.xml").unwrap();
    let job = job(&file);
    let pod = job.at("/spec/template/spec").unwrap();
    let (check, sidecar) = (&pod["containers"][0], &pod["initContainers"][0]);
    assert_eq!(sidecar["name"], REPORTER);
    assert_eq!(sidecar["restartPolicy"], "Always");
    assert_eq!(sidecar["image"], check["image"]);
    assert_eq!(sidecar.get("env"), None);
    let mounts = json!([{ "name": "report", "mountPath": "/app/reports" }]);
    assert_eq!(
        (&sidecar["volumeMounts"], &check["volumeMounts"]),
        (&mounts, &mounts)
    );
    insta::assert_json_snapshot!(sidecar["resources"], @r#"
    {
      "limits": {
        "cpu": "500m",
        "memory": "64Mi"
      },
      "requests": {
        "cpu": "10m",
        "memory": "16Mi"
      }
    }
    "#);
    insta::assert_json_snapshot!(pod["volumes"], @r#"
    [
      {
        "emptyDir": {
          "sizeLimit": "64Mi"
        },
        "name": "report"
      }
    ]
    "#);
    assert_eq!(pod["automountServiceAccountToken"], false);
}
