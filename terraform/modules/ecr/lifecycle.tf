# Which images expire, and which never do.
#
# How ECR reads the rules: an image belongs to the first rule whose tags fit it,
# whether that rule lets it expire or not, and no later rule can touch it. So a rule
# that never expires anything protects what it fits. The tags within one rule are
# joined by "and", so each prefix has a rule of its own.

locals {
  # More than a repository can hold (ECR's quota of images), so that none is ever too many.
  never = 100000

  tag_rules = concat(
    [for prefix in var.protected_prefixes : { pattern = "${prefix}*", keep = local.never, description = "never expire ${prefix}*" }],
    # Before the listed branches: the newest image of a branch stays even if so many
    # newer ones of other branches fit the same pattern.
    [{ pattern = "branch.*", keep = var.keep_branch_heads, description = "the newest image of the last ${var.keep_branch_heads} branches" }],
    [for branch in var.branches : { pattern = branch.pattern, keep = branch.keep, description = "the last ${branch.keep} of ${branch.pattern}" }],
  )

  selections = concat(
    [for rule in local.tag_rules : {
      description = rule.description
      selection = {
        tagStatus      = "tagged"
        tagPatternList = [rule.pattern]
        countType      = "imageCountMoreThan"
        countNumber    = rule.keep
      }
    }],
    [{
      description = "untagged images, ${var.untagged_days} days after their push"
      selection   = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = var.untagged_days }
    }],
    # ECR demands that "any" comes last.
    [for days in [var.others.days] : {
      description = "all others, ${days} days after their push"
      selection   = { tagStatus = "any", countType = "sinceImagePushed", countUnit = "days", countNumber = days }
    } if days != null],
    [for keep in [var.others.keep] : {
      description = "all others, once ${keep} newer images are there"
      selection   = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = keep }
    } if keep != null],
  )

  lifecycle_policy = jsonencode({
    rules = [for i, rule in local.selections : {
      rulePriority = i + 1
      description  = rule.description
      selection    = rule.selection
      action       = { type = "expire" }
    }]
  })
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy     = local.lifecycle_policy

  lifecycle {
    precondition {
      condition     = length(local.selections) <= 50
      error_message = "ECR takes 50 rules in a lifecycle policy, these would be ${length(local.selections)}: name fewer branches."
    }
  }
}
