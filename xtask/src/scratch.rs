//! A folder for files that programs are given, gone when the task ends.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new one, which says what it is for.
    pub(crate) fn new(purpose: &str) -> Result<Self> {
        let name = format!("promoter-{purpose}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)
            .with_context(|| format!("failed to create {}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, whose name may begin with folders.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.0.join(name);
        let folder = path.parent().unwrap_or(&self.0);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, content))
            .with_context(|| format!("failed to write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays of it harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
