# Options of modules/eks.

variable "create_cluster" {
  description = "Whether to make an EKS cluster. false: `existing_cluster_name` is used, and nothing of it is changed."
  type        = bool
  default     = true
  nullable    = false
}

variable "existing_cluster_name" {
  description = "The cluster that exists already, with `create_cluster = false`."
  type        = string
  default     = null

  validation {
    condition     = var.create_cluster == (var.existing_cluster_name == null)
    error_message = "existing_cluster_name goes with create_cluster = false: name the cluster that exists already (`aws eks list-clusters`), or leave both out to have one made."
  }
}

variable "allowed_cidrs" {
  description = "Public addresses that may reach the cluster's API server: an office, a VPN, CI. `[\"203.0.113.7/32\"]` is one address; 0.0.0.0/0 is refused."
  type        = list(string)
  nullable    = false
}

variable "endpoint_public_access" {
  description = "Whether the API server answers `allowed_cidrs` from outside at all. It always answers nodes and pods, and inside the VPC `private_cidrs`."
  type        = bool
  default     = true
  nullable    = false
}

variable "private_cidrs" {
  description = "Private addresses that may reach the API server by its private endpoint: a VPN, a peered VPC, a bastion."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "admin_arns" {
  description = "IAM roles and users that administer the new cluster: yours among them."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "access_entries" {
  description = "More people and CI jobs that may enter the cluster, by a name of your choice; see modules/eks."
  type = map(object({
    principal_arn = string
    policy        = optional(string)
    namespaces    = optional(set(string), [])
    groups        = optional(set(string), [])
  }))
  default  = {}
  nullable = false
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes."
  type        = string
  default     = "1.35"
  nullable    = false
}

variable "offered_versions" {
  description = "Versions that EKS offers in standard support; add to it when AWS does."
  type        = list(string)
  default     = ["1.35", "1.36"]
  nullable    = false
}

variable "service_cidr" {
  description = "Addresses of Services inside the cluster. Cannot be changed later."
  type        = string
  default     = "172.20.0.0/16"
  nullable    = false
}

variable "log_types" {
  description = "Logs of the control plane that are kept."
  type        = set(string)
  default     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that these logs are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether EKS refuses to delete the cluster. Set it to false, and apply, before you destroy."
  type        = bool
  default     = true
  nullable    = false
}

variable "cluster_kms_key_arn" {
  description = "A KMS key that exists, for the cluster's Secrets; null: one is made. To import a cluster that encrypts them with a key of its own, name that one: EKS takes no other."
  type        = string
  default     = null
}

variable "cluster_role_name" {
  description = "Name of the cluster's IAM role, to import a cluster that has another than `<name>-cluster`."
  type        = string
  default     = null
}

variable "instance_types" {
  description = "EC2 types of nodes. Several of one size with `spot`."
  type        = list(string)
  default     = ["t3.medium"]
  nullable    = false
}

variable "architecture" {
  description = "Of nodes and images: `x86_64` or `arm64`."
  type        = string
  default     = "x86_64"
  nullable    = false
}

variable "spot" {
  description = "Whether nodes are spot instances."
  type        = bool
  default     = false
  nullable    = false
}

variable "nodes" {
  description = "How many nodes. `desired` has to hold all requests of your largest group twice; see README.md."
  type = object({
    min     = optional(number, 2)
    desired = optional(number, 2)
    max     = optional(number, 4)
  })
  default  = {}
  nullable = false
}

variable "disk_gib" {
  description = "Size of a node's volume."
  type        = number
  default     = 30
  nullable    = false
}

variable "cluster_autoscaler" {
  description = "Whether the cluster autoscaler says how many nodes there are. Before you change it on a running cluster see modules/eks: a move in the state spares your nodes."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_network_policy" {
  description = "Whether the network enforces NetworkPolicies, as `isolation = \"network-policy\"` needs."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_prefix_delegation" {
  description = "Whether nodes have addresses for 110 pods instead of 17 (t3.medium)."
  type        = bool
  default     = true
  nullable    = false
}

variable "addon_versions" {
  description = "Versions of add-ons, by name; EKS's default for those left out."
  type        = map(string)
  default     = {}
  nullable    = false
}
