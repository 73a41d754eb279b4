# What whoever pushes may do: log in to ECR, and push to the repositories named.

locals {
  # Who pushes, and to which repositories. GitHub's names have a slash, so they are never `travis`.
  pushers = merge(
    { for name, it in var.github : name => it.repositories },
    { for user in local.travis_users : user => var.travis_repositories },
  )

  # Names that no ARN is known for: refused where the policy is used.
  unknown = { for pusher, names in local.pushers : pusher => setsubtract(names, keys(var.repository_arns)) }

  policies = { for pusher, names in local.pushers : pusher => jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # It is of the whole registry and opens nothing by itself: IAM knows no narrower one.
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        # To read is needed to skip layers that are there, and to move a tag to an image.
        Sid    = "Push"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = [for name in sort(names) : var.repository_arns[name] if contains(keys(var.repository_arns), name)]
      },
    ]
  }) }
}
