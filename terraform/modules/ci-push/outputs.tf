output "github_role_arns" {
  description = "ARN of the role of each GitHub repository: what `role-to-assume` of its workflow is set to."
  value       = tomap({ for name, role in aws_iam_role.github : name => role.arn })
}

output "oidc_provider_arn" {
  description = "ARN of the identity provider of GitHub Actions, or null where no repository needs one."
  value       = length(var.github) > 0 ? local.oidc_provider_arn : null
}

output "travis_user_name" {
  description = "Name of the user for Travis, or null: what `aws iam create-access-key` is called with."
  value       = one(values(aws_iam_user.travis)[*].name)
}
