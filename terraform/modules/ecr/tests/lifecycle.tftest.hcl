# The rules by which images expire: their order decides what is protected.

mock_provider "aws" {}

variables {
  repositories = ["hello-a"]
}

run "protected_prefixes_outrank_the_rest" {
  command = plan

  assert {
    condition = [
      for rule in jsondecode(aws_ecr_lifecycle_policy.this["hello-a"].policy).rules : try(rule.selection.tagPatternList, [rule.selection.tagStatus])
    ] == [["cert.*"], ["env.*"], ["live.*"], ["branch.*"], ["master-*"], ["main-*"], ["untagged"], ["any"]]
    error_message = "protected prefixes, newest of each branch, listed branches, untagged, all others"
  }

  assert {
    condition     = [for rule in jsondecode(output.lifecycle_policy).rules : rule.rulePriority] == [1, 2, 3, 4, 5, 6, 7, 8]
    error_message = "priorities are unique and ascend"
  }

  assert {
    condition = alltrue([
      for rule in slice(jsondecode(output.lifecycle_policy).rules, 0, 3) : rule.selection.countType == "imageCountMoreThan" && rule.selection.countNumber == 100000
    ])
    error_message = "what is protected is never too much"
  }

  assert {
    condition     = alltrue([for rule in jsondecode(output.lifecycle_policy).rules : length(try(rule.selection.tagPatternList, ["one"])) == 1])
    error_message = "the entries of one list are joined by `and`, so each rule has one"
  }

  assert {
    condition     = toset([for rule in jsondecode(output.lifecycle_policy).rules : rule.action.type]) == toset(["expire"])
    error_message = "ECR knows no rule that keeps"
  }

  assert {
    condition     = alltrue([for rule in jsondecode(output.lifecycle_policy).rules : (rule.selection.countType == "sinceImagePushed") == can(rule.selection.countUnit)])
    error_message = "ECR takes a unit with ages only, and demands it there"
  }
}

run "listed_branches_keep_their_last" {
  command = plan

  variables {
    branches = [{ pattern = "release-*", keep = 7 }, { pattern = "master-*", keep = 3 }]
  }

  assert {
    condition = [
      for rule in slice(jsondecode(output.lifecycle_policy).rules, 4, 6) : "${rule.selection.tagPatternList[0]} ${rule.selection.countNumber}"
    ] == ["release-* 7", "master-* 3"]
    error_message = "in the order given"
  }
}

run "others_by_count" {
  command = plan

  assert {
    condition = reverse(jsondecode(output.lifecycle_policy).rules)[0].selection == {
      tagStatus = "any", countType = "imageCountMoreThan", countNumber = 1000
    }
    error_message = "all others are counted unless told, so that what nobody pushes to loses nothing"
  }
}

run "others_by_age" {
  command = plan

  variables {
    others = { days = 180 }
  }

  assert {
    condition = reverse(jsondecode(output.lifecycle_policy).rules)[0].selection == {
      tagStatus = "any", countType = "sinceImagePushed", countUnit = "days", countNumber = 180
    }
    error_message = "all others expire by age"
  }
}

run "others_for_ever" {
  command = plan

  variables {
    others = {}
  }

  assert {
    condition     = reverse(jsondecode(output.lifecycle_policy).rules)[0].selection.tagStatus == "untagged"
    error_message = "no rule for all others"
  }
}

run "too_many_rules" {
  command = plan

  variables {
    branches = [for i in range(45) : { pattern = "branch-${i}-*", keep = 1 }]
  }

  expect_failures = [aws_ecr_lifecycle_policy.this]
}

run "as_many_rules_as_ecr_takes" {
  command = plan

  variables {
    branches = [for i in range(44) : { pattern = "branch-${i}-*", keep = 1 }]
  }

  assert {
    condition     = length(jsondecode(output.lifecycle_policy).rules) == 50
    error_message = "50 rules"
  }
}
