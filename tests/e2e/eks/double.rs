//! EKS and STS as the AWS double plays them.

use serde_json::{Value, json};

use crate::support::{Promoter, Run, Testbed, aws};

fn promoter(folder: &tempfile::TempDir, cluster: &str) -> Promoter {
    let environments = folder.path().join("environments");
    std::fs::create_dir_all(&environments).unwrap();
    let text =
        format!("[environment]\nname = \"test\"\nnamespace = \"v\"\ncluster = {{ {cluster} }}\n");
    std::fs::write(environments.join("test.toml"), text).unwrap();
    Promoter::new(folder.path(), ["kubeconfig"])
}

fn run(cluster: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    promoter(&folder, cluster).run()
}

/// Makes a cluster, as Terraform would; gives what EKS says of it.
fn create(name: &str) -> Value {
    let made = aws(&[
        "eks",
        "create-cluster",
        "--name",
        name,
        "--role-arn=arn:aws:iam::123456789012:role/eks",
        "--resources-vpc-config=subnetIds=subnet-1,subnet-2",
    ]);
    serde_json::from_str::<Value>(&made).unwrap()["cluster"].clone()
}

/// It is left in the double, which is empty after each start.
#[test]
fn a_cluster_of_the_double_is_found_by_name() {
    let name = format!("e2e-{}", Testbed::get().run);
    let cluster = create(&name);
    let found = run(&format!("eks = \"{name}\""));
    assert_eq!(found.code, 0, "{found}");
    let config: Value = serde_saphyr::from_str(&found.stdout).unwrap();
    assert_eq!(
        config["clusters"][0]["cluster"],
        json!({
            "server": cluster["endpoint"],
            "certificate-authority-data": cluster["certificateAuthority"]["data"],
        })
    );
    let exec = &config["users"][0]["user"]["exec"];
    let region = &Testbed::get().region;
    assert_eq!(
        exec["args"],
        json!(["token", "--cluster", name, "--region", region])
    );

    // By a role, which the double lets everybody assume.
    let role = "arn:aws:iam::123456789012:role/deployer";
    let by_role = run(&format!("eks = \"{name}\", role = \"{role}\""));
    assert_eq!(by_role.code, 0, "{by_role}");
    assert!(by_role.stdout.contains(role), "{by_role}");

    let misspelt = run(&format!("eks = \"{name}x\""));
    assert_eq!(misspelt.code, 2, "{misspelt}");
    let hint = format!("did you mean `{name}`");
    assert!(misspelt.stderr.contains(&hint), "{misspelt}");
}
