//! A hash of a folder's content, which stands for the commit where nobody
//! names one: the same files give the same tag.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::registry::hex;

/// As many characters as a short commit hash has.
const LENGTH: usize = 7;

/// Hashes the names, modes and contents of all files.
pub(crate) fn hash(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    collect(folder, &mut files).with_context(|| format!("failed to read {}", folder.display()))?;
    files.sort();
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    for file in files {
        let name = file.strip_prefix(folder)?;
        add(name.as_os_str().as_encoded_bytes());
        if file.is_symlink() {
            add(fs::read_link(&file)?.as_os_str().as_encoded_bytes());
        } else {
            add(&fs::read(&file).with_context(|| format!("failed to read {}", file.display()))?);
        }
    }
    let mut text = hex(&hash.finalize());
    text.truncate(LENGTH);
    Ok(text)
}

/// All files below a folder. What the package manager put there is no content.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "node_modules" {
                collect(&entry.path(), files)?;
            }
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_contents_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let write =
            |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write("a", "bc");
        let first = hash(folder.path()).expect("hashed");
        assert_eq!(first.len(), LENGTH);
        write("a", "b");
        write("c", "");
        assert_ne!(hash(folder.path()).expect("hashed"), first);
        fs::remove_file(folder.path().join("c")).expect("removed");
        write("a", "bc");
        assert_eq!(hash(folder.path()).expect("hashed"), first);
    }
}
