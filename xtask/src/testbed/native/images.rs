//! The images that the testbed brings along.
//!
//! Dockerfiles stay what a user would write: the base images that they name are
//! made from this machine's own programs and served under those very names.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{golang, image, layout};
use crate::cache::Cache;
use crate::progress::Progress;
use crate::registry::Registry;
use crate::run;

/// The image that holds a pod's namespaces.
pub(crate) const PAUSE: &str = "docker.io/promoter/pause:1";
const COREDNS: &str = "docker.io/coredns/coredns:1.14.7";
const BUSYBOX: &str = "docker.io/library/busybox:latest";
const NODE: &str = "docker.io/library/node:22-alpine";

/// Changed when a recipe below changes, so that cached images are made anew.
const RECIPE: &[u8] = b"1";

const SEARCH_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The user that the node image has for applications.
const NODE_USER: u32 = 1000;

/// An image in the cache.
pub(crate) struct Cached {
    reference: &'static str,
    folder: PathBuf,
}

/// All of them, made if they are not in the cache.
pub(crate) fn all(cache: &Cache, progress: &mut Progress) -> Result<Vec<Cached>> {
    let pause = golang::pause(cache, progress)?;
    let coredns = golang::coredns(cache, progress)?;
    let pause = program(cache, PAUSE, "image-pause", &pause)?;
    let coredns = program(cache, COREDNS, "image-coredns", &coredns)?;
    Ok(vec![
        pause,
        coredns,
        busybox(cache, progress)?,
        node(cache, progress)?,
    ])
}

/// Puts them into the registry.
pub(crate) fn publish(images: &[Cached], progress: &mut Progress) -> Result<()> {
    let registry = Registry::new(&layout::registry());
    let mut missing = Vec::new();
    for image in images {
        let (repository, tag) = split(image.reference)?;
        if registry.manifest(repository, tag)?.is_none() {
            missing.push((image, repository, tag));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    progress.step("putting the base images into the registry", || {
        missing.iter().try_for_each(|(image, repository, tag)| {
            image::publish(&registry, &image.folder, repository, tag)
        })
    })
}

fn split(reference: &str) -> Result<(&str, &str)> {
    reference
        .rsplit_once(':')
        .with_context(|| format!("{reference} has no tag"))
}

/// An image of one static program.
fn program(cache: &Cache, reference: &'static str, name: &str, program: &Path) -> Result<Cached> {
    let file = program
        .file_name()
        .context("a program has a name")?
        .display()
        .to_string();
    let folder = cache.entry(
        name,
        &[RECIPE, program.as_os_str().as_encoded_bytes()],
        |into| {
            in_root(into, |root| {
                fs::copy(program, root.join(&file))?;
                Ok(json!({ "Entrypoint": [format!("/{file}")] }))
            })
        },
    )?;
    Ok(Cached { reference, folder })
}

fn busybox(cache: &Cache, progress: &mut Progress) -> Result<Cached> {
    let program = static_busybox()?;
    let content = fs::read(&program)?;
    let folder = cache.entry("image-busybox", &[RECIPE, &content], |into| {
        progress.step("making the busybox base image", || {
            in_root(into, |root| {
                base(root, &program)?;
                Ok(json!({ "Env": [SEARCH_PATH], "Cmd": ["sh"] }))
            })
        })
    })?;
    Ok(Cached {
        reference: BUSYBOX,
        folder,
    })
}

fn node(cache: &Cache, progress: &mut Progress) -> Result<Cached> {
    let busybox = static_busybox()?;
    let node = fs::canonicalize(run::find("node").context("node is missing: install Node.js")?)?;
    let npm = npm_folder()?;
    let version = run::output(Command::new(&node).arg("--version"))?;
    let npm_version = fs::read(npm.join("package.json"))?;
    let made_from = [
        RECIPE,
        &fs::read(&busybox)?,
        version.as_bytes(),
        &npm_version,
    ];
    let folder = cache.entry("image-node", &made_from, |into| {
        let doing = format!("making the node base image from Node {}", version.trim());
        progress.step(&doing, || {
            in_root(into, |root| {
                base(root, &busybox)?;
                with_libraries(root, &node, Path::new("usr/local/bin/node"))?;
                with_npm(root, &npm)?;
                Ok(json!({
                    "Env": [
                        SEARCH_PATH,
                        format!("NODE_VERSION={}", version.trim().trim_start_matches('v')),
                    ],
                    "Cmd": ["node"],
                }))
            })
        })
    })?;
    Ok(Cached {
        reference: NODE,
        folder,
    })
}

/// Lets `fill` put files into an empty folder and makes an image of it, which
/// is run as `fill` says.
fn in_root(into: &Path, fill: impl FnOnce(&Path) -> Result<Value>) -> Result<()> {
    let root = into.join("root");
    fs::create_dir(&root)?;
    // Whatever mask the user works with, other users read an image's files.
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755))?;
    let run_as = fill(&root)?;
    image::write(into, &root, &run_as)?;
    fs::remove_dir_all(&root)?;
    Ok(())
}

