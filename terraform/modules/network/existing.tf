# A VPC that exists already: it is looked up, and nothing of it is changed. The ids decide what is looked up, never what is found.

data "aws_vpc" "existing" {
  count = !var.create && var.vpc_id != null ? 1 : 0

  id = var.vpc_id

  lifecycle {
    postcondition {
      condition = alltrue([
        for other in var.reserved_cidrs : try(
          cidrsubnet("${split("/", self.cidr_block)[0]}/${min(split("/", self.cidr_block)[1], split("/", other)[1])}", 0, 0)
          != cidrsubnet("${split("/", other)[0]}/${min(split("/", self.cidr_block)[1], split("/", other)[1])}", 0, 0),
        true)
      ])
      error_message = "${var.vpc_id} has ${self.cidr_block}, which overlaps one of ${join(", ", var.reserved_cidrs)}: for the cluster's services choose another service_cidr, such as 172.21.0.0/16."
    }
  }
}

# A subnet of another VPC is not found.
data "aws_subnet" "private" {
  count = var.create ? 0 : length(var.private_subnet_ids)

  id     = var.private_subnet_ids[count.index]
  vpc_id = var.vpc_id
}

data "aws_subnet" "public" {
  count = var.create ? 0 : length(var.public_subnet_ids)

  id     = var.public_subnet_ids[count.index]
  vpc_id = var.vpc_id
}
