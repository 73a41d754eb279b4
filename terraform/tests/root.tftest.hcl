# How the modules are put together. No AWS: the provider is a stand-in. What is asserted is known when planning.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_ecr_lifecycle_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_eks_cluster" {
    defaults = { arn = "arn:aws:eks:eu-west-1:123456789012:cluster/our-cluster" }
  }
  mock_data "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:eu-west-1:123456789012:repository/hello-a", repository_url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/hello-a" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made-up" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:made-up" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0a1b2c3d4e5f60718" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/made-up" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:eu-west-1:123456789012:repository/made-up" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:made-up" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:rule/made-up" }
  }
}

mock_provider "aws" {
  alias = "us_east_1"

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:made-up" }
  }
  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:made-up" }
  }
}

# All that the examples set, so that a file of variables on the command line changes nothing here.
variables {
  region                            = "eu-west-1"
  name                              = "promoter"
  environment                       = "v2"
  namespace                         = "v2"
  tags                              = {}
  apps                              = ["hello-a", "hello-b", "hello-tests"]
  install_promoter                  = true
  promoter_metrics                  = false
  headlamp                          = false
  existing_repositories             = []
  image_branches                    = [{ pattern = "master-*", keep = 100 }]
  image_others                      = { keep = 1000 }
  image_pull_account_ids            = []
  image_replication                 = []
  docker_hub_cache                  = null
  delete_images_with_repositories   = false
  github_repositories               = { "example/hello-b" = { repositories = ["hello-b"] } }
  existing_github_oidc_provider_arn = null
  travis_repositories               = []
  create_billing_alarms             = true
  alert_emails                      = ["ops@example.com"]
  billing_thresholds                = [10, 20, 100]
  budget_guard_threshold            = 100
  monthly_budget_usd                = null
  create_network                    = true
  existing_vpc_id                   = null
  existing_private_subnet_ids       = []
  existing_public_subnet_ids        = []
  vpc_cidr                          = "10.0.0.0/16"
  reserved_cidrs                    = []
  zones                             = ["a", "b"]
  nat                               = "single"
  flow_logs                         = false
  create_cluster                    = true
  existing_cluster_name             = null
  allowed_cidrs                     = ["203.0.113.7/32"]
  admin_arns                        = ["arn:aws:iam::123456789012:role/admin"]
  access_entries                    = {}
  kubernetes_version                = "1.35"
  service_cidr                      = "172.20.0.0/16"
  log_retention_days                = 30
  instance_types                    = ["t3.medium"]
  architecture                      = "x86_64"
  spot                              = false
  nodes                             = {}
  disk_gib                          = 30
  cluster_autoscaler                = false
  enable_network_policy             = false
  enable_prefix_delegation          = true
}

run "hands_over_to_promoter" {
  command = plan

  assert {
    condition = jsonencode(merge(output.promoter, { installation = null })) == jsonencode({
      version        = 1
      environment    = "v2"
      namespace      = "v2"
      cluster        = { eks = "promoter", region = "eu-west-1" }
      registry       = { account = "123456789012", region = "eu-west-1" }
      repositories   = ["hello-a", "hello-b", "hello-tests"]
      budget_guard   = "promoter-billing-100-usd"
      billing_alarms = ["promoter-billing-10-usd", "promoter-billing-20-usd", "promoter-billing-100-usd"]
      metrics        = false
      installation   = null
    })
    error_message = "the output promoter must have the form that `promoter config import-terraform` reads"
  }
  assert {
    condition     = keys(output.promoter.installation) == ["namespace", "queue_url", "region", "role_arn", "service_account"]
    error_message = "the installation must have the form that `promoter config import-terraform` reads"
  }
  assert {
    condition     = output.promoter.installation.namespace == "promoter" && output.promoter.installation.service_account == "promoter" && output.promoter.installation.region == "eu-west-1"
    error_message = "the installation must name the service account that has the role"
  }
  assert {
    condition     = keys(output.commands) == ["import", "kubeconfig", "login"]
    error_message = "commands for what is switched off must not be told"
  }
  assert {
    condition     = output.commands.kubeconfig == "aws eks update-kubeconfig --region eu-west-1 --name promoter"
    error_message = "the command must reach this cluster"
  }
}

run "without_what_can_be_left_out" {
  command = plan

  variables {
    create_billing_alarms = false
    alert_emails          = []
    install_promoter      = false
    github_repositories   = {}
  }

  assert {
    condition     = output.promoter.budget_guard == null && length(output.promoter.billing_alarms) == 0 && output.promoter.installation == null
    error_message = "what is switched off must be null or empty"
  }
}

run "no_guard" {
  command = plan

  variables {
    budget_guard_threshold = null
  }

  assert {
    condition     = output.promoter.budget_guard == null && length(output.promoter.billing_alarms) == 3
    error_message = "alarms must do without a guard"
  }
}

run "commands_of_what_is_switched_on" {
  command = plan

  variables {
    headlamp           = true
    cluster_autoscaler = true
  }

  assert {
    condition     = length(setsubtract(["cluster_autoscaler", "headlamp_install", "headlamp_rights", "headlamp_token", "headlamp_open"], keys(output.commands))) == 0
    error_message = "what Terraform does not put into the cluster must be told"
  }
}

run "an_existing_cluster_needs_no_network" {
  command = plan

  variables {
    create_network        = false
    create_cluster        = false
    existing_cluster_name = "our-cluster"
    existing_repositories = ["hello-a"]
    allowed_cidrs         = []
    admin_arns            = []
  }

  assert {
    condition     = output.promoter.cluster.eks == "our-cluster" && output.cluster.arn == "arn:aws:eks:eu-west-1:123456789012:cluster/our-cluster" && output.vpc_id == null
    error_message = "the existing cluster must be handed over, and no network made"
  }
  assert {
    condition     = tolist(output.promoter.repositories) == tolist(["hello-a", "hello-b", "hello-tests"])
    error_message = "repositories that exist must be handed over like those that are made"
  }
}

run "a_cluster_in_an_existing_vpc" {
  command = plan

  variables {
    create_network              = false
    existing_vpc_id             = "vpc-0a1b2c3d4e5f60718"
    existing_private_subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  }

  assert {
    condition     = output.vpc_id == "vpc-0a1b2c3d4e5f60718"
    error_message = "the existing VPC must be used"
  }
}
