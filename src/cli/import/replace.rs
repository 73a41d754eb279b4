//! Writes a file as a whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Puts a text in place of what a file says, with the rights it has, or makes the
/// file and its folder. A link stays one, and what it leads to is replaced.
///
/// # Errors
/// The system does not let it, or nobody is to write the file. It is as it was then.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let target = target(path)?;
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
        return Err(ErrorKind::IsADirectory.into());
    };
    fs::create_dir_all(folder)?;
    // Not called as an environment's file is, should it be left.
    let hidden = format!(".{}.{:08x}", name.display(), rand::random::<u32>());
    let beside = folder.join(hidden);
    let written = write(&beside, &target, text);
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write(beside: &Path, target: &Path, text: &str) -> io::Result<()> {
    let mut new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(beside)?;
    if let Ok(there) = fs::metadata(target) {
        if there.permissions().readonly() {
            return Err(io::Error::new(
                ErrorKind::PermissionDenied,
                "it is read-only",
            ));
        }
        new.set_permissions(there.permissions())?;
    }
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    fs::rename(beside, target)
}

/// What is written in the end.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => {
            Ok(path.to_owned())
        }
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn rights_and_links_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        let mode = fs::metadata(&real).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(names(folder.path()), ["link", "real"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("environments/v2.toml");
        replace(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn what_cannot_be_written_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let guarded = folder.path().join("guarded");
        fs::write(&guarded, "old").unwrap();
        fs::set_permissions(&guarded, fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(
            replace(&guarded, "new").unwrap_err().to_string(),
            "it is read-only"
        );
        assert_eq!(fs::read_to_string(&guarded).unwrap(), "old");
        let nowhere = folder.path().join("nowhere");
        symlink("gone", &nowhere).unwrap();
        assert!(replace(&nowhere, "new").is_err());
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        assert!(replace(&taken, "new").is_err());
        assert_eq!(names(folder.path()), ["guarded", "nowhere", "taken"]);
    }
}
