variable "pull_account_ids" {
  description = "Other AWS accounts that may pull from the created repositories."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.pull_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "An AWS account has twelve digits: write it as a string, like \"012345678901\"."
  }
}

variable "replication" {
  description = "Where the created repositories are copied to: regions, of this account unless told. It takes over the registry's only replication configuration."
  type = list(object({
    region     = string
    account_id = optional(string)
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for to in var.replication : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]+$", to.region))])
    error_message = "A region of replication is not one: write it like eu-central-1."
  }

  validation {
    condition     = alltrue([for to in var.replication : to.account_id == null || can(regex("^[0-9]{12}$", to.account_id))])
    error_message = "account_id of replication has twelve digits: write it as a string, like \"012345678901\"."
  }

  validation {
    condition     = length(distinct(var.replication)) == length(var.replication) && length(var.replication) <= 25
    error_message = "ECR replicates to at most 25 different places: name each once."
  }
}

variable "docker_hub_cache" {
  description = "A pull-through cache of Docker Hub under `<registry>/<prefix>/`. `credential_arn` is a secret of Secrets Manager with username and accessToken, whose name begins with ecr-pullthroughcache/. `days` after it was cached an image expires."
  type = object({
    credential_arn = string
    prefix         = optional(string, "docker-hub")
    days           = optional(number, 30)
  })
  default = null

  validation {
    condition = var.docker_hub_cache == null ? true : can(regex(
      "^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:ecr-pullthroughcache/.+$", var.docker_hub_cache.credential_arn
    ))
    error_message = "credential_arn must be the ARN of a secret named ecr-pullthroughcache/…: ECR reads no other. Make one with username and accessToken of Docker Hub."
  }

  validation {
    condition = var.docker_hub_cache == null ? true : length(var.docker_hub_cache.prefix) <= 30 && can(regex(
      "^[a-z0-9]([a-z0-9]|[._-][a-z0-9])+$", var.docker_hub_cache.prefix
    ))
    error_message = "prefix of docker_hub_cache must have 2 to 30 lower-case letters and digits, with single `.`, `_` or `-` between them."
  }

  validation {
    condition     = var.docker_hub_cache == null ? true : var.docker_hub_cache.days >= 1 && floor(var.docker_hub_cache.days) == var.docker_hub_cache.days
    error_message = "days of docker_hub_cache must be a whole number, at least 1."
  }
}
