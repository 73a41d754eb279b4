# What the root refuses, each by the variable that is wrong. What one module alone can judge is in the module's tests.

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

run "a_zone_for_a_region" {
  command = plan

  variables {
    region = "eu-west-1a"
  }

  expect_failures = [var.region]
}

run "a_region_without_billing_alarms" {
  command = plan

  variables {
    region = "cn-north-1"
  }

  expect_failures = [var.region]
}

run "a_name_with_capitals" {
  command = plan

  variables {
    name = "Promoter"
  }

  expect_failures = [var.name]
}

run "no_app" {
  command = plan

  variables {
    apps = []
  }

  expect_failures = [var.apps]
}

run "an_environment_that_is_no_name" {
  command = plan

  variables {
    environment = "v 2"
  }

  expect_failures = [var.environment]
}

run "a_namespace_that_is_no_name" {
  command = plan

  variables {
    namespace = "V2"
  }

  expect_failures = [var.namespace]
}

run "an_existing_repository_of_no_app" {
  command = plan

  variables {
    existing_repositories = ["hello-c"]
  }

  expect_failures = [var.existing_repositories]
}

run "no_mail" {
  command = plan

  variables {
    alert_emails = []
  }

  expect_failures = [var.alert_emails]
}

run "a_guard_without_its_alarm" {
  command = plan

  variables {
    budget_guard_threshold = 80
  }

  expect_failures = [var.budget_guard_threshold]
}

run "a_network_for_an_existing_cluster" {
  command = plan

  variables {
    create_cluster        = false
    existing_cluster_name = "our-cluster"
  }

  expect_failures = [var.create_network]
}

run "an_existing_cluster_without_its_name" {
  command = plan

  variables {
    create_network = false
    create_cluster = false
  }

  expect_failures = [var.existing_cluster_name]
}

run "a_cluster_to_make_and_one_that_exists" {
  command = plan

  variables {
    existing_cluster_name = "our-cluster"
  }

  expect_failures = [var.existing_cluster_name]
}

run "a_cluster_in_no_vpc" {
  command = plan

  variables {
    create_network = false
  }

  expect_failures = [var.existing_vpc_id]
}

run "a_guard_that_nobody_can_ask" {
  command = plan

  variables {
    nat = "none"
  }

  expect_failures = [check.the_budget_guard_can_be_asked]
}
