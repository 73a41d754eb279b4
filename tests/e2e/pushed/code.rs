//! A checkout of an example app with CI's script in it, and what ECR and its registry have of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Testbed, ecr, repository};

/// The checkout. Its repository in ECR is the test's own.
pub(super) struct Code {
    pub(super) folder: PathBuf,
    /// As the tests' support calls its repository.
    name: String,
}

impl Code {
    /// Checks an app out below a folder, and makes its repository as Terraform does. `test` tells it
    /// from those of other tests.
    pub(super) fn check_out(app: &str, test: &str, into: &Path) -> Self {
        let code = Self {
            folder: into.join(app),
            name: format!("{test}/{app}"),
        };
        let mutability = ["--image-tag-mutability", "IMMUTABLE_WITH_EXCLUSION"];
        let but = [
            "--image-tag-mutability-exclusion-filters",
            "filterType=WILDCARD,filter=branch.*",
        ];
        ecr("create-repository", &code.name, &[mutability, but].concat());
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        fs::create_dir(&code.folder).unwrap();
        for file in fs::read_dir(examples.join(app)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), code.folder.join(file.file_name())).unwrap();
        }
        let script = examples.join("ci/push-image");
        fs::copy(script, code.folder.join("push-image")).unwrap();
        code
    }

    /// In ECR.
    pub(super) fn repository(&self) -> String {
        repository(&self.name)
    }

    /// Where it is at home, without the host.
    pub(super) fn home(&self) -> String {
        format!("acme/{}", self.name)
    }

    /// Changes some text of a file everywhere.
    pub(super) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// All that ECR says of its images.
    pub(super) fn images(&self) -> Value {
        let found: Value = serde_json::from_str(&ecr("describe-images", &self.name, &[])).unwrap();
        found["imageDetails"].clone()
    }

    /// All tags that ECR has, with their digests.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let images = self.images();
        let images = images.as_array().unwrap().iter();
        let of_image = |image: &Value| {
            let tags = image["imageTags"].as_array().cloned().unwrap_or_default();
            let digest = text(&image["imageDigest"]);
            let tags = tags.iter().map(|tag| (text(tag), digest.clone()));
            tags.collect::<Vec<_>>()
        };
        images.flat_map(of_image).collect()
    }

    /// All tags that the registry has, whatever ECR says.
    pub(super) fn tags_of_registry(&self) -> String {
        self.fetch("tags/list", &[])
    }

    /// The digest that the registry has for a tag.
    pub(super) fn digest(&self, tag: &str) -> String {
        let headers = self.fetch(&format!("manifests/{tag}"), &["--head"]);
        let mut headers = headers.lines().filter_map(|line| line.split_once(": "));
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("docker-content-digest"));
        found.unwrap().1.trim().to_owned()
    }

    /// How the image of a tag is run, and what it was made by.
    pub(super) fn configuration(&self, tag: &str) -> Value {
        let read = |path: &str| -> Value { serde_json::from_str(&self.fetch(path, &[])).unwrap() };
        let manifest = read(&format!("manifests/{tag}"));
        let digest = manifest["config"]["digest"].as_str().unwrap();
        read(&format!("blobs/{digest}"))
    }

    /// What the registry answers, without anything between.
    fn fetch(&self, path: &str, options: &[&str]) -> String {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*"]);
        let accept = "Accept: application/vnd.oci.image.manifest.v1+json";
        curl.args(["--header", accept]);
        let registry = &Testbed::get().registry;
        let url = format!("http://{registry}/v2/{}/{path}", self.repository());
        let output = curl.args(options).arg(&url).output().unwrap();
        assert!(output.status.success(), "failed to get {url}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
