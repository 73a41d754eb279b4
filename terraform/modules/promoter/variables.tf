variable "name_prefix" {
  description = "What the names of role, rule and queues begin with."
  type        = string
  default     = "promoter"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name_prefix))
    error_message = "name_prefix must be up to 40 lower-case letters, digits and `-`, and begin with a letter."
  }
}

variable "cluster_name" {
  description = "Name of the EKS cluster that promoter runs in. Pass the output of what makes the cluster, so that the association waits for it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$", var.cluster_name))
    error_message = "cluster_name must be the bare name of an EKS cluster (up to 100 letters, digits, `_` and `-`), not its ARN."
  }
}

variable "repository_arns" {
  description = "ARN of each ECR repository that promoter looks at, by its name, as the module ecr puts them out."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.repository_arns) > 0
    error_message = "There is no repository to promote from: pass the output repository_arns of the module ecr."
  }

  validation {
    condition     = alltrue([for arn in values(var.repository_arns) : can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9._/-]+$", arn))])
    error_message = "An entry of repository_arns is not the ARN of one ECR repository: give arn:aws:ecr:REGION:ACCOUNT:repository/NAME, without wildcards."
  }
}

variable "namespace" {
  description = "Kubernetes namespace that promoter runs in."
  type        = string
  default     = "promoter"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace must be a Kubernetes name: up to 63 lower-case letters, digits and `-`, with a letter or digit at both ends."
  }
}

variable "service_account" {
  description = "Kubernetes service account that promoter runs as. Only pods of it get the role."
  type        = string
  default     = "promoter"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.service_account))
    error_message = "service_account must be a Kubernetes name: up to 63 lower-case letters, digits and `-`, with a letter or digit at both ends."
  }
}

variable "queue_retention_seconds" {
  description = "How long a push waits in the queue for a promoter that is down. Four days unless told."
  type        = number
  default     = 345600
  nullable    = false

  validation {
    condition     = var.queue_retention_seconds >= 60 && var.queue_retention_seconds <= 1209600 && floor(var.queue_retention_seconds) == var.queue_retention_seconds
    error_message = "queue_retention_seconds must be 60 to 1209600: SQS keeps messages a minute to 14 days."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of a policy that bounds what the role may do, where the account demands one."
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
