//! The image registry, as far as tasks need it: what is in it, and putting
//! images into it that were not built by a tool that can.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::http;

/// The types of manifest that the registry may answer with.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

/// For requests that carry an image.
const LONG: Duration = Duration::from_mins(2);

/// A manifest as the registry has it: the digest is of exactly these bytes.
pub(crate) struct Manifest {
    pub(crate) text: String,
    pub(crate) media_type: String,
    pub(crate) digest: String,
}

/// A registry at `host:port` that is spoken to in plain HTTP.
pub(crate) struct Registry {
    address: String,
}

impl Registry {
    pub(crate) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }

    /// The manifest of a tag or digest, if there is one.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Manifest>> {
        let url = self.url(repository, &format!("manifests/{reference}"));
        let mut response = http::client(LONG)
            .get(&url)
            .header("accept", MANIFESTS)
            .call()
            .with_context(|| format!("failed to reach {url}"))?;
        if response.status() == 404 {
            return Ok(None);
        }
        ensure!(
            response.status() == 200,
            "{url} answered {}",
            response.status()
        );
        let media_type = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .context("the registry named no type of manifest")?
            .to_owned();
        let text = response.body_mut().read_to_string()?;
        let digest = digest(text.as_bytes());
        Ok(Some(Manifest {
            text,
            media_type,
            digest,
        }))
    }

    /// All repositories, and all tags of each.
    pub(crate) fn tags(&self) -> Result<Vec<(String, String)>> {
        let list = |url: String, key: &str| -> Result<Vec<String>> {
            let answer = http::json(&url)?.unwrap_or_default();
            let names = answer[key].as_array().into_iter().flatten();
            Ok(names
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect())
        };
        let mut all = Vec::new();
        for repository in list(
            format!("http://{}/v2/_catalog?n=1000", self.address),
            "repositories",
        )? {
            for tag in list(self.url(&repository, "tags/list"), "tags")? {
                all.push((repository.clone(), tag));
            }
        }
        Ok(all)
    }

    /// Uploads a file, unless the repository has it.
    pub(crate) fn put_blob(&self, repository: &str, digest: &str, file: &Path) -> Result<()> {
        let url = self.url(repository, &format!("blobs/{digest}"));
        let present = http::client(LONG).head(&url).call();
        if present
            .with_context(|| format!("failed to reach {url}"))?
            .status()
            == 200
        {
            return Ok(());
        }
        let begun = http::client(LONG)
            .post(self.url(repository, "blobs/uploads/"))
            .send_empty()
            .context("failed to begin an upload")?;
        let location = begun
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok())
            .context("the registry named no place for an upload")?;
        let separator = if location.contains('?') { '&' } else { '?' };
        let content =
            File::open(file).with_context(|| format!("failed to open {}", file.display()))?;
        let length = content.metadata()?.len();
        let mut response = http::client(LONG)
            .put(format!("{location}{separator}digest={digest}"))
            .header("content-type", "application/octet-stream")
            .header("content-length", length.to_string())
            .send(content)
            .with_context(|| format!("failed to upload {}", file.display()))?;
        if response.status() != 201 {
            let said = response.body_mut().read_to_string()?;
            bail!(
                "the registry refused {}: {} {said}",
                file.display(),
                response.status()
            );
        }
        Ok(())
    }

    /// Tags a manifest whose blobs are in the repository.
    pub(crate) fn put_manifest(
        &self,
        repository: &str,
        tag: &str,
        media_type: &str,
        text: &str,
    ) -> Result<()> {
        let mut response = http::client(LONG)
            .put(self.url(repository, &format!("manifests/{tag}")))
            .header("content-type", media_type)
            .send(text)
            .with_context(|| format!("failed to tag {repository}:{tag}"))?;
        if response.status() != 201 {
            let said = response.body_mut().read_to_string()?;
            bail!(
                "the registry refused {repository}:{tag}: {} {said}",
                response.status()
            );
        }
        Ok(())
    }

    /// Tags an image, or an index with its images, in another repository too.
    pub(crate) fn copy(&self, from: &str, to: &str, digest: &str, tag: &str) -> Result<()> {
        let manifest = self.manifest(from, digest)?;
        let manifest = manifest.with_context(|| format!("there is no {from}@{digest}"))?;
        let content: Value = serde_json::from_str(&manifest.text)?;
        let digests = |value: &Value| -> Vec<String> {
            let listed = value.as_array().into_iter().flatten();
            let all = listed.chain([value]);
            all.filter_map(|one| Some(one["digest"].as_str()?.to_owned()))
                .collect()
        };
        for image in digests(&content["manifests"]) {
            self.copy(from, to, &image, &image)?;
        }
        for key in ["config", "layers"] {
            for blob in digests(&content[key]) {
                let place = format!("blobs/uploads/?mount={blob}&from={from}");
                let response = http::client(LONG)
                    .post(self.url(to, &place))
                    .send_empty()
                    .with_context(|| format!("failed to copy {from}@{blob}"))?;
                ensure!(
                    response.status() == 201,
                    "the registry does not copy {from}@{blob}: {}",
                    response.status()
                );
            }
        }
        self.put_manifest(to, tag, &manifest.media_type, &manifest.text)
    }

    fn url(&self, repository: &str, rest: &str) -> String {
        format!("http://{}/v2/{repository}/{rest}", self.address)
    }
}

/// The digest of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_names_its_algorithm() {
        assert_eq!(
            digest(b""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
