//! Reads a folder again and again, and only where something of it is another thing.
//!
//! Looking costs a system call for each file; reading and validating a hundred groups
//! costs a hundred times that. A file is taken for the same where its inode, its size and the
//! times of its last change are. Links are followed, so one that leads elsewhere now, as
//! in a mounted `ConfigMap`, is seen. No clock is asked: what changes while it is read is
//! read once more.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Catalog, ENVIRONMENTS, GROUPS};

/// A folder that is read again and again.
#[derive(Debug)]
pub struct Again {
    root: PathBuf,
    seen: Seen,
    /// Whether what was read last is what was seen.
    is_sure: bool,
}

impl Again {
    /// Of a folder that was not read yet.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            seen: Seen::default(),
            is_sure: false,
        }
    }

    /// Whether there is such a folder.
    pub fn is_there(&self) -> bool {
        self.root.is_dir()
    }

    /// What the files say. `None`: nothing changed since that was asked last.
    pub fn read(&mut self) -> Option<Catalog> {
        let before = self.seen.again();
        if self.is_sure && before == self.seen {
            return None;
        }
        let catalog = Catalog::load(&self.root);
        self.seen = Seen::of(catalog.paths());
        self.is_sure = self.seen == before;
        Some(catalog)
    }
}

impl Catalog {
    /// All that was read, or looked for.
    fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let named = |folder: &str, name: &String| {
            let folder = self.root.join(folder);
            folder.join(format!("{name}.toml"))
        };
        let groups = self.groups.keys().map(move |name| named(GROUPS, name));
        let environments = self.environments.keys();
        let environments = environments.map(move |name| named(ENVIRONMENTS, name));
        let manifests = self.manifests.values().flat_map(BTreeMap::keys);
        let manifests = manifests.map(|written| self.root.join(GROUPS).join(written));
        let folders = [GROUPS, ENVIRONMENTS].map(|folder| self.root.join(folder));
        let files = groups.chain(environments).chain(manifests);
        files.chain(folders).chain([self.root.clone()])
    }
}

/// Files and folders as they were.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen(BTreeMap<PathBuf, Option<Stamp>>);

impl Seen {
    fn of(paths: impl Iterator<Item = PathBuf>) -> Self {
        Self(
            paths
                .map(|path| {
                    let stamp = Stamp::of(&path);
                    (path, stamp)
                })
                .collect(),
        )
    }

    /// The same as they are now.
    fn again(&self) -> Self {
        Self::of(self.0.keys().cloned())
    }
}

/// What is another thing once a file has changed or is another one.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    size: u64,
    /// In seconds and nanoseconds.
    modified: (i64, i64),
    /// The same of whatever changed of it, its time of modification included.
    changed: (i64, i64),
}

impl Stamp {
    /// `None`: there is none, or it cannot be looked at.
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            file: (found.dev(), found.ino()),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    const GROUP: &str = "[group]\nname = 'master'\nenvironment = 'v2'\nbranch = 'master'\n\
                         [[app]]\nname = 'web'\nmanifest = '../apps/web.yaml'\n";

    fn write(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A folder with a group, and a reader of it that found nothing new last.
    fn read() -> (TempDir, Again) {
        let folder = TempDir::new().unwrap();
        write(folder.path(), "groups/master.toml", GROUP);
        write(folder.path(), "apps/web.yaml", "image: {{ image }}\n");
        write(folder.path(), "environments/v2.toml", "[environment]\n");
        let mut again = Again::new(folder.path().to_owned());
        // Once more, as nobody knows what became of the files while they were read.
        assert!(again.read().is_some());
        assert!(again.read().is_some());
        assert!(again.read().is_none());
        (folder, again)
    }

    #[test]
    fn whatever_is_read_is_read_again_once_it_changed() {
        let (folder, mut again) = read();
        let changed = GROUP.replace("'web'", "'api'");
        for (path, text) in [
            ("groups/master.toml", changed.as_str()),
            ("apps/web.yaml", "image: {{image}}\n"),
            ("environments/v2.toml", "[environment]\nname = 'v2'\n"),
            ("groups/other.toml", GROUP),
            ("environments/v3.toml", "[environment]\n"),
        ] {
            write(folder.path(), path, text);
            assert!(again.read().is_some(), "{path}");
            while again.read().is_some() {}
        }
        fs::remove_file(folder.path().join("groups/other.toml")).unwrap();
        let catalog = again.read().unwrap();
        assert_eq!(catalog.group_names().collect::<Vec<_>>(), ["master"]);
    }

    #[test]
    fn a_manifest_that_was_missing_is_found_once_it_is_there() {
        let (folder, mut again) = read();
        let manifest = folder.path().join("apps/web.yaml");
        fs::remove_file(&manifest).unwrap();
        while again.read().is_some() {}
        fs::write(&manifest, "image: {{ image }}\n").unwrap();
        assert!(again.read().is_some());
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_seen() {
        // As a mounted ConfigMap is changed: files of the same size, all at once.
        let folder = TempDir::new().unwrap();
        let root = folder.path();
        for version in ["1", "2"] {
            let file = format!("versions/{version}/groups/master.toml");
            write(root, &file, &GROUP.replace("web", &format!("we{version}")));
        }
        symlink("versions/1", root.join("..data")).unwrap();
        symlink("..data/groups", root.join("groups")).unwrap();
        let mut again = Again::new(root.to_owned());
        while again.read().is_some() {}
        symlink("versions/2", root.join("..next")).unwrap();
        fs::rename(root.join("..next"), root.join("..data")).unwrap();
        let catalog = again.read().unwrap();
        let spec = catalog.group_spec("master").unwrap();
        assert_eq!(spec.apps[0].name.as_ref().unwrap().get_ref(), "we2");
    }
}
