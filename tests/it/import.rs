//! `promoter config import-terraform` as a user runs it, in a folder of its own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const FILE: &str = "environments/v2.toml";

/// What `terraform output -json` prints of the root, and of what else is in it.
fn outputs() -> Value {
    let promoter = json!({
        "version": 1,
        "environment": "v2",
        "namespace": "shop",
        "cluster": { "eks": "promoter", "region": "eu-west-1" },
        "registry": { "account": "123456789012", "region": "eu-west-1" },
        "repositories": ["hello-a", "hello-tests"],
        "budget_guard": "promoter-billing-100-usd",
        "billing_alarms": ["promoter-billing-10-usd", "promoter-billing-100-usd"],
        "metrics": true,
        "installation": null,
        "new": "in a later release",
    });
    json!({
        "password": { "sensitive": true, "type": "string", "value": "hunter2" },
        "promoter": { "sensitive": false, "type": ["object", {}], "value": promoter },
    })
}

struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self) -> PathBuf {
        self.path().join(FILE)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn promoter(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_promoter"))
            .env_clear()
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever reads a file does not wait for it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn import(&self, more: &[&str], input: &Value) -> (i32, String) {
        let words = [&["config", "import-terraform"], more].concat();
        said(&self.promoter(&words, &input.to_string()))
    }
}

/// Exit code and both streams; no secret is in them.
#[track_caller]
fn said(output: &Output) -> (i32, String) {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(both).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    (output.status.code().unwrap(), text)
}

const GROUP: &str = "[group]\nname = \"master\"\nenvironment = \"v2\"\nbranch = \"master\"\n\n\
    [[app]]\nname = \"hello-a\"\n\n[[app]]\nname = \"hello-b\"\n\n\
    [[check]]\nname = \"greets\"\nrepository = \"hello-tests\"\n";

const KEPT: &str = "# Ours.\n[environment]\nname = \"v2\"\nnamespace = \"v2\" # for now\n\
    cluster = { context = \"testbed\" }\n\n[values]\ntoken = \"hunter2\"\nport = 30080\n";

#[test]
fn a_new_environment_is_valid() {
    let folder = Folder::new(&[("groups/master.toml", GROUP)]);
    let (code, text) = folder.import(&["-"], &outputs());
    assert_eq!(code, 0, "{text}");
    insta::assert_snapshot!(text, @r#"
    + environments/v2.toml
      + # What Terraform made. `promoter config import-terraform` brings it up to date, and keeps what you add.
      + 
      + [environment]
      + name      = "v2"
      + namespace = "shop"
      + cluster   = { eks = "promoter", region = "eu-west-1" }
      + budget_guard = "promoter-billing-100-usd"
      + 
      + [registry]
      + account = "123456789012"
      + region  = "eu-west-1"
      + 
      + [cloudwatch]
      + billing_alarms = ["promoter-billing-10-usd", "promoter-billing-100-usd"]
      + metrics        = true

    note: group master uses a repository that Terraform does not know: `hello-b`; put what is missing into `apps` in terraform.tfvars, unless it is kept elsewhere
    written. Then:
      promoter doctor --environment v2   # whether all of it is there, and may be used
    "#);
    let (code, text) = said(&folder.promoter(&["validate"], ""));
    assert_eq!(code, 0, "{text}");
    let written = folder.text();
    // A file is as good, and so is the bare value; without `-`, too.
    let output = folder.path().join("output.json");
    fs::write(&output, outputs().to_string()).unwrap();
    let bare = outputs()["promoter"]["value"].clone();
    for (code, text) in [
        folder.import(&[output.to_str().unwrap()], &json!(null)),
        folder.import(&[], &bare),
    ] {
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("nothing to change"), "{text}");
        assert!(!text.contains("written"), "{text}");
    }
    assert_eq!(folder.text(), written);
}

#[test]
fn what_a_person_wrote_stays_and_is_not_shown_where_it_may_be_secret() {
    let folder = Folder::new(&[("groups/master.toml", GROUP), (FILE, KEPT)]);
    let (code, text) = folder.import(&["-", "--dry-run"], &outputs());
    assert_eq!(code, 0, "{text}");
    insta::assert_snapshot!(text, @r#"
    ~ environments/v2.toml
        # Ours.
        [environment]
        name = "v2"
      - namespace = "v2" # for now
      - cluster = { context = "testbed" }
      + namespace = "shop" # for now
      + cluster = { eks = "promoter", region = "eu-west-1" }
      + budget_guard = "promoter-billing-100-usd"
        
        [values]
        (not shown)
        (not shown)
      + 
      + [registry]
      + account = "123456789012"
      + region  = "eu-west-1"
      + 
      + [cloudwatch]
      + billing_alarms = ["promoter-billing-10-usd", "promoter-billing-100-usd"]
      + metrics        = true

    note: the cluster was the context `testbed` of the kubeconfig; from now on EKS tells where `promoter` is, and the AWS credentials log in
    note: group master uses a repository that Terraform does not know: `hello-b`; put what is missing into `apps` in terraform.tfvars, unless it is kept elsewhere
    nothing was written, as --dry-run says
    "#);
    assert_eq!(folder.text(), KEPT);
    let (code, text) = folder.import(&["-"], &outputs());
    assert_eq!(code, 0, "{text}");
    let written = folder.text();
    for kept in [
        "# Ours.\n",
        "namespace = \"shop\" # for now\n",
        "token = \"hunter2\"\nport = 30080\n",
    ] {
        assert!(written.contains(kept), "{kept}: {written}");
    }
    let (code, text) = folder.import(&["-"], &outputs());
    assert_eq!((code, folder.text()), (0, written));
    assert!(text.contains("nothing to change"), "{text}");
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_written() {
    let other = KEPT.replace("name = \"v2\"", "name = \"v3\"");
    let alone = |text: &str| Folder::new(&[("groups/master.toml", GROUP), (FILE, text)]);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut outputs = outputs();
        change(&mut outputs);
        outputs
    };
    let namespace = "/promoter/value/namespace";
    let wrong = changed(&|outputs| *outputs.pointer_mut(namespace).unwrap() = json!("No Name"));
    let sensitive = changed(&|outputs| outputs["promoter"]["sensitive"] = json!(true));
    let without = changed(&|outputs| {
        outputs.as_object_mut().unwrap().remove("promoter");
    });
    for (there, input, expected) in [
        (
            other.as_str(),
            outputs(),
            "is of environment `v3`, and Terraform's output is of `v2`",
        ),
        ("[environment\n", outputs(), "environments/v2.toml:1:13"),
        (KEPT, wrong, "environments/v2.toml:4:13: "),
        (KEPT, sensitive, "is marked as sensitive"),
        (
            KEPT,
            without,
            "no output `promoter`, only `password`: add it to the root module",
        ),
        (KEPT, json!({}), "run `terraform apply` first"),
        (
            KEPT,
            json!("hunter2"),
            "this is a single value, not Terraform's output",
        ),
    ] {
        let folder = alone(there);
        let (code, text) = folder.import(&["-"], &input);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(expected), "{expected}: {text}");
        assert_eq!(folder.text(), there);
        assert_eq!(
            fs::read_dir(folder.path().join("environments"))
                .unwrap()
                .count(),
            1
        );
    }
    // What only shows beside the others.
    let twin = "[environment]\nname = \"v1\"\nnamespace = \"shop\"\n\
                cluster = { eks = \"promoter\", region = \"eu-west-1\" }\n";
    let folder = Folder::new(&[("environments/v1.toml", twin)]);
    for (file, expected) in [
        (
            "-",
            "the environment `v1` has the same cluster and namespace",
        ),
        (
            "nowhere.json",
            "failed to read Terraform's output from nowhere.json: No such file",
        ),
    ] {
        let (code, text) = folder.import(&[file], &outputs());
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(expected), "{text}");
        assert!(!folder.file().exists());
    }
}
