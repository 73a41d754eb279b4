//! Environments whose cluster is named by EKS. The testbed has EKS as far as the
//! AWS double plays it; its API server knows no AWS token, so that a proxy in
//! front of it looks at the tokens as EKS does.

mod cli;
mod cluster;
mod double;

use serde_json::{Value, json};

use crate::support::{Answer, Folder, Promoter, Proxy, Testbed};

/// The cluster's name in EKS.
const CLUSTER: &str = "prod";

/// A folder whose environment is a cluster of EKS, and EKS, which says of it
/// what the test wants.
struct Scene {
    folder: Folder,
    aws: Proxy,
}

impl Scene {
    fn new(test: &str, server: &str, authority: &str) -> Self {
        let folder = Folder::new(test);
        let written = folder.read("environments/test.toml");
        let context = format!("context = \"{}\"", Testbed::get().context);
        assert!(written.contains(&context), "{written}");
        let eks = format!("eks = \"{CLUSTER}\"");
        folder.write("environments/test.toml", &written.replace(&context, &eks));
        let aws = Proxy::to_aws();
        let answer = Answer {
            status: 200,
            body: describe(server, authority),
        };
        let path = format!("/clusters/{CLUSTER}");
        aws.answer(move |asked| asked.is("GET", &path).then(|| answer.clone()));
        Self { folder, aws }
    }

    fn promoter<const N: usize>(&self, arguments: [&str; N]) -> Promoter {
        let promoter = self.folder.promoter(arguments);
        // Nothing but EKS tells it where the cluster is.
        promoter
            .env("KUBECONFIG", "/dev/null")
            .env("AWS_ENDPOINT_URL", &self.aws.url())
    }
}

fn describe(server: &str, authority: &str) -> Value {
    json!({ "cluster": {
        "name": CLUSTER,
        "status": "ACTIVE",
        "endpoint": server,
        "certificateAuthority": { "data": authority },
    }})
}
