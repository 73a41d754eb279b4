# Settings of the whole registry: replication, and a cache of Docker Hub.

resource "aws_ecr_replication_configuration" "this" {
  count = length(var.replication) == 0 ? 0 : 1

  replication_configuration {
    # ECR takes 100 filters in a rule.
    dynamic "rule" {
      for_each = chunklist(sort(var.repositories), 100)

      content {
        dynamic "destination" {
          for_each = var.replication

          content {
            region      = destination.value.region
            registry_id = coalesce(destination.value.account_id, data.aws_caller_identity.current.account_id)
          }
        }

        dynamic "repository_filter" {
          for_each = rule.value

          content {
            filter      = repository_filter.value
            filter_type = "PREFIX_MATCH"
          }
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.repositories) > 0
      error_message = "Only created repositories are replicated, and there is none: name some in repositories, or leave replication out."
    }

    precondition {
      condition = alltrue([
        for to in var.replication : to.region != data.aws_region.current.region || coalesce(to.account_id, data.aws_caller_identity.current.account_id) != data.aws_caller_identity.current.account_id
      ])
      error_message = "replication names ${data.aws_region.current.region} of this account, where the repositories are: ECR copies to other regions or accounts only."
    }
  }
}

resource "aws_ecr_pull_through_cache_rule" "docker_hub" {
  count = var.docker_hub_cache == null ? 0 : 1

  ecr_repository_prefix = var.docker_hub_cache.prefix
  upstream_registry_url = "registry-1.docker.io"
  credential_arn        = var.docker_hub_cache.credential_arn
}

# ECR makes the repositories of a cache by itself; this is what they look like.
# Their tags have to be mutable, since a cache follows what moves upstream.
resource "aws_ecr_repository_creation_template" "docker_hub" {
  count = var.docker_hub_cache == null ? 0 : 1

  prefix               = var.docker_hub_cache.prefix
  description          = "cached from Docker Hub"
  applied_for          = ["PULL_THROUGH_CACHE"]
  image_tag_mutability = "MUTABLE"

  encryption_configuration {
    encryption_type = "AES256"
  }

  lifecycle_policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "cached images, ${var.docker_hub_cache.days} days after they came"
      selection    = { tagStatus = "any", countType = "sinceImagePushed", countUnit = "days", countNumber = var.docker_hub_cache.days }
      action       = { type = "expire" }
    }]
  })
}
