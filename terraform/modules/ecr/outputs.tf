output "repository_names" {
  description = "Names of all repositories, sorted."
  value       = tolist(keys(local.repositories))

  precondition {
    condition     = length(var.repositories) + length(var.existing_repositories) > 0
    error_message = "There is no repository: name one for each app in repositories, or in existing_repositories if it is there already."
  }

  precondition {
    condition     = length(setintersection(var.repositories, var.existing_repositories)) == 0
    error_message = "Some names are in repositories and in existing_repositories (${join(", ", setintersection(var.repositories, var.existing_repositories))}): leave each in one, and take it into repositories only with an import block."
  }
}

output "repository_arns" {
  description = "ARN of each repository by its name."
  value       = tomap({ for name, repository in local.repositories : name => repository.arn })
}

output "repository_urls" {
  description = "What images of each repository are pulled from, by its name, like 123456789012.dkr.ecr.eu-west-1.amazonaws.com/hello-a."
  value       = tomap({ for name, repository in local.repositories : name => repository.repository_url })
}

output "registry" {
  description = "Account and region of the registry."
  value = {
    account = data.aws_caller_identity.current.account_id
    region  = data.aws_region.current.region
  }
}

output "lifecycle_policy" {
  description = "The lifecycle policy of the created repositories, as JSON: what to give to a preview before it is applied to repositories with images."
  value       = local.lifecycle_policy
}
