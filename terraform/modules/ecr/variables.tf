variable "repositories" {
  description = "Names of the repositories to create, one for each app. Taking a name off the list destroys its repository, which ECR refuses while it holds images (see `force_delete`)."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for name in var.repositories : length(name) >= 2 && length(name) <= 256
      && can(regex("^([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*$", name))
    ])
    error_message = "ECR refuses such a repository name: use 2 to 256 lower-case letters and digits, with single `.`, `_`, `-` or `/` between them, like team/hello-a."
  }

  validation {
    condition     = length(distinct(var.repositories)) == length(var.repositories)
    error_message = "A repository is named twice in repositories: name each once."
  }
}

variable "existing_repositories" {
  description = "Names of repositories that exist already and belong to somebody else. They are looked up and passed on in the outputs; nothing of them is changed."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(distinct(var.existing_repositories)) == length(var.existing_repositories)
    error_message = "A repository is named twice in existing_repositories: name each once."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts images. Null takes ECR's own AES-256. It is for good: another value replaces the repositories."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, like arn:aws:kms:eu-west-1:123456789012:key/0f3a…; ECR takes no alias here."
  }
}

variable "moving_prefixes" {
  description = "Tags that begin with one of these may be moved to another image. All others are immutable."
  type        = list(string)
  default     = ["branch.", "env.", "live."]
  nullable    = false

  validation {
    condition     = alltrue([for prefix in var.moving_prefixes : can(regex("^[a-z0-9_][a-z0-9_-]*\\.$", prefix))])
    error_message = "A moving prefix is a word and a dot, like branch.: write it so, without a wildcard."
  }

  validation {
    condition     = !contains(var.moving_prefixes, "cert.")
    error_message = "cert. marks what was certified and has to stay immutable: take it off moving_prefixes."
  }

  validation {
    condition     = length(var.moving_prefixes) >= 1 && length(var.moving_prefixes) <= 5
    error_message = "ECR takes one to five exclusions from immutability: name as many moving_prefixes."
  }

  validation {
    condition     = length(distinct(var.moving_prefixes)) == length(var.moving_prefixes)
    error_message = "A prefix is in moving_prefixes twice: name each once."
  }
}

variable "force_delete" {
  description = "Whether destroying a repository deletes the images in it. Leave it off, and empty what you mean to lose by hand."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false
}
