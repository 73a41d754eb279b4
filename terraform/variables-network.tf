# Options of modules/network.

variable "create_network" {
  description = "Whether to make a VPC. false: the cluster is made in `existing_vpc_id`, or exists already."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.create_cluster || !var.create_network
    error_message = "create_network: a cluster that exists already has its VPC, and nothing would run in a new one. Set create_network = false as well."
  }
}

variable "existing_vpc_id" {
  description = "The VPC to make the cluster in, with `create_network = false`."
  type        = string
  default     = null

  validation {
    condition     = var.create_network || !var.create_cluster || var.existing_vpc_id != null
    error_message = "existing_vpc_id: with create_network = false name the VPC that the cluster is to be made in, and its existing_private_subnet_ids."
  }
}

variable "existing_private_subnet_ids" {
  description = "Subnets of that VPC for nodes, in two zones or more, with a way out."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "existing_public_subnet_ids" {
  description = "Subnets of that VPC for load balancers. Tag them `kubernetes.io/role/elb = 1`: nothing that exists is changed here."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the new VPC, /16 to /20."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false
}

variable "reserved_cidrs" {
  description = "Networks that it must not overlap: VPNs, peered VPCs, an office."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "zones" {
  description = "Letters of two or three availability zones of the region."
  type        = list(string)
  default     = ["a", "b"]
  nullable    = false
}

variable "nat" {
  description = "`single` NAT gateway, one `per-zone`, or `none` (AWS services by endpoints, and nothing else; dearer than one NAT gateway)."
  type        = string
  default     = "single"
  nullable    = false
}

variable "flow_logs" {
  description = "Whether to keep who talked to whom."
  type        = bool
  default     = false
  nullable    = false
}
