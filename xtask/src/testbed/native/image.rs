//! Images that are made from files of this machine, without a container tool.
//!
//! An image is one uncompressed layer: on one machine, compressing costs more
//! than it saves, and an unchanged layer keeps its digest wherever it is pushed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::registry::{Registry, digest, hex};
use crate::run;

const LAYER: &str = "layer.tar";
const CONFIG: &str = "config.json";
const MANIFEST: &str = "manifest.json";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Writes an image of the files under `root` into a folder.
pub(crate) fn write(folder: &Path, root: &Path, run_as: &Value) -> Result<()> {
    let layer = folder.join(LAYER);
    let mut tar = Command::new("tar");
    tar.args([
        "--create",
        "--sort=name",
        "--mtime=@0",
        "--numeric-owner",
        "--format=gnu",
    ])
    .arg("--file")
    .arg(&layer)
    .arg("--directory")
    .arg(root)
    .arg(".");
    run::output(&mut tar)?;
    let (layer_digest, layer_size) = file_digest(&layer)?;
    let config = json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": architecture(),
        "os": "linux",
        "config": run_as,
        "rootfs": { "type": "layers", "diff_ids": [layer_digest] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "promoter testbed" }],
    })
    .to_string();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(config.as_bytes()),
            "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": layer_digest,
            "size": layer_size,
        }],
    });
    std::fs::write(folder.join(CONFIG), config)?;
    std::fs::write(folder.join(MANIFEST), manifest.to_string())?;
    Ok(())
}

/// Puts an image that was written before into the registry, unless it is there.
pub(crate) fn publish(
    registry: &Registry,
    folder: &Path,
    repository: &str,
    tag: &str,
) -> Result<()> {
    let path = folder.join(MANIFEST);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    if let Some(present) = registry.manifest(repository, tag)?
        && present.text == text
    {
        return Ok(());
    }
    let manifest: Value = serde_json::from_str(&text)?;
    for (part, file) in [
        (&manifest["layers"][0], LAYER),
        (&manifest["config"], CONFIG),
    ] {
        let digest = part["digest"]
            .as_str()
            .context("the manifest names no digest")?;
        registry.put_blob(repository, digest, &folder.join(file))?;
    }
    registry.put_manifest(repository, tag, MANIFEST_TYPE, &text)
}

fn file_digest(path: &Path) -> Result<(String, u64)> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let count = std::io::Read::read(&mut file, &mut buffer)?;
        if count == 0 {
            return Ok((format!("sha256:{}", hex(&hash.finalize())), size));
        }
        hash.update(&buffer[..count]);
        size += count as u64;
    }
}

/// This machine's architecture, as images name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_image() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root");
        std::fs::create_dir(&root).expect("root");
        std::fs::write(root.join("file"), "text").expect("file");
        let manifest = |name: &str| {
            let into = folder.path().join(name);
            std::fs::create_dir(&into).expect("into");
            write(&into, &root, &json!({ "Cmd": ["/file"] })).expect("written");
            std::fs::read_to_string(into.join(MANIFEST)).expect("a manifest")
        };
        assert_eq!(manifest("a"), manifest("b"));
    }
}
