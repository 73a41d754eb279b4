variable "name_prefix" {
  description = "What the names of roles and of the user begin with."
  type        = string
  default     = "promoter"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,29}$", var.name_prefix))
    error_message = "name_prefix must be up to 30 lower-case letters, digits and `-`, and begin with a letter."
  }
}

variable "repository_arns" {
  description = "ARN of each ECR repository by its name, as the module ecr puts them out."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.repository_arns) : can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9._/-]+$", arn))])
    error_message = "An entry of repository_arns is not the ARN of one ECR repository: give arn:aws:ecr:REGION:ACCOUNT:repository/NAME, without wildcards."
  }
}

variable "github" {
  description = "GitHub repositories whose Actions may push, by `owner/name` as GitHub spells it: to which ECR repositories, and from which branches (`*` stands for anything). `ids` are the numbers of owner and repository, for those whose tokens carry them; see the README."
  type = map(object({
    repositories = list(string)
    branches     = optional(list(string), ["*"])
    ids = optional(object({
      owner      = number
      repository = number
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.github) : can(regex("^[A-Za-z0-9]([A-Za-z0-9_-]{0,38})/[A-Za-z0-9._-]{1,100}$", name))])
    error_message = "A key of github is not one GitHub repository: write owner/name, without wildcards, since each repository has a role of its own."
  }

  validation {
    condition     = length(distinct([for name in keys(var.github) : lower(name)])) == length(var.github)
    error_message = "Two keys of github differ in case only, which is the same repository to GitHub: keep the one that GitHub shows."
  }

  validation {
    condition     = alltrue([for it in values(var.github) : length(it.repositories) > 0])
    error_message = "A repository of github may push to nothing: name its ECR repositories, or take it out."
  }

  validation {
    condition     = alltrue([for it in values(var.github) : length(it.branches) > 0])
    error_message = "A repository of github may push from no branch: name some, or leave branches out for all of them."
  }

  validation {
    condition     = alltrue(flatten([for it in values(var.github) : [for branch in it.branches : can(regex("^[A-Za-z0-9._/+#@=*-]+$", branch))]]))
    error_message = "A branch of github has a character that would mean something else to IAM: use letters, digits and . _ / + # @ = -, and * for the rest."
  }

  validation {
    condition     = alltrue(flatten([for it in values(var.github) : [for branch in it.branches : !startswith(branch, "refs/")]]))
    error_message = "A branch of github begins with refs/: write the bare name, like main. Tags get no role."
  }

  validation {
    condition = alltrue([for it in values(var.github) : it.ids == null ? true : alltrue([
      for id in [it.ids.owner, it.ids.repository] : id >= 1 && floor(id) == id
    ])])
    error_message = "ids of github are whole numbers: `gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them."
  }
}

variable "create_oidc_provider" {
  description = "Whether to make the identity provider of GitHub Actions. An account has one at most: switch it off where it exists, and give `oidc_provider_arn`."
  type        = bool
  default     = true
  nullable    = false
}

variable "oidc_provider_arn" {
  description = "With `create_oidc_provider = false`: ARN of the identity provider that exists."
  type        = string
  default     = null

  validation {
    condition     = var.oidc_provider_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn must be arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com."
  }
}

variable "max_session_seconds" {
  description = "How long a role may be held at most. A workflow asks for an hour unless it says otherwise."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.max_session_seconds >= 3600 && var.max_session_seconds <= 43200 && floor(var.max_session_seconds) == var.max_session_seconds
    error_message = "max_session_seconds must be 3600 to 43200: IAM takes one to twelve hours."
  }
}

variable "travis_repositories" {
  description = "ECR repositories that a user for Travis may push to; none makes no user. Travis CI knows no OIDC, so it needs a key that lasts: prefer GitHub Actions."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(distinct(var.travis_repositories)) == length(var.travis_repositories)
    error_message = "A repository is in travis_repositories twice: name each once."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of a policy that bounds what roles and user may do, where the account demands one."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of a policy, like arn:aws:iam::123456789012:policy/boundary."
  }
}

variable "tags" {
  description = "Tags of every resource that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
}
