# Who may push where, and that nobody else may.

mock_provider "aws" {
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/promoter-travis-push" }
  }

  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
}

variables {
  repository_arns = {
    hello-a     = "arn:aws:ecr:eu-west-1:123456789012:repository/hello-a"
    hello-b     = "arn:aws:ecr:eu-west-1:123456789012:repository/hello-b"
    hello-tests = "arn:aws:ecr:eu-west-1:123456789012:repository/hello-tests"
  }
}

run "nothing_unless_asked_for" {
  command = apply

  assert {
    condition     = length(output.github_role_arns) == 0 && output.oidc_provider_arn == null && output.travis_user_name == null
    error_message = "no repository, no role, no provider, no user"
  }
}

run "a_role_for_each_repository" {
  command = apply

  variables {
    github = {
      "acme/hello-a" = { repositories = ["hello-a"] }
      "acme/hello-b" = { repositories = ["hello-b", "hello-tests"], branches = ["master", "release/*"] }
    }
  }

  assert {
    condition     = toset([for role in aws_iam_role.github : role.name]) == toset(["promoter-push-acme.hello-a", "promoter-push-acme.hello-b"])
    error_message = "roles are named by their repositories"
  }

  assert {
    condition = jsondecode(aws_iam_role.github["acme/hello-a"].assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
        StringLike   = { "token.actions.githubusercontent.com:sub" = ["repo:acme/hello-a:ref:refs/heads/*"] }
      }
    }]
    error_message = "every branch of this repository, and never a pull request"
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role.github["acme/hello-b"].assume_role_policy).Statement : statement.Condition] == [
      {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = ["repo:acme/hello-b:ref:refs/heads/master"]
        }
      },
      {
        StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
        StringLike   = { "token.actions.githubusercontent.com:sub" = ["repo:acme/hello-b:ref:refs/heads/release/*"] }
      },
    ]
    error_message = "a name as it is, a pattern as a pattern"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.github["acme/hello-b"].policy).Statement == [
      { Sid = "LogIn", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      {
        Sid    = "Push"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"
        ]
        Resource = [
          "arn:aws:ecr:eu-west-1:123456789012:repository/hello-b",
          "arn:aws:ecr:eu-west-1:123456789012:repository/hello-tests"
        ]
      },
    ]
    error_message = "push, to its own repositories, and nothing else"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 1 && aws_iam_openid_connect_provider.github[0].client_id_list == toset(["sts.amazonaws.com"])
    error_message = "one identity provider for all"
  }

  assert {
    condition     = output.travis_user_name == null && length(aws_iam_policy.travis) == 0
    error_message = "no user unless asked for"
  }
}

run "a_repository_known_by_its_numbers" {
  command = apply

  variables {
    github = { "acme/hello-a" = { repositories = ["hello-a"], branches = ["main"], ids = { owner = 123456, repository = 1234567890 } } }
  }

  assert {
    condition = jsondecode(aws_iam_role.github["acme/hello-a"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == [
      "repo:acme@123456/hello-a@1234567890:ref:refs/heads/main"
    ]
    error_message = "numbers behind the names"
  }
}

run "a_long_name" {
  command = apply

  variables {
    github = {
      "acme/the-application-that-says-hello-to-everybody-first"  = { repositories = ["hello-a"] }
      "acme/the-application-that-says-hello-to-everybody-second" = { repositories = ["hello-b"] }
    }
  }

  assert {
    condition = (
      length(distinct([for role in aws_iam_role.github : role.name])) == 2
      && alltrue([for role in aws_iam_role.github : length(role.name) <= 64])
    )
    error_message = "IAM takes 64 characters"
  }
}

run "an_identity_provider_that_exists" {
  command = apply

  variables {
    github               = { "acme/hello-a" = { repositories = ["hello-a"] } }
    create_oidc_provider = false
    oidc_provider_arn    = "arn:aws:iam::210987654321:oidc-provider/token.actions.githubusercontent.com"
  }

  assert {
    condition = (
      length(aws_iam_openid_connect_provider.github) == 0
      && jsondecode(aws_iam_role.github["acme/hello-a"].assume_role_policy).Statement[0].Principal.Federated == "arn:aws:iam::210987654321:oidc-provider/token.actions.githubusercontent.com"
    )
    error_message = "no second one"
  }
}

run "bounded" {
  command = apply

  variables {
    github                   = { "acme/hello-a" = { repositories = ["hello-a"] } }
    travis_repositories      = ["hello-a"]
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition = (
      aws_iam_role.github["acme/hello-a"].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
      && aws_iam_user.travis["travis"].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    )
    error_message = "roles and user are bounded"
  }
}

run "travis" {
  command = apply

  variables {
    travis_repositories = ["hello-b", "hello-a"]
  }

  assert {
    condition     = output.travis_user_name == "promoter-travis" && length(aws_iam_openid_connect_provider.github) == 0
    error_message = "a user, and nothing of GitHub"
  }

  assert {
    condition = jsondecode(aws_iam_policy.travis["travis"].policy).Statement[1].Resource == [
      "arn:aws:ecr:eu-west-1:123456789012:repository/hello-a",
      "arn:aws:ecr:eu-west-1:123456789012:repository/hello-b"
    ]
    error_message = "the repositories named"
  }

  assert {
    condition     = aws_iam_user_policy_attachment.travis["travis"].user == "promoter-travis"
    error_message = "and the user has it"
  }
}