/// A small system: busybox under all its names, and what programs expect in `/etc`.
fn base(root: &Path, busybox: &Path) -> Result<()> {
    for folder in [
        "bin",
        "sbin",
        "usr/bin",
        "usr/sbin",
        "usr/local/bin",
        "etc/ssl/certs",
        "root",
        "var",
        "home/node",
        "tmp",
    ] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::copy(busybox, root.join("bin/busybox"))?;
    let names = run::output(Command::new(busybox).arg("--list-full"))?;
    for name in names.lines().filter(|name| *name != "bin/busybox") {
        let path = root.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        symlink("/bin/busybox", &path).with_context(|| format!("failed to link {name}"))?;
    }
    let user = NODE_USER;
    fs::write(
        root.join("etc/passwd"),
        format!(
            "root:x:0:0:root:/root:/bin/sh\nnode:x:{user}:{user}::/home/node:/bin/sh\n\
             nobody:x:65534:65534:nobody:/:/bin/false\n"
        ),
    )?;
    fs::write(
        root.join("etc/group"),
        format!("root:x:0:\nnode:x:{user}:\nnobody:x:65534:\n"),
    )?;
    fs::write(root.join("etc/nsswitch.conf"), "hosts: files dns\n")?;
    if Path::new(CERTIFICATES).exists() {
        fs::copy(
            CERTIFICATES,
            root.join(CERTIFICATES.trim_start_matches('/')),
        )?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    chown(root.join("home/node"), Some(user), Some(user))?;
    Ok(())
}

/// Copies a program and the libraries that it loads.
fn with_libraries(root: &Path, program: &Path, into: &Path) -> Result<()> {
    fs::copy(program, root.join(into))?;
    let loaded = run::output(Command::new("ldd").arg(program))?;
    for library in libraries(&loaded) {
        let target = root.join(library.trim_start_matches('/'));
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&library, &target).with_context(|| format!("failed to copy {library}"))?;
    }
    Ok(())
}

/// The paths that `ldd` names.
fn libraries(loaded: &str) -> BTreeSet<String> {
    let words = loaded
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    words.map(str::to_owned).collect()
}

fn with_npm(root: &Path, npm: &Path) -> Result<()> {
    let modules = root.join("usr/local/lib/node_modules");
    fs::create_dir_all(&modules)?;
    run::output(
        Command::new("cp")
            .args(["-a", "--no-preserve=ownership"])
            .arg(npm)
            .arg(&modules),
    )?;
    for (name, script) in [("npm", "npm-cli.js"), ("npx", "npx-cli.js")] {
        let target = format!("../lib/node_modules/npm/bin/{script}");
        ensure!(
            npm.join("bin").join(script).exists(),
            "{} has no {script}",
            npm.display()
        );
        symlink(target, root.join("usr/local/bin").join(name))?;
    }
    Ok(())
}

/// The folder of npm, from where its program lies.
fn npm_folder() -> Result<PathBuf> {
    let program = fs::canonicalize(run::find("npm").context("npm is missing: install it")?)?;
    let folder = program
        .parent()
        .and_then(Path::parent)
        .filter(|folder| folder.ends_with("npm"));
    folder.map(Path::to_owned).with_context(|| {
        format!(
            "{} does not lie in npm's own folder: install npm as Node.js ships it",
            program.display()
        )
    })
}

fn static_busybox() -> Result<PathBuf> {
    let program = fs::canonicalize(run::find("busybox").context("busybox is missing")?)?;
    // `ldd` fails on a program that loads no library.
    if run::answer(Command::new("ldd").arg(&program)).is_some_and(|text| text.contains("=>")) {
        bail!(
            "{} is not static: install busybox-static instead",
            program.display()
        );
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ldd_names_libraries_and_the_loader() {
        let loaded = "\tlinux-vdso.so.1 (0x1)\n\tlibm.so.6 => /lib/libm.so.6 (0x2)\n\t/lib64/ld.so.2 (0x3)\n";
        let all: Vec<_> = libraries(loaded).into_iter().collect();
        assert_eq!(all, ["/lib/libm.so.6", "/lib64/ld.so.2"]);
    }

    #[test]
    fn the_cluster_runs_the_dns_that_is_built() {
        assert!(include_str!("../../../testbed/coredns.yaml").contains(COREDNS));
        let version = COREDNS.rsplit_once(':').expect("a tag").1;
        let module = include_str!("../../../testbed/go/coredns/go.mod");
        assert!(module.contains(&format!("github.com/coredns/coredns v{version} ")));
    }
}
