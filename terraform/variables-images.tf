# Images and who pushes them.

variable "existing_repositories" {
  description = "Those of `apps` whose repositories exist already: they are looked up, and nothing of them is changed."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.existing_repositories, var.apps)) == 0
    error_message = "existing_repositories must be among apps: add ${join(", ", setsubtract(var.existing_repositories, var.apps))} there as well."
  }
}

variable "image_branches" {
  description = "How many images of which branches are kept; see modules/ecr."
  type        = list(object({ pattern = string, keep = number }))
  default = [
    { pattern = "master-*", keep = 100 },
    { pattern = "main-*", keep = 100 },
    { pattern = "develop-*", keep = 100 },
  ]
  nullable = false
}

variable "image_others" {
  description = "How many images of all other branches are kept (`keep`), or how long (`days`); see modules/ecr."
  type        = object({ keep = optional(number), days = optional(number) })
  default     = { keep = 1000 }
  nullable    = false
}

variable "image_pull_account_ids" {
  description = "Other AWS accounts that may pull the images."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "image_replication" {
  description = "Other regions and accounts that ECR copies every image to. One setting for the whole registry: leave it out where somebody else owns it."
  type        = list(object({ region = string, account_id = optional(string) }))
  default     = []
  nullable    = false
}

variable "docker_hub_cache" {
  description = "A cache of Docker Hub in ECR, with the ARN of the secret `ecr-pullthroughcache/...` that has its credentials; see modules/ecr."
  type        = object({ credential_arn = string, prefix = optional(string, "docker-hub"), days = optional(number, 30) })
  default     = null
}

variable "delete_images_with_repositories" {
  description = "Whether `terraform destroy` deletes repositories that still have images."
  type        = bool
  default     = false
  nullable    = false
}

variable "github_repositories" {
  description = "GitHub repositories whose workflows push: which ECR repositories, from which branches. Each gets a role of its own; see modules/ci-push."
  type = map(object({
    repositories = list(string)
    branches     = optional(list(string), ["*"])
    ids          = optional(object({ owner = number, repository = number }))
  }))
  default  = {}
  nullable = false
}

variable "existing_github_oidc_provider_arn" {
  description = "The account's OIDC provider of GitHub, if it has one: there can be only one."
  type        = string
  default     = null
}

variable "travis_repositories" {
  description = "ECR repositories that an IAM user for Travis may push to. Empty: no such user."
  type        = list(string)
  default     = []
  nullable    = false
}
