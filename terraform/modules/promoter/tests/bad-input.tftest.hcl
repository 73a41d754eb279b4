# Bad input is refused before anything is planned.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/promoter-pod" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/promoter-images-0" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:promoter-pushes" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:rule/promoter-pushes" }
  }
}

variables {
  cluster_name = "promoter"
  repository_arns = {
    hello-b = "arn:aws:ecr:eu-west-1:123456789012:repository/hello-b"
    hello-a = "arn:aws:ecr:eu-west-1:123456789012:repository/hello-a"
  }
}

run "an_arn_for_a_cluster" {
  command = plan

  variables {
    cluster_name = "arn:aws:eks:eu-west-1:123456789012:cluster/promoter"
  }

  expect_failures = [var.cluster_name]
}

run "no_cluster" {
  command = plan

  variables {
    cluster_name = ""
  }

  expect_failures = [var.cluster_name]
}

run "no_repository" {
  command = plan

  variables {
    repository_arns = {}
  }

  expect_failures = [var.repository_arns]
}

run "all_repositories" {
  command = plan

  variables {
    repository_arns = { all = "arn:aws:ecr:eu-west-1:123456789012:repository/*" }
  }

  expect_failures = [var.repository_arns]
}

run "a_namespace_that_kubernetes_refuses" {
  command = plan

  variables {
    namespace = "Promoter_1"
  }

  expect_failures = [var.namespace]
}

run "a_service_account_that_kubernetes_refuses" {
  command = plan

  variables {
    service_account = "-promoter"
  }

  expect_failures = [var.service_account]
}

run "gone_at_once" {
  command = plan

  variables {
    queue_retention_seconds = 1
  }

  expect_failures = [var.queue_retention_seconds]
}

run "kept_for_a_month" {
  command = plan

  variables {
    queue_retention_seconds = 2592000
  }

  expect_failures = [var.queue_retention_seconds]
}

run "boundary" {
  command = plan

  variables {
    permissions_boundary_arn = "boundary"
  }

  expect_failures = [var.permissions_boundary_arn]
}

run "name_prefix" {
  command = plan

  variables {
    name_prefix = "1 promoter"
  }

  expect_failures = [var.name_prefix]
}
