# Everything that promoter needs in an AWS account: where images are, where they run, who pushes them, and what it costs.
# Nothing here is inside Kubernetes: what runs there, and in which version, is promoter's. See README.md, "No tug of war".

data "aws_caller_identity" "current" {}

module "network" {
  source = "./modules/network"

  create             = var.create_network
  name               = var.name
  vpc_cidr           = var.vpc_cidr
  reserved_cidrs     = concat([var.service_cidr], var.reserved_cidrs)
  zones              = var.zones
  nat                = var.nat
  cluster_names      = [var.name]
  flow_logs          = var.flow_logs
  vpc_id             = var.existing_vpc_id
  private_subnet_ids = var.existing_private_subnet_ids
  public_subnet_ids  = var.existing_public_subnet_ids
}

module "eks" {
  source = "./modules/eks"

  create                   = var.create_cluster
  name                     = var.create_cluster ? var.name : var.existing_cluster_name
  kubernetes_version       = var.kubernetes_version
  offered_versions         = var.offered_versions
  subnet_ids               = var.create_cluster ? module.network.private_subnet_ids : []
  control_plane_subnet_ids = var.create_cluster ? module.network.control_plane_subnet_ids : null
  service_cidr             = var.service_cidr
  endpoint_public_access   = var.endpoint_public_access
  allowed_cidrs            = var.allowed_cidrs
  private_cidrs            = var.private_cidrs
  admin_arns               = var.admin_arns
  access_entries           = var.access_entries
  log_types                = var.log_types
  log_retention_days       = var.log_retention_days
  deletion_protection      = var.deletion_protection
  kms_key_arn              = var.cluster_kms_key_arn
  instance_types           = var.instance_types
  architecture             = var.architecture
  spot                     = var.spot
  nodes                    = var.nodes
  disk_gib                 = var.disk_gib
  cluster_autoscaler       = var.cluster_autoscaler
  enable_network_policy    = var.enable_network_policy
  enable_prefix_delegation = var.enable_prefix_delegation
  addon_versions           = var.addon_versions
  cluster_role_name        = var.cluster_role_name
  instance_tags            = local.tags
}

module "ecr" {
  source = "./modules/ecr"

  repositories          = [for app in var.apps : app if !contains(var.existing_repositories, app)]
  existing_repositories = var.existing_repositories
  branches              = var.image_branches
  others                = var.image_others
  pull_account_ids      = var.image_pull_account_ids
  replication           = var.image_replication
  docker_hub_cache      = var.docker_hub_cache
  force_delete          = var.delete_images_with_repositories
}

module "billing_alarms" {
  source = "./modules/billing-alarms"
  count  = var.create_billing_alarms ? 1 : 0

  providers = {
    aws = aws.us_east_1
  }

  name_prefix        = var.name
  thresholds         = var.billing_thresholds
  alert_emails       = var.alert_emails
  monthly_budget_usd = var.monthly_budget_usd
}

module "ci_push" {
  source = "./modules/ci-push"

  name_prefix          = var.name
  repository_arns      = module.ecr.repository_arns
  github               = var.github_repositories
  create_oidc_provider = var.existing_github_oidc_provider_arn == null
  oidc_provider_arn    = var.existing_github_oidc_provider_arn
  travis_repositories  = var.travis_repositories
}

module "promoter" {
  source = "./modules/promoter"
  count  = var.install_promoter ? 1 : 0

  name_prefix     = var.name
  cluster_name    = module.eks.cluster_name
  repository_arns = module.ecr.repository_arns
}

# Says so on every plan, and stops nothing: promoter on somebody's own machine reaches us-east-1 well.
check "the_budget_guard_can_be_asked" {
  assert {
    condition     = !(var.create_network && var.nat == "none" && var.region != "us-east-1" && var.budget_guard_threshold != null && var.create_billing_alarms && var.install_promoter)
    error_message = "billing alarms are in us-east-1, which a promoter inside a VPC of ${var.region} without NAT cannot reach: set nat = \"single\", or budget_guard_threshold = null."
  }
}
