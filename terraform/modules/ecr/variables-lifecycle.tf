variable "protected_prefixes" {
  description = "Images with a tag that begins with one of these never expire, whatever the other rules say."
  type        = list(string)
  default     = ["cert.", "env.", "live."]
  nullable    = false

  validation {
    condition     = alltrue([for prefix in var.protected_prefixes : can(regex("^[a-z0-9_][a-z0-9_-]*\\.$", prefix))])
    error_message = "A protected prefix is a word and a dot, like cert.: write it so, without a wildcard."
  }

  validation {
    condition     = length(distinct(var.protected_prefixes)) == length(var.protected_prefixes)
    error_message = "A prefix is in protected_prefixes twice: name each once."
  }

  validation {
    condition     = !contains(var.protected_prefixes, "branch.")
    error_message = "branch. has a rule of its own: say how many to keep with keep_branch_heads."
  }
}

variable "keep_branch_heads" {
  description = "How many images with a moving tag `branch.<slug>` stay: the newest image of so many branches."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.keep_branch_heads >= 1 && floor(var.keep_branch_heads) == var.keep_branch_heads
    error_message = "keep_branch_heads must be a whole number, at least 1."
  }
}

variable "branches" {
  description = "Patterns of tags of the branches that matter, and how many of their images stay. The first pattern that fits an image counts."
  type = list(object({
    pattern = string
    keep    = number
  }))
  default = [
    { pattern = "master-*", keep = 100 },
    { pattern = "main-*", keep = 100 },
  ]
  nullable = false

  validation {
    condition     = alltrue([for branch in var.branches : can(regex("^[0-9A-Za-z_*][0-9A-Za-z._*-]{0,127}$", branch.pattern))])
    error_message = "A branch pattern has the characters of a tag and `*` for anything, like release-*: write the branch's slug, not its name."
  }

  validation {
    condition     = alltrue([for branch in var.branches : length(regexall("[*]", branch.pattern)) <= 4])
    error_message = "ECR takes at most four `*` in a branch pattern: use fewer."
  }

  validation {
    condition     = alltrue([for branch in var.branches : branch.keep >= 1 && floor(branch.keep) == branch.keep])
    error_message = "keep of a branch pattern must be a whole number, at least 1."
  }

  validation {
    condition     = length(distinct(var.branches[*].pattern)) == length(var.branches)
    error_message = "A pattern is in branches twice, which ECR refuses: name each once."
  }

  validation {
    condition     = !contains(var.branches[*].pattern, "*")
    error_message = "The branch pattern `*` would leave nothing to the rules after it: use `others` for what no pattern names."
  }
}

variable "untagged_days" {
  description = "Days after which an image without a tag expires. One that an index (a multi-arch image) refers to stays as long as the index."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "untagged_days must be a whole number, at least 1."
  }
}

variable "others" {
  description = "What happens to all other images: `keep` so many in the repository, or expire them `days` after their push. `{}` keeps them for ever."
  type = object({
    keep = optional(number)
    days = optional(number)
  })
  default  = { keep = 1000 }
  nullable = false

  validation {
    condition     = var.others.keep == null || var.others.days == null
    error_message = "ECR takes one rule for all other images: give either keep or days in others."
  }

  validation {
    condition     = alltrue([for n in [var.others.keep, var.others.days] : n == null ? true : n >= 1 && floor(n) == n])
    error_message = "keep and days of others must be whole numbers, at least 1."
  }
}
