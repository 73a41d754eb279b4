variable "create" {
  description = "Whether to make a VPC. false: nothing is made, and `vpc_id` with its subnets is looked up and passed on."
  type        = bool
  default     = true
  nullable    = false
}

variable "name" {
  description = "What the names of the VPC and its parts begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}$", var.name))
    error_message = "name must begin with a lower-case letter and have 2 to 28 lower-case letters, digits and hyphens: other names are made of it."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC. Three quarters are for up to three private subnets, the last one is for public ones; a zone that is added later moves none of them."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && can(regex("/(1[6-9]|20)$", var.vpc_cidr))
    error_message = "vpc_cidr must be an IPv4 range with a prefix of /16 to /20, such as 10.0.0.0/16: AWS takes no larger VPC, and in a smaller one pods run out of addresses."
  }

  validation {
    condition     = try(cidrsubnet(var.vpc_cidr, 0, 0) == var.vpc_cidr, false)
    error_message = "vpc_cidr must be the network's own address: ${try(cidrsubnet(var.vpc_cidr, 0, 0), "for example 10.0.0.0/16")}."
  }

  # Two ranges overlap if they are the same network when both are cut to the shorter prefix.
  validation {
    condition = !var.create || alltrue([
      for other in var.reserved_cidrs : try(
        cidrsubnet("${split("/", var.vpc_cidr)[0]}/${min(split("/", var.vpc_cidr)[1], split("/", other)[1])}", 0, 0)
        != cidrsubnet("${split("/", other)[0]}/${min(split("/", var.vpc_cidr)[1], split("/", other)[1])}", 0, 0),
      true)
    ])
    error_message = "vpc_cidr ${var.vpc_cidr} overlaps one of ${join(", ", var.reserved_cidrs)}: choose a range that is used nowhere else, such as 10.64.0.0/16."
  }
}

variable "reserved_cidrs" {
  description = "Networks that the VPC, new or existing, must not overlap: the cluster's services, VPNs, peered VPCs, an office."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.reserved_cidrs : can(cidrnetmask(cidr))])
    error_message = "reserved_cidrs must be IPv4 ranges such as 192.168.0.0/16."
  }
}

variable "zones" {
  description = "Letters of two or three availability zones of the region. Explicit, because a list that AWS may change one day would move subnets."
  type        = list(string)
  default     = ["a", "b"]
  nullable    = false

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 3
    error_message = "zones must name two or three zones, such as [\"a\", \"b\"]: EKS needs two."
  }

  validation {
    condition     = length(distinct(var.zones)) == length(var.zones) && alltrue([for zone in var.zones : can(regex("^[a-z]$", zone))])
    error_message = "zones must be different lower-case letters, such as [\"a\", \"b\"]; the region comes before them by itself."
  }
}

variable "nat" {
  description = "How nodes reach the world: `single` NAT gateway (a failure of its zone cuts off all), `per-zone`, or `none` (endpoints instead: only AWS is reachable, so no image from elsewhere)."
  type        = string
  default     = "single"
  nullable    = false

  validation {
    condition     = contains(["single", "per-zone", "none"], var.nat)
    error_message = "nat must be \"single\", \"per-zone\" or \"none\"."
  }
}

variable "interface_endpoints" {
  description = "AWS services that get an endpoint inside the VPC, each paid for per zone and hour. null: those that nodes and promoter need if `nat` is `none`, otherwise none. The free one for S3 is always there."
  type        = set(string)
  default     = null

  validation {
    condition     = alltrue([for service in coalesce(var.interface_endpoints, []) : can(regex("^[a-z0-9][a-z0-9.-]*$", service)) && service != "s3"])
    error_message = "interface_endpoints are names of services as in com.amazonaws.<region>.<name>, such as \"ecr.api\"; s3 has its free gateway endpoint already."
  }

  validation {
    condition     = var.nat != "none" || var.interface_endpoints == null || length(setsubtract(["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts"], coalesce(var.interface_endpoints, []))) == 0
    error_message = "without NAT no node joins the cluster unless interface_endpoints has ec2, ecr.api, ecr.dkr, eks, eks-auth and sts: add them, or leave interface_endpoints out."
  }
}

variable "cluster_names" {
  description = "Clusters that place load balancers in the subnets; each becomes a tag of them."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "flow_logs" {
  description = "Whether to keep who talked to whom in CloudWatch Logs. Costs by traffic."
  type        = bool
  default     = false
  nullable    = false
}

variable "flow_logs_retention_days" {
  description = "Days that flow logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_logs_retention_days)
    error_message = "flow_logs_retention_days must be a number of days that CloudWatch Logs offers: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "vpc_id" {
  description = "The VPC that exists already; with `create = false` only, and not needed if no cluster is made in it."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_id == null || can(regex("^vpc-[0-9a-f]{8,17}$", var.vpc_id))
    error_message = "vpc_id must look like vpc-0a1b2c3d4e5f60718: `aws ec2 describe-vpcs` lists them."
  }

  validation {
    condition     = !var.create || var.vpc_id == null
    error_message = "vpc_id is that of a VPC which exists already: set create = false, or leave it out."
  }
}

variable "private_subnet_ids" {
  description = "Subnets of `vpc_id` for nodes, in two zones or more, with a way out."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.private_subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "private_subnet_ids must look like subnet-0a1b2c3d4e5f60718: `aws ec2 describe-subnets` lists them."
  }

  validation {
    condition     = var.vpc_id == null || length(distinct(var.private_subnet_ids)) >= 2
    error_message = "private_subnet_ids must name two different subnets of vpc_id or more, in different zones: EKS needs two zones."
  }

  validation {
    condition     = var.vpc_id != null || length(var.private_subnet_ids) == 0
    error_message = "private_subnet_ids belong to a VPC which exists already: give its vpc_id as well, or leave them out."
  }
}

variable "public_subnet_ids" {
  description = "Subnets of `vpc_id` for load balancers that the world reaches; may be empty."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.public_subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "public_subnet_ids must look like subnet-0a1b2c3d4e5f60718: `aws ec2 describe-subnets` lists them."
  }

  validation {
    condition     = var.vpc_id != null || length(var.public_subnet_ids) == 0
    error_message = "public_subnet_ids belong to a VPC which exists already: give its vpc_id as well, or leave them out."
  }
}
