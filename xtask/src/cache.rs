//! Things that take long to make and are made once.
//!
//! An entry is a folder named by what it is and by a hash of what it is made
//! from, so that a new version is made anew. It appears by a rename when it is
//! complete: what a killed run left half done is never taken for an entry.
//! Whoever needs an entry that another run is making waits for it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::registry::hex;

/// A folder of such entries, outside the checkout.
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens `$PROMOTER_CACHE_DIR`, or the user's cache folder.
    pub(crate) fn open() -> Result<Self> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = variable("PROMOTER_CACHE_DIR")
            .map(PathBuf::from)
            .or_else(|| variable("XDG_CACHE_HOME").map(|home| Path::new(&home).join("promoter")))
            .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".cache/promoter")))
            .context("neither PROMOTER_CACHE_DIR nor HOME is set: set one of them")?;
        Self::at(std::path::absolute(folder)?)
    }

    fn at(folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("failed to create {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// The entry's folder. `make` fills an empty one if there is none yet.
    pub(crate) fn entry(
        &self,
        name: &str,
        made_from: &[&[u8]],
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let entry = self.folder.join(format!("{name}-{}", key(made_from)));
        if entry.is_dir() {
            return Ok(entry);
        }
        let _lock = self.lock(name)?;
        if entry.is_dir() {
            return Ok(entry);
        }
        let unfinished = self.folder.join(format!(".unfinished-{name}"));
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)
                .with_context(|| format!("failed to remove {}", unfinished.display()))?;
        }
        std::fs::create_dir(&unfinished)
            .with_context(|| format!("failed to create {}", unfinished.display()))?;
        make(&unfinished)?;
        std::fs::rename(&unfinished, &entry)
            .with_context(|| format!("failed to create {}", entry.display()))?;
        Ok(entry)
    }

    /// Keeps two runs from making the same, until it is dropped.
    fn lock(&self, name: &str) -> Result<File> {
        let path = self.folder.join(format!(".lock-{name}"));
        let file =
            File::create(&path).with_context(|| format!("failed to create {}", path.display()))?;
        file.lock()
            .with_context(|| format!("failed to lock {}", path.display()))?;
        Ok(file)
    }
}

/// A short hash of several texts, each told from the next by its length.
fn key(made_from: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in made_from {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..6])
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn an_entry_is_made_once_and_a_half_made_one_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::at(folder.path().to_owned()).expect("a cache");
        let fails = cache.entry("a", &[b"1"], |path| {
            std::fs::write(path.join("half"), "")?;
            anyhow::bail!("killed")
        });
        assert!(fails.is_err());
        let made = cache
            .entry("a", &[b"1"], |path| {
                Ok(std::fs::write(path.join("whole"), "")?)
            })
            .expect("made");
        assert!(made.join("whole").exists() && !made.join("half").exists());
        let again = cache
            .entry("a", &[b"1"], |_| anyhow::bail!("made twice"))
            .expect("found");
        assert_eq!(made, again);
        assert!(cache.entry("a", &[b"2"], |_| Ok(())).expect("another") != made);
    }

    #[test]
    fn an_entry_that_others_need_at_the_same_time_is_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let cache = Cache::at(folder.path().to_owned()).expect("a cache");
                    let fill = |path: &Path| {
                        made.fetch_add(1, Ordering::Relaxed);
                        Ok(std::fs::write(path.join("whole"), "")?)
                    };
                    let entry = cache.entry("a", &[b"1"], fill).expect("made");
                    assert!(entry.join("whole").exists());
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn the_key_tells_where_a_part_ends() {
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
    }
}
