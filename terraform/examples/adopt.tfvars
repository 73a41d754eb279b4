# Cluster, VPC, one repository and GitHub's OIDC provider exist already: they are looked up, and nothing of them is changed.

region        = "eu-west-1"
apps          = ["hello-a", "hello-b", "hello-tests"]
allowed_cidrs = []
alert_emails  = ["ops@example.com"]

existing_repositories = ["hello-a"]

create_network        = false
create_cluster        = false
existing_cluster_name = "our-cluster"

existing_github_oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
github_repositories               = { "example/hello-b" = { repositories = ["hello-b"] } }
