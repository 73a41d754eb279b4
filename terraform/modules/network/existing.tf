# A VPC that exists already: it is looked up, and nothing of it is changed. The ids decide what is looked up, never what is found.

data "aws_vpc" "existing" {
  count = !var.create && var.vpc_id != null ? 1 : 0

  id = var.vpc_id
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
