# Every option on.

region      = "eu-west-1"
name        = "shop"
environment = "staging"
namespace   = "shop"
tags        = { team = "platform" }

apps                            = ["shop/cart", "shop/web", "shop/tests"]
image_branches                  = [{ pattern = "master-*", keep = 200 }, { pattern = "release-*", keep = 50 }]
image_others                    = { days = 90 }
image_pull_account_ids          = ["210987654321"]
image_replication               = [{ region = "eu-central-1" }]
docker_hub_cache                = { credential_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf" }
delete_images_with_repositories = true

github_repositories = {
  "example/cart" = { repositories = ["shop/cart"], branches = ["master", "release/*"] }
  "example/web"  = { repositories = ["shop/web", "shop/tests"] }
}
existing_github_oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
travis_repositories               = ["shop/cart"]

alert_emails           = ["ops@example.com", "finance@example.com"]
billing_thresholds     = [50, 100, 200, 300, 400]
budget_guard_threshold = 400
monthly_budget_usd     = 500
promoter_metrics       = true

vpc_cidr       = "10.64.0.0/16"
reserved_cidrs = ["10.0.0.0/16", "192.168.0.0/16"]
zones          = ["a", "b", "c"]
nat            = "per-zone"
flow_logs      = true

kubernetes_version       = "1.36"
allowed_cidrs            = ["203.0.113.0/28", "198.51.100.9/32"]
private_cidrs            = ["192.168.0.0/24"]
admin_arns               = ["arn:aws:iam::123456789012:role/admin", "arn:aws:iam::123456789012:user/jo"]
service_cidr             = "172.21.0.0/16"
log_retention_days       = 90
instance_types           = ["m7g.large", "m6g.large"]
architecture             = "arm64"
spot                     = true
nodes                    = { min = 3, desired = 3, max = 9 }
disk_gib                 = 50
cluster_autoscaler       = true
enable_network_policy    = true
enable_prefix_delegation = true
headlamp                 = true

access_entries = {
  developers = { principal_arn = "arn:aws:iam::123456789012:role/developer", policy = "view" }
  ci         = { principal_arn = "arn:aws:iam::123456789012:role/ci-deploy", policy = "edit", namespaces = ["shop"] }
}
