//! Reads single files, with bounds and with the path in every message.
//!
//! Input: paths. Output: text, or why there is none. Only regular files of at
//! most 1 MiB are read, so that neither a pipe nor a dump can hold promoter up.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use crate::group::Template;

/// The largest file that is read; Kubernetes takes no object that large.
const LARGEST: u64 = 1024 * 1024;

/// A path as people are shown it: without a leading `./`, with `/`.
pub(super) fn shown(path: &Path) -> String {
    let shown = path.strip_prefix(".").unwrap_or(path).display().to_string();
    let shown = if cfg!(windows) {
        shown.replace('\\', "/")
    } else {
        shown
    };
    if shown.is_empty() {
        ".".to_owned()
    } else {
        shown
    }
}

/// Why the system did not do it, as the end of a sentence.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is not there".to_owned(),
        io::ErrorKind::PermissionDenied => "cannot be read: permission denied".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// The files of a folder that end in `.toml`, with their stems; not hidden
/// ones, and none of its folders.
pub(super) fn toml_files(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| reason(&error))? {
        let path = entry.map_err(|error| reason(&error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if let Some(stem) = name
            .strip_suffix(".toml")
            .filter(|_| !name.starts_with('.'))
            && !path.is_dir()
        {
            files.push((stem.to_owned(), path));
        }
    }
    files.sort();
    Ok(files)
}

/// Where a path leads, if that is within `root`: a link may lead out where the path
/// itself does not.
fn real(root: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    let real = fs::canonicalize(path)?;
    let root = fs::canonicalize(root)?;
    Ok(Some(real).filter(|real| real.starts_with(root)))
}

/// The text of a file within `root`.
pub(super) fn text_within(root: &Path, path: &Path) -> Result<String, String> {
    match real(root, path).map_err(|error| reason(&error))? {
        Some(real) => text(&real),
        None => Err(format!("leads out of the folder {}", shown(root))),
    }
}

fn text(path: &Path) -> Result<String, String> {
    let metadata = fs::metadata(path).map_err(|error| reason(&error))?;
    if !metadata.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| reason(&error))?;
    // The size may have changed since, so it is bounded here.
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| reason(&error))?;
    if bytes.len() as u64 > LARGEST {
        return Err("is larger than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.utf8_error().valid_up_to();
        let line = String::from_utf8_lossy(&error.as_bytes()[..before])
            .matches('\n')
            .count()
            + 1;
        format!("is not UTF-8 (line {line})")
    })
}

/// A manifest that a group file in `folder` names, if it is within `root`.
pub(super) fn template(root: &Path, folder: &Path, written: &str) -> Result<Template, String> {
    let outside = || {
        format!(
            "the manifest `{written}` is outside of the folder {}",
            shown(root)
        )
    };
    let path = within(folder, written, depth(root, folder)).ok_or_else(outside)?;
    let name = shown(&path);
    let failed = |reason: String| format!("the manifest {name} {reason}");
    let real = real(root, &path).map_err(|error| failed(reason(&error)))?;
    let text = text(&real.ok_or_else(outside)?).map_err(failed)?;
    Ok(Template { path: name, text })
}

fn depth(root: &Path, folder: &Path) -> usize {
    folder
        .strip_prefix(root)
        .map_or(0, |below| below.components().count())
}

/// Joins a relative path to a folder, with `..` going up at most `depth` levels.
fn within(folder: &Path, written: &str, depth: usize) -> Option<PathBuf> {
    let mut path = folder.to_owned();
    let mut depth = depth;
    for component in Path::new(written).components() {
        match component {
            Component::Normal(name) => {
                path.push(name);
                depth += 1;
            }
            Component::CurDir => {}
            Component::ParentDir => {
                depth = depth.checked_sub(1)?;
                path.pop();
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}
