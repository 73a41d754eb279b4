# One repository for each app, and a look at those that exist already.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_51:every tag is immutable except branch., env. and live., which are there to be moved
  for_each = toset(var.repositories)

  name                 = each.key
  force_delete         = var.force_delete
  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"
  tags                 = var.tags

  dynamic "image_tag_mutability_exclusion_filter" {
    for_each = var.moving_prefixes

    content {
      filter      = "${image_tag_mutability_exclusion_filter.value}*"
      filter_type = "WILDCARD"
    }
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }
}

# Looked up by the names given, so that the lists alone say what is created:
# nothing found in the account decides over a repository.
data "aws_ecr_repository" "existing" {
  for_each = toset(var.existing_repositories)

  name = each.key
}

locals {
  # All repositories by name.
  repositories = merge(aws_ecr_repository.this, data.aws_ecr_repository.existing)
}

# To pull is all that another account may do. It also has to allow it to its own roles.
resource "aws_ecr_repository_policy" "pull" {
  for_each = toset(length(var.pull_account_ids) == 0 ? [] : var.repositories)

  repository = aws_ecr_repository.this[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PullFromOtherAccounts"
      Effect    = "Allow"
      Principal = { AWS = [for id in var.pull_account_ids : "arn:${data.aws_partition.current.partition}:iam::${id}:root"] }
      Action    = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}
