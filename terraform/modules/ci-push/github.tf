# A role for each GitHub repository, which only workflows on its branches can take.

locals {
  issuer = "token.actions.githubusercontent.com"

  # An owner has no dot, so no two repositories share a name. IAM takes 64 characters.
  full_names = { for name in keys(var.github) : name => "${var.name_prefix}-push-${replace(name, "/", ".")}" }
  role_names = { for name, full in local.full_names : name => length(full) <= 64 ? full : "${substr(full, 0, 55)}-${substr(sha256(name), 0, 8)}" }

  # How a token calls its repository, by name or with the numbers that no other ever gets.
  tokens_of = { for name, it in var.github : name => "repo:${
    it.ids == null ? name : format("%s@%d/%s@%d", split("/", name)[0], it.ids.owner, split("/", name)[1], it.ids.repository)
  }" }

  # What a token says of a branch. That of a pull request says `pull_request` instead, that of a
  # tag `refs/tags/`: no pattern of branches fits those.
  subjects = { for name, it in var.github : name => [for branch in it.branches : "${local.tokens_of[name]}:ref:refs/heads/${branch}"] }
  exact    = { for name, subjects in local.subjects : name => [for subject in subjects : subject if !strcontains(subject, "*")] }
  patterns = { for name, subjects in local.subjects : name => [for subject in subjects : subject if strcontains(subject, "*")] }

  for_aws = { "${local.issuer}:aud" = "sts.amazonaws.com" }

  # All conditions of a statement have to hold, so names and patterns are two statements.
  conditions = { for name in keys(var.github) : name => concat(
    [for subjects in [local.exact[name]] : { StringEquals = merge(local.for_aws, { "${local.issuer}:sub" = subjects }) } if length(subjects) > 0],
    [for subjects in [local.patterns[name]] : { StringEquals = local.for_aws, StringLike = { "${local.issuer}:sub" = subjects } } if length(subjects) > 0],
  ) }

  oidc_provider_arn = var.create_oidc_provider ? one(aws_iam_openid_connect_provider.github[*].arn) : var.oidc_provider_arn
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_oidc_provider && length(var.github) > 0 ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
  tags           = var.tags
}

resource "aws_iam_role" "github" {
  for_each = var.github

  name                 = local.role_names[each.key]
  description          = "GitHub Actions of ${each.key} push images"
  max_session_duration = var.max_session_seconds
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for condition in local.conditions[each.key] : {
      Effect    = "Allow"
      Principal = { Federated = local.oidc_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = condition
    }]
  })

  lifecycle {
    precondition {
      condition     = var.create_oidc_provider != (var.oidc_provider_arn != null)
      error_message = "Roles for GitHub need one identity provider: leave create_oidc_provider on, or switch it off and give oidc_provider_arn."
    }
  }
}

resource "aws_iam_role_policy" "github" {
  for_each = var.github

  name   = "push"
  role   = aws_iam_role.github[each.key].name
  policy = local.policies[each.key]

  lifecycle {
    precondition {
      condition     = length(local.unknown[each.key]) == 0
      error_message = "${each.key} is to push to ${join(", ", local.unknown[each.key])}, of which repository_arns knows nothing: add the repository, or correct its name."
    }
  }
}
