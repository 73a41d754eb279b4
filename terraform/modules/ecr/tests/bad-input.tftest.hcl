# Bad input is refused before anything is planned.

mock_provider "aws" {}

variables {
  repositories = ["hello-a"]
}

run "upper_case" {
  command = plan

  variables {
    repositories = ["Hello"]
  }

  expect_failures = [var.repositories]
}

run "double_dash" {
  command = plan

  variables {
    repositories = ["hello--a"]
  }

  expect_failures = [var.repositories]
}

run "leading_slash" {
  command = plan

  variables {
    repositories = ["/hello"]
  }

  expect_failures = [var.repositories]
}

run "one_letter" {
  command = plan

  variables {
    repositories = ["a"]
  }

  expect_failures = [var.repositories]
}

run "a_url" {
  command = plan

  variables {
    repositories = ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/hello:1"]
  }

  expect_failures = [var.repositories]
}

run "named_twice" {
  command = plan

  variables {
    repositories = ["hello-a", "hello-a"]
  }

  expect_failures = [var.repositories]
}

run "no_repository" {
  command = plan

  variables {
    repositories = []
  }

  expect_failures = [output.repository_names]
}

run "existing_named_twice" {
  command = plan

  variables {
    existing_repositories = ["hello-b", "hello-b"]
  }

  expect_failures = [var.existing_repositories]
}

run "created_and_existing" {
  command = plan

  variables {
    existing_repositories = ["hello-a"]
  }

  expect_failures = [output.repository_names]
}

run "a_key_alias" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}

run "certified_images_that_move" {
  command = plan

  variables {
    moving_prefixes = ["branch.", "cert."]
  }

  expect_failures = [var.moving_prefixes]
}

run "moving_wildcard" {
  command = plan

  variables {
    moving_prefixes = ["*"]
  }

  expect_failures = [var.moving_prefixes]
}

run "nothing_moves" {
  command = plan

  variables {
    moving_prefixes = []
  }

  expect_failures = [var.moving_prefixes]
}

run "too_much_moves" {
  command = plan

  variables {
    moving_prefixes = ["a.", "b.", "c.", "d.", "e.", "f."]
  }

  expect_failures = [var.moving_prefixes]
}

run "moving_twice" {
  command = plan

  variables {
    moving_prefixes = ["env.", "env."]
  }

  expect_failures = [var.moving_prefixes]
}

run "protected_wildcard" {
  command = plan

  variables {
    protected_prefixes = ["cert.*"]
  }

  expect_failures = [var.protected_prefixes]
}

run "protected_twice" {
  command = plan

  variables {
    protected_prefixes = ["cert.", "cert."]
  }

  expect_failures = [var.protected_prefixes]
}

run "branch_heads_protected" {
  command = plan

  variables {
    protected_prefixes = ["branch."]
  }

  expect_failures = [var.protected_prefixes]
}

run "no_branch_head" {
  command = plan

  variables {
    keep_branch_heads = 0
  }

  expect_failures = [var.keep_branch_heads]
}

run "half_a_branch_head" {
  command = plan

  variables {
    keep_branch_heads = 1.5
  }

  expect_failures = [var.keep_branch_heads]
}

run "a_branch_for_a_slug" {
  command = plan

  variables {
    branches = [{ pattern = "feature/x", keep = 1 }]
  }

  expect_failures = [var.branches]
}

run "five_wildcards" {
  command = plan

  variables {
    branches = [{ pattern = "a*b*c*d*e*", keep = 1 }]
  }

  expect_failures = [var.branches]
}

run "keep_none" {
  command = plan

  variables {
    branches = [{ pattern = "master-*", keep = 0 }]
  }

  expect_failures = [var.branches]
}

run "pattern_twice" {
  command = plan

  variables {
    branches = [{ pattern = "master-*", keep = 1 }, { pattern = "master-*", keep = 2 }]
  }

  expect_failures = [var.branches]
}

run "pattern_for_all" {
  command = plan

  variables {
    branches = [{ pattern = "*", keep = 1 }]
  }

  expect_failures = [var.branches]
}

run "untagged_at_once" {
  command = plan

  variables {
    untagged_days = 0
  }

  expect_failures = [var.untagged_days]
}

run "others_two_ways" {
  command = plan

  variables {
    others = { keep = 1, days = 1 }
  }

  expect_failures = [var.others]
}

run "others_none" {
  command = plan

  variables {
    others = { keep = 0 }
  }

  expect_failures = [var.others]
}

run "short_account" {
  command = plan

  variables {
    pull_account_ids = ["12345"]
  }

  expect_failures = [var.pull_account_ids]
}

run "no_region" {
  command = plan

  variables {
    replication = [{ region = "Ireland" }]
  }

  expect_failures = [var.replication]
}

run "replication_account" {
  command = plan

  variables {
    replication = [{ region = "eu-central-1", account_id = "1" }]
  }

  expect_failures = [var.replication]
}

run "replication_twice" {
  command = plan

  variables {
    replication = [{ region = "eu-central-1" }, { region = "eu-central-1" }]
  }

  expect_failures = [var.replication]
}

run "replication_to_where_it_is" {
  command = plan

  variables {
    replication = [{ region = "eu-west-1" }]
  }

  override_data {
    target = data.aws_region.current
    values = { region = "eu-west-1" }
  }

  expect_failures = [aws_ecr_replication_configuration.this]
}

run "replication_of_nothing" {
  command = plan

  variables {
    repositories          = []
    existing_repositories = ["hello-a"]
    replication           = [{ region = "eu-central-1" }]
  }

  expect_failures = [aws_ecr_replication_configuration.this]
}

run "secret_that_ecr_does_not_read" {
  command = plan

  variables {
    docker_hub_cache = { credential_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:docker-hub" }
  }

  expect_failures = [var.docker_hub_cache]
}

run "cache_prefix" {
  command = plan

  variables {
    docker_hub_cache = { credential_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/x", prefix = "Docker Hub" }
  }

  expect_failures = [var.docker_hub_cache]
}

run "cache_days" {
  command = plan

  variables {
    docker_hub_cache = { credential_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/x", days = 0 }
  }

  expect_failures = [var.docker_hub_cache]
}
