# The VPC and its subnets. Nodes live in private subnets, load balancers and NAT gateways in public ones.

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

# Only says whether the zones are there; it decides nothing. Zones that are ill count: a plan must not fail because of one.
data "aws_availability_zones" "offered" {
  #checkov:skip=CKV_AWS_394:a zone more or less changes nothing here, as the list is only compared with var.zones
  count = var.create ? 1 : 0

  # EKS makes no cluster in these. Which letter they have differs from account to account, so us-east-1a may be one.
  exclude_zone_ids = ["cac1-az3", "use1-az3", "usw1-az2"]

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  region = data.aws_region.current.region

  # By letter: a zone that is added at the end leaves the others alone.
  zones = var.create ? { for index, letter in var.zones : letter => { index = index, name = "${local.region}${letter}" } } : {}

  cluster_tags = { for cluster in var.cluster_names : "kubernetes.io/cluster/${cluster}" => "shared" }
}

resource "aws_vpc" "this" {
  count = var.create ? 1 : 0

  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }

  lifecycle {
    precondition {
      condition     = length(setsubtract([for zone in local.zones : zone.name], data.aws_availability_zones.offered[0].names)) == 0
      error_message = "for EKS, ${local.region} offers this account ${join(", ", data.aws_availability_zones.offered[0].names)}: set zones to the last letters of two or three of them."
    }
  }
}

# Without rules: whatever is put into it by mistake can talk to nobody.
resource "aws_default_security_group" "this" {
  count = var.create ? 1 : 0

  vpc_id = aws_vpc.this[0].id

  tags = { Name = "${var.name}-default-closed" }
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.value.name
  cidr_block        = cidrsubnet(var.vpc_cidr, 2, each.value.index)

  tags = merge(local.cluster_tags, {
    Name                              = "${var.name}-private-${each.key}"
    "kubernetes.io/role/internal-elb" = "1"
  })
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this[0].id
  availability_zone       = each.value.name
  cidr_block              = cidrsubnet(var.vpc_cidr, 6, 48 + each.value.index)
  map_public_ip_on_launch = false

  tags = merge(local.cluster_tags, {
    Name                     = "${var.name}-public-${each.key}"
    "kubernetes.io/role/elb" = "1"
  })
}
