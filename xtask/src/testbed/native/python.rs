//! The Python environment with the AWS double (moto) and the AWS CLI.

use std::path::PathBuf;

use anyhow::Result;

use crate::cache::Cache;
use crate::progress::Progress;
use crate::python::Environment;

/// The Python program of the environment.
pub(crate) fn environment(cache: &Cache, progress: &mut Progress) -> Result<PathBuf> {
    let environment = Environment {
        name: "python",
        list: "testbed/requirements.txt",
        what: "moto and the AWS CLI",
        takes: "about 30 s",
    };
    environment.python(cache, progress)
}
