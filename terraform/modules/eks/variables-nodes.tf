variable "instance_types" {
  description = "EC2 types of nodes, of one size and architecture. With `spot` name several: the more, the rarer none is to be had."
  type        = list(string)
  default     = ["t3.medium"]
  nullable    = false

  validation {
    condition     = length(var.instance_types) > 0 && length(var.instance_types) <= 20 && alltrue([for type in var.instance_types : can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", type))])
    error_message = "instance_types must name 1 to 20 types such as [\"t3.medium\"]."
  }

  validation {
    condition     = !anytrue([for type in var.instance_types : can(regex("\\.(nano|micro|small)$", type)) || can(regex("^(t1|t2|m1|m2|m3|m4|c1|c3|c4|r3|r4|i2|d2)\\.", type))])
    error_message = "instance_types: take a Nitro type of size medium or more, such as t3.medium: smaller ones have no room beside what the cluster itself runs, older ones (t2, m4, ...) cannot give pods whole ranges of addresses."
  }
}

variable "architecture" {
  description = "Of the nodes, and so of your images: `x86_64`, or `arm64` (types such as t4g.medium, about a fifth cheaper)."
  type        = string
  default     = "x86_64"
  nullable    = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be \"x86_64\" or \"arm64\"."
  }

  # Graviton's families have a g behind their generation: t4g, m7gd, c6gn. a1 is the first.
  validation {
    condition     = alltrue([for type in var.instance_types : can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", type)) == (var.architecture == "arm64")])
    error_message = "architecture ${var.architecture} does not go with instance_types ${join(", ", var.instance_types)}: t4g, m7g, c7g and the like are arm64, others are x86_64."
  }
}

variable "spot" {
  description = "Whether nodes are spot instances: about 60 to 70 % cheaper, and taken away with two minutes' notice."
  type        = bool
  default     = false
  nullable    = false
}

variable "nodes" {
  description = <<-EOT
    How many nodes. While a group is promoted, both colours run: `desired` has to hold all requests of your largest group twice, beside 0.4 CPUs and
    0.4 GiB per node for the cluster itself. With `cluster_autoscaler`, `desired` counts for the first apply only.
  EOT
  type = object({
    min     = optional(number, 2)
    desired = optional(number, 2)
    max     = optional(number, 4)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.nodes.min >= 1 && var.nodes.min <= var.nodes.desired && var.nodes.desired <= var.nodes.max && alltrue([for count in [var.nodes.min, var.nodes.desired, var.nodes.max] : floor(count) == count])
    error_message = "nodes must be whole numbers with 1 <= min <= desired <= max, such as { min = 2, desired = 2, max = 4 }."
  }
}

variable "disk_gib" {
  description = "Size of a node's encrypted volume. It holds the images of both colours."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.disk_gib >= 20 && var.disk_gib <= 16384 && floor(var.disk_gib) == var.disk_gib
    error_message = "disk_gib must be a whole number from 20, the size of the nodes' own image, to 16384."
  }
}

variable "cluster_autoscaler" {
  description = "Whether the cluster autoscaler moves the number of nodes between `nodes.min` and `nodes.max`. Makes its IAM role and leaves the number to it; install it with what the output `cluster_autoscaler_command` says."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_network_policy" {
  description = "Whether the network enforces NetworkPolicies. Groups with `isolation = \"network-policy\"` need it."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_prefix_delegation" {
  description = "Whether nodes take addresses for pods in ranges of 16. Without it a t3.medium has room for 17 pods, with it for 110; both colours of a group need theirs."
  type        = bool
  default     = true
  nullable    = false
}

variable "addon_versions" {
  description = "Versions of add-ons, by their names. Those not named get EKS's default when they are made, and stay at it: a second apply upgrades nothing."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.addon_versions), ["vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns", "metrics-server"])) == 0
    error_message = "addon_versions may name vpc-cni, kube-proxy, eks-pod-identity-agent, coredns and metrics-server; `aws eks describe-addon-versions --addon-name NAME` lists versions."
  }
}

variable "instance_tags" {
  description = "Tags of instances and volumes, which the provider's default tags do not reach."
  type        = map(string)
  default     = {}
  nullable    = false
}
