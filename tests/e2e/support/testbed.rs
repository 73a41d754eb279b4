//! The place the tests run in, as the environment names it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use super::cluster::Cluster;

/// The cluster, the registry and the ECR double that tests use.
pub(crate) struct Testbed {
    /// The kubeconfig context. The current one is never used.
    pub(crate) context: String,
    /// Account of the ECR double.
    pub(crate) account: String,
    /// Its region.
    pub(crate) region: String,
    /// Address of the registry, as this machine reaches it.
    pub(crate) registry: String,
    /// The host that images are named by in ECR.
    pub(crate) ecr: String,
    /// Marks everything this run makes.
    pub(crate) run: String,
    pub(crate) cluster: Cluster,
}

impl Testbed {
    /// The testbed of this run. Fails the test if there is none: a test that
    /// did not run must not look like one that passed.
    pub(crate) fn get() -> &'static Self {
        static TESTBED: OnceLock<Testbed> = OnceLock::new();
        TESTBED.get_or_init(|| {
            let context = variable("PROMOTER_TESTBED_CONTEXT");
            for needed in ["KUBECONFIG", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"] {
                variable(needed);
            }
            let ecr = variable("PROMOTER_TESTBED_ECR");
            let account = ecr.split('.').next().unwrap_or_default().to_owned();
            Self {
                cluster: Cluster::connect(&context),
                context,
                account,
                region: variable("AWS_REGION"),
                registry: variable("PROMOTER_TESTBED_REGISTRY"),
                ecr,
                run: random(),
            }
        })
    }
}

fn variable(name: &str) -> String {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.unwrap_or_else(|| {
        panic!(
            "{name} is not set, so there is no cluster to test on: run `cargo xtask test`, or \
             eval \"$(cargo xtask testbed env)\""
        )
    })
}

/// Six characters that fit into every name.
pub(crate) fn random() -> String {
    let mut number = RandomState::new().build_hasher().finish();
    let digits = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::new();
    for _ in 0..6 {
        text.push(char::from(digits[usize::try_from(number % 36).unwrap()]));
        number /= 36;
    }
    text
}
