variable "create" {
  description = "Whether to make a cluster. false: nothing is made, and the cluster `name` is looked up and passed on."
  type        = bool
  default     = true
  nullable    = false
}

variable "name" {
  description = "Name of the cluster; with `create = false` that of the one that exists."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$", var.name))
    error_message = "name must begin with a letter or digit and have at most 100 letters, digits, hyphens and underscores: EKS takes no others."
  }

  validation {
    condition     = !var.create || can(regex("^[a-z][a-z0-9-]{1,27}$", var.name))
    error_message = "the name of a new cluster must begin with a lower-case letter and have 2 to 28 lower-case letters, digits and hyphens: names of roles and nodes are made of it."
  }
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes. Raise it by one at a time; nodes follow."
  type        = string
  default     = "1.35"
  nullable    = false

  validation {
    condition     = contains(var.offered_versions, var.kubernetes_version)
    error_message = "kubernetes_version ${var.kubernetes_version} is none of ${join(", ", var.offered_versions)}. `aws eks describe-cluster-versions --version-status STANDARD_SUPPORT` tells what EKS offers today: choose one of these, and add it to offered_versions if it is new."
  }
}

variable "offered_versions" {
  description = "Versions that EKS offers in standard support. Those past it cost six times as much per hour, and are upgraded by AWS without asking."
  type        = list(string)
  default     = ["1.35", "1.36"]
  nullable    = false

  validation {
    condition     = length(var.offered_versions) > 0 && alltrue([for version in var.offered_versions : can(regex("^1\\.[0-9]{2}$", version))])
    error_message = "offered_versions must be minor versions in quotes, such as \"1.35\"."
  }
}

variable "subnet_ids" {
  description = "Private subnets in two zones or more, for nodes."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = !var.create || length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name two subnets or more, in different zones: EKS makes no cluster in one."
  }
}

variable "control_plane_subnet_ids" {
  description = "Subnets in two zones or more for the control plane's network interfaces; null: `subnet_ids`. EKS never takes another zone than those it began with, so leave it alone when `subnet_ids` gets one more."
  type        = list(string)
  default     = null

  validation {
    condition     = var.control_plane_subnet_ids == null ? true : length(distinct(var.control_plane_subnet_ids)) >= 2
    error_message = "control_plane_subnet_ids must name two subnets or more, in different zones: EKS makes no cluster in one. Or leave it out."
  }
}

variable "service_cidr" {
  description = "Addresses of Services inside the cluster. Must not overlap the VPC, and cannot be changed later."
  type        = string
  default     = "172.20.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.service_cidr)) && can(regex("/(1[2-9]|2[0-4])$", var.service_cidr)) && can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.)", var.service_cidr))
    error_message = "service_cidr must be a private IPv4 range of /12 to /24, such as 172.20.0.0/16."
  }

  validation {
    condition     = try(cidrsubnet(var.service_cidr, 0, 0) == var.service_cidr, true)
    error_message = "service_cidr must be the network's own address: ${try(cidrsubnet(var.service_cidr, 0, 0), "for example 172.20.0.0/16")}."
  }
}

variable "endpoint_public_access" {
  description = "Whether the API server also answers `allowed_cidrs` from outside. It always answers nodes and pods, and inside the VPC `private_cidrs`."
  type        = bool
  default     = true
  nullable    = false
}

variable "allowed_cidrs" {
  description = "Addresses that may reach the API server from outside: an office, a VPN, CI. Ranges as narrow as can be."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "allowed_cidrs must be IPv4 ranges such as 203.0.113.7/32 for one address (`curl -4 https://checkip.amazonaws.com` tells yours). ::/0 and other IPv6 ranges are not for this cluster, whose endpoint has IPv4."
  }

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : try(tonumber(split("/", cidr)[1]) >= 8, true)])
    error_message = "allowed_cidrs must not open the API server to the world: 0.0.0.0/0 and everything wider than /8 is refused. Name the addresses you come from, such as 203.0.113.7/32, or set endpoint_public_access = false."
  }

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : try(cidrsubnet(cidr, 0, 0) == cidr, true)])
    error_message = "allowed_cidrs must be networks' own addresses: write ${join(", ", [for cidr in var.allowed_cidrs : try(cidrsubnet(cidr, 0, 0), cidr)])}."
  }

  validation {
    condition     = !anytrue([for cidr in var.allowed_cidrs : can(regex("^(0\\.|10\\.|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\.|127\\.|169\\.254\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.)", cidr))])
    error_message = "allowed_cidrs are public addresses; EKS refuses private ones. What comes from inside the VPC or through a peering uses the private endpoint: name it in private_cidrs."
  }

  validation {
    condition     = !var.create || !var.endpoint_public_access || (length(var.allowed_cidrs) >= 1 && length(var.allowed_cidrs) <= 40)
    error_message = "allowed_cidrs must name 1 to 40 ranges, such as [\"203.0.113.7/32\"]: with an empty list EKS would open the API server to the world. To have no public endpoint at all set endpoint_public_access = false."
  }
}

