# What everybody sets, and what is where. Options of the network and the cluster are in variables-*.tf.
# What one module alone can judge is validated there.

variable "region" {
  description = "Where everything is made, such as eu-west-1; only billing alarms are in us-east-1."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-[0-9]$", var.region))
    error_message = "region must be one of AWS's public regions, such as \"eu-west-1\"; a zone such as eu-west-1a is not one, and China and GovCloud have no billing alarms."
  }
}

variable "name" {
  description = "What names of everything begin with, and the cluster's name."
  type        = string
  default     = "promoter"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}$", var.name))
    error_message = "name must begin with a lower-case letter and have 2 to 28 lower-case letters, digits and hyphens, such as \"promoter\"."
  }
}

variable "tags" {
  description = "Tags of everything, besides `project` and `managed-by`."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "apps" {
  description = "Your apps and the images of their checks. Each has a repository of this name; taken off the list, it is destroyed, which ECR refuses while it holds images."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.apps) > 0
    error_message = "apps must name one app at least, such as [\"hello-a\", \"hello-b\", \"hello-tests\"]: without a repository there is nothing to promote."
  }
}

variable "environment" {
  description = "Name of the environment that `promoter config import-terraform` writes: environments/<name>.toml."
  type        = string
  default     = "v2"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.environment))
    error_message = "environment must have lower-case letters, digits and hyphens within, such as \"v2\"."
  }
}

variable "namespace" {
  description = "Namespace of the cluster that the environment's groups run in."
  type        = string
  default     = "v2"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace must be a name that Kubernetes takes: at most 63 lower-case letters, digits and hyphens within, such as \"v2\"."
  }
}

variable "install_promoter" {
  description = "Whether to make what a promoter inside the cluster needs: its role and the queue of pushed images."
  type        = bool
  default     = true
  nullable    = false
}

variable "promoter_metrics" {
  description = "Whether the environment has promoter put its own metrics into CloudWatch: about 0.30 USD per metric and month."
  type        = bool
  default     = false
  nullable    = false
}

variable "headlamp" {
  description = "Whether the output `commands` tells how to put the Kubernetes UI Headlamp into the cluster."
  type        = bool
  default     = false
  nullable    = false
}
