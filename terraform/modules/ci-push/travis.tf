# The fallback: a user for a CI that knows no OIDC. Its key is made by hand, so that it is in no state file.

locals {
  travis_users = length(var.travis_repositories) > 0 ? ["travis"] : []
}

resource "aws_iam_user" "travis" {
  #checkov:skip=CKV_AWS_273:Travis CI cannot sign in with SSO or OIDC, and nobody gets this user unless it is asked for
  for_each = toset(local.travis_users)

  name                 = "${var.name_prefix}-${each.key}"
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  # Terraform made no key of it, and could not delete the user while it has one.
  force_destroy = true
}

# A policy of its own, since what is written into a user may have only 2048 characters.
resource "aws_iam_policy" "travis" {
  for_each = aws_iam_user.travis

  name        = "${var.name_prefix}-${each.key}-push"
  description = "Travis pushes images"
  policy      = local.policies[each.key]
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = length(local.unknown[each.key]) == 0
      error_message = "Travis is to push to ${join(", ", local.unknown[each.key])}, of which repository_arns knows nothing: add the repository, or correct its name."
    }
  }
}

resource "aws_iam_user_policy_attachment" "travis" {
  #checkov:skip=CKV_AWS_40:a group for the only user that may ever have these rights would hide who has them
  for_each = aws_iam_policy.travis

  user       = aws_iam_user.travis[each.key].name
  policy_arn = each.value.arn
}
