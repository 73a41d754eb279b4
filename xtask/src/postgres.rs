//! What the tests of the records start a server with; they start it themselves.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::debian;
use crate::progress::Progress;
use crate::run;

/// Where Debian puts the programs of a server, one folder per version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Installs what is missing: a server, and what makes certificates for it.
pub(crate) fn install(progress: &mut Progress) -> Result<()> {
    debian::complete(missing, progress)
}

fn missing() -> Vec<&'static str> {
    let mut packages = Vec::new();
    if !has_server(Path::new(VERSIONS)) {
        packages.push("postgresql");
    }
    if run::find("openssl").is_none() {
        packages.push("openssl");
    }
    packages
}

fn has_server(versions: &Path) -> bool {
    let mut found = fs::read_dir(versions).into_iter().flatten().flatten();
    found.any(|version| {
        let programs = ["postgres", "initdb"].map(|name| version.path().join("bin").join(name));
        programs.iter().all(|program| program.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_alone_is_no_server() -> Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(!has_server(&folder.path().join("none")));
        let programs = folder.path().join("15/bin");
        fs::create_dir_all(&programs)?;
        fs::write(programs.join("psql"), "")?;
        fs::write(programs.join("postgres"), "")?;
        assert!(!has_server(folder.path()));
        fs::write(programs.join("initdb"), "")?;
        assert!(has_server(folder.path()));
        Ok(())
    }
}
