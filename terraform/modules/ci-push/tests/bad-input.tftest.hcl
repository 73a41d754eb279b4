# Bad input is refused before anything is planned.

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

run "all_repositories_of_an_owner" {
  command = plan

  variables {
    github = { "acme/*" = { repositories = ["hello-a"] } }
  }

  expect_failures = [var.github]
}

run "all_owners" {
  command = plan

  variables {
    github = { "*/hello-a" = { repositories = ["hello-a"] } }
  }

  expect_failures = [var.github]
}

run "no_owner" {
  command = plan

  variables {
    github = { "hello-a" = { repositories = ["hello-a"] } }
  }

  expect_failures = [var.github]
}

run "a_url" {
  command = plan

  variables {
    github = { "https://github.com/acme/hello-a" = { repositories = ["hello-a"] } }
  }

  expect_failures = [var.github]
}

run "one_repository_twice" {
  command = plan

  variables {
    github = {
      "acme/hello-a" = { repositories = ["hello-a"] }
      "Acme/hello-a" = { repositories = ["hello-b"] }
    }
  }

  expect_failures = [var.github]
}

run "push_to_nothing" {
  command = plan

  variables {
    github = { "acme/hello-a" = { repositories = [] } }
  }

  expect_failures = [var.github]
}

run "push_from_nowhere" {
  command = plan

  variables {
    github = { "acme/hello-a" = { repositories = ["hello-a"], branches = [] } }
  }

  expect_failures = [var.github]
}

run "a_ref_for_a_branch" {
  command = plan

  variables {
    github = { "acme/hello-a" = { repositories = ["hello-a"], branches = ["refs/heads/main"] } }
  }

  expect_failures = [var.github]
}

run "a_variable_of_iam" {
  command = plan

  variables {
    github = { "acme/hello-a" = { repositories = ["hello-a"], branches = ["$${aws:username}"] } }
  }

  expect_failures = [var.github]
}

run "one_character_of_any" {
  command = plan

  variables {
    github = { "acme/hello-a" = { repositories = ["hello-a"], branches = ["release-?"] } }
  }

  expect_failures = [var.github]
}

run "numbers_that_are_none" {
  command = plan

  variables {
    github = { "acme/hello-a" = { repositories = ["hello-a"], ids = { owner = 0, repository = 1 } } }
  }

  expect_failures = [var.github]
}

run "push_to_the_unknown" {
  command = plan

  variables {
    github = { "acme/hello-a" = { repositories = ["hello-c"] } }
  }

  expect_failures = [aws_iam_role_policy.github]
}

run "travis_to_the_unknown" {
  command = plan

  variables {
    travis_repositories = ["hello-c"]
  }

  expect_failures = [aws_iam_policy.travis]
}

run "travis_twice" {
  command = plan

  variables {
    travis_repositories = ["hello-a", "hello-a"]
  }

  expect_failures = [var.travis_repositories]
}

run "all_ecr_repositories" {
  command = plan

  variables {
    repository_arns = { hello-a = "arn:aws:ecr:eu-west-1:123456789012:repository/*" }
  }

  expect_failures = [var.repository_arns]
}

run "any_resource" {
  command = plan

  variables {
    repository_arns = { hello-a = "*" }
  }

  expect_failures = [var.repository_arns]
}

run "no_identity_provider" {
  command = plan

  variables {
    github               = { "acme/hello-a" = { repositories = ["hello-a"] } }
    create_oidc_provider = false
  }

  expect_failures = [aws_iam_role.github]
}

run "two_identity_providers" {
  command = plan

  variables {
    github            = { "acme/hello-a" = { repositories = ["hello-a"] } }
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  }

  expect_failures = [aws_iam_role.github]
}

run "provider_of_somebody_else" {
  command = plan

  variables {
    github               = { "acme/hello-a" = { repositories = ["hello-a"] } }
    create_oidc_provider = false
    oidc_provider_arn    = "arn:aws:iam::123456789012:oidc-provider/token.example.com"
  }

  expect_failures = [var.oidc_provider_arn]
}

run "half_an_hour" {
  command = plan

  variables {
    max_session_seconds = 1800
  }

  expect_failures = [var.max_session_seconds]
}

run "a_day" {
  command = plan

  variables {
    max_session_seconds = 86400
  }

  expect_failures = [var.max_session_seconds]
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
    name_prefix = "My CI"
  }

  expect_failures = [var.name_prefix]
}
