# What is created, what is only looked up, and what registries are told.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
}

variables {
  repositories = ["hello-b", "hello-a"]
}

run "safe_by_default" {
  command = plan

  assert {
    condition     = toset(keys(aws_ecr_repository.this)) == toset(["hello-a", "hello-b"])
    error_message = "one repository for each name"
  }

  assert {
    condition = alltrue([for repository in aws_ecr_repository.this :
      repository.image_scanning_configuration[0].scan_on_push
      && repository.encryption_configuration[0].encryption_type == "AES256"
      && repository.image_tag_mutability == "IMMUTABLE_WITH_EXCLUSION"
      && !repository.force_delete
    ])
    error_message = "scanned, encrypted, immutable, and not deleted with images in it"
  }

  assert {
    condition = (
      aws_ecr_repository.this["hello-a"].image_tag_mutability_exclusion_filter[*].filter == tolist(["branch.*", "env.*", "live.*"])
      && distinct(aws_ecr_repository.this["hello-a"].image_tag_mutability_exclusion_filter[*].filter_type) == tolist(["WILDCARD"])
    )
    error_message = "branch., env. and live. move; cert. does not"
  }

  assert {
    condition = (
      length(aws_ecr_repository_policy.pull) == 0
      && length(aws_ecr_replication_configuration.this) == 0
      && length(aws_ecr_pull_through_cache_rule.docker_hub) == 0
      && length(aws_ecr_repository_creation_template.docker_hub) == 0
    )
    error_message = "nothing that was not asked for"
  }

  assert {
    condition     = output.repository_names == tolist(["hello-a", "hello-b"])
    error_message = "names are sorted"
  }

  assert {
    condition     = output.registry == { account = "123456789012", region = "eu-west-1" }
    error_message = "the registry is the caller's"
  }
}

run "a_key_of_ones_own" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/0f3a"
  }

  assert {
    condition = (
      aws_ecr_repository.this["hello-a"].encryption_configuration[0].encryption_type == "KMS"
      && aws_ecr_repository.this["hello-a"].encryption_configuration[0].kms_key == "arn:aws:kms:eu-west-1:123456789012:key/0f3a"
    )
    error_message = "the key encrypts"
  }
}

run "existing_ones_are_only_looked_up" {
  command = plan

  variables {
    repositories          = ["hello-b"]
    existing_repositories = ["hello-a"]
    pull_account_ids      = ["210987654321"]
  }

  assert {
    condition     = keys(aws_ecr_repository.this) == ["hello-b"]
    error_message = "an existing repository is not created"
  }

  assert {
    condition     = keys(aws_ecr_lifecycle_policy.this) == ["hello-b"] && keys(aws_ecr_repository_policy.pull) == ["hello-b"]
    error_message = "an existing repository gets no policy"
  }

  assert {
    condition     = output.repository_names == tolist(["hello-a", "hello-b"])
    error_message = "both are passed on"
  }
}

run "nothing_but_existing_ones" {
  command = plan

  variables {
    repositories          = []
    existing_repositories = ["hello-a"]
  }

  assert {
    condition     = output.repository_names == tolist(["hello-a"]) && length(aws_ecr_repository.this) == 0
    error_message = "no repository is created"
  }
}

run "other_accounts_may_pull_and_no_more" {
  command = plan

  variables {
    pull_account_ids = ["210987654321"]
  }

  assert {
    condition = jsondecode(aws_ecr_repository_policy.pull["hello-a"].policy).Statement == [{
      Sid       = "PullFromOtherAccounts"
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::210987654321:root"] }
      Action    = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
    error_message = "pull, by the accounts named"
  }
}

run "replication" {
  command = plan

  variables {
    replication = [{ region = "eu-central-1" }, { region = "us-east-1", account_id = "210987654321" }]
  }

  assert {
    condition = [
      for to in aws_ecr_replication_configuration.this[0].replication_configuration[0].rule[0].destination : "${to.registry_id} ${to.region}"
    ] == ["123456789012 eu-central-1", "210987654321 us-east-1"]
    error_message = "to this account unless told"
  }

  assert {
    condition     = aws_ecr_replication_configuration.this[0].replication_configuration[0].rule[0].repository_filter[*].filter == tolist(["hello-a", "hello-b"])
    error_message = "only the created repositories"
  }
}

run "docker_hub_cache" {
  command = plan

  variables {
    docker_hub_cache = { credential_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/docker-hub-Ab12Cd" }
  }

  assert {
    condition = (
      aws_ecr_pull_through_cache_rule.docker_hub[0].ecr_repository_prefix == "docker-hub"
      && aws_ecr_pull_through_cache_rule.docker_hub[0].upstream_registry_url == "registry-1.docker.io"
    )
    error_message = "Docker Hub under docker-hub/"
  }

  assert {
    condition = (
      aws_ecr_repository_creation_template.docker_hub[0].image_tag_mutability == "MUTABLE"
      && jsondecode(aws_ecr_repository_creation_template.docker_hub[0].lifecycle_policy).rules[0].selection.countNumber == 30
    )
    error_message = "cached images move, and expire"
  }
}