variable "private_cidrs" {
  description = "Private addresses that may reach the API server by its private endpoint: a VPN, a peered VPC, a bastion. Nodes and pods always may, nothing else of the VPC does."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.private_cidrs : try(cidrsubnet(cidr, 0, 0) == cidr && tonumber(split("/", cidr)[1]) >= 8 && can(cidrnetmask(cidr)), false)])
    error_message = "private_cidrs must be IPv4 ranges of /8 or narrower by their network's own address, such as 10.0.0.0/16."
  }

  validation {
    condition     = length(distinct(var.private_cidrs)) == length(var.private_cidrs)
    error_message = "A range is in private_cidrs twice: name each once."
  }
}

variable "admin_arns" {
  description = "IAM roles and users that administer the cluster. Whoever runs Terraform is no administrator unless named here."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.admin_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", arn))])
    error_message = "admin_arns must be IAM roles or users, such as arn:aws:iam::123456789012:role/admin. What `aws sts get-caller-identity` shows as ...:assumed-role/NAME/session is a session of the role NAME: give the role, with its path, as `aws iam get-role --role-name NAME --query Role.Arn` tells it."
  }

  validation {
    condition     = !var.create || length(var.admin_arns) > 0
    error_message = "admin_arns must name one IAM role or user at least: otherwise nobody could enter the cluster. `aws sts get-caller-identity` tells who you are."
  }
}

variable "access_entries" {
  description = <<-EOT
    More people and CI jobs that may enter the cluster, by a name of your choice: an IAM role or user, and either one of EKS's access policies
    (`view`, `edit`, `admin`, `cluster-admin`, `admin-view`), in `namespaces` or everywhere, or `groups` that RBAC in the cluster gives rights to, or both.
  EOT
  type = map(object({
    principal_arn = string
    policy        = optional(string)
    namespaces    = optional(set(string), [])
    groups        = optional(set(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for entry in var.access_entries : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", entry.principal_arn))])
    error_message = "access_entries: principal_arn must be an IAM role or user, such as arn:aws:iam::123456789012:role/ci."
  }

  validation {
    condition     = alltrue([for entry in var.access_entries : entry.policy == null ? length(entry.groups) > 0 : contains(["view", "edit", "admin", "cluster-admin", "admin-view"], entry.policy)])
    error_message = "access_entries: policy must be view, edit, admin, cluster-admin or admin-view; without a policy name groups, otherwise the entry gives no right."
  }

  validation {
    condition     = alltrue([for entry in var.access_entries : entry.policy == null ? length(entry.namespaces) == 0 : !(contains(["cluster-admin", "admin-view"], entry.policy) && length(entry.namespaces) > 0)])
    error_message = "access_entries: namespaces go with policy view, edit or admin only."
  }

  validation {
    condition     = alltrue([for entry in var.access_entries : !anytrue([for group in entry.groups : startswith(group, "system:")])])
    error_message = "access_entries: EKS takes no groups that begin with system:; policy = \"cluster-admin\" gives what system:masters would."
  }

  validation {
    condition     = length(distinct(concat([for entry in var.access_entries : entry.principal_arn], tolist(var.admin_arns)))) == length(var.access_entries) + length(var.admin_arns)
    error_message = "access_entries: each IAM role or user has one entry, and those of admin_arns have theirs already."
  }
}

variable "log_types" {
  description = "Logs of the control plane that are kept in CloudWatch."
  type        = set(string)
  default     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.log_types, ["api", "audit", "authenticator", "controllerManager", "scheduler"])) == 0
    error_message = "log_types must be of api, audit, authenticator, controllerManager, scheduler."
  }
}

variable "log_retention_days" {
  description = "Days that these logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs offers: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "kms_key_arn" {
  description = "A KMS key that exists, for the Secrets of the cluster. null: one is made, with rotation."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, as in arn:aws:kms:eu-west-1:123456789012:key/...; an alias will not do."
  }
}

variable "deletion_protection" {
  description = "Whether EKS refuses to delete the cluster, be it by mistake, by a change that replaces it, or by `terraform destroy`."
  type        = bool
  default     = true
  nullable    = false
}

variable "cluster_role_name" {
  description = "Name of the cluster's IAM role; null: `<name>-cluster`. To import a cluster, name the role that it has: another would replace it."
  type        = string
  default     = null
}
