# What is refused, each by the variable that is wrong.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
  }
}

variables {
  name = "promoter"
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Promoter"
  }

  expect_failures = [var.name]
}

run "cidr_that_is_none" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0"
  }

  expect_failures = [var.vpc_cidr]
}

run "cidr_too_large" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/8"
  }

  expect_failures = [var.vpc_cidr]
}

run "cidr_too_small" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/24"
  }

  expect_failures = [var.vpc_cidr]
}

run "cidr_with_host_bits" {
  command = plan

  variables {
    vpc_cidr = "10.0.1.0/16"
  }

  expect_failures = [var.vpc_cidr]
}

run "cidr_inside_a_reserved_one" {
  command = plan

  variables {
    vpc_cidr       = "10.0.0.0/16"
    reserved_cidrs = ["10.0.0.0/8"]
  }

  expect_failures = [var.vpc_cidr]
}

run "cidr_around_a_reserved_one" {
  command = plan

  variables {
    vpc_cidr       = "172.20.0.0/16"
    reserved_cidrs = ["192.168.0.0/16", "172.20.128.0/20"]
  }

  expect_failures = [var.vpc_cidr]
}

run "reserved_cidr_that_is_none" {
  command = plan

  variables {
    reserved_cidrs = ["office"]
  }

  expect_failures = [var.reserved_cidrs]
}

run "one_zone" {
  command = plan

  variables {
    zones = ["a"]
  }

  expect_failures = [var.zones]
}

run "four_zones" {
  command = plan

  variables {
    zones = ["a", "b", "c", "d"]
  }

  expect_failures = [var.zones]
}

run "a_zone_twice" {
  command = plan

  variables {
    zones = ["a", "a"]
  }

  expect_failures = [var.zones]
}

run "zones_with_their_region" {
  command = plan

  variables {
    zones = ["eu-west-1a", "eu-west-1b"]
  }

  expect_failures = [var.zones]
}

run "a_zone_that_is_not_offered" {
  command = plan

  variables {
    zones = ["a", "f"]
  }

  expect_failures = [aws_vpc.this]
}

run "unknown_nat" {
  command = plan

  variables {
    nat = "two"
  }

  expect_failures = [var.nat]
}

run "an_endpoint_of_s3" {
  command = plan

  variables {
    interface_endpoints = ["s3"]
  }

  expect_failures = [var.interface_endpoints]
}

run "no_nat_and_too_few_endpoints" {
  command = plan

  variables {
    nat                 = "none"
    interface_endpoints = ["ecr.api", "ecr.dkr"]
  }

  expect_failures = [var.interface_endpoints]
}

run "days_that_are_not_offered" {
  command = plan

  variables {
    flow_logs_retention_days = 8
  }

  expect_failures = [var.flow_logs_retention_days]
}

run "a_vpc_that_is_no_id" {
  command = plan

  variables {
    create             = false
    vpc_id             = "main"
    private_subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  }

  expect_failures = [var.vpc_id]
}

run "a_vpc_to_make_and_one_that_exists" {
  command = plan

  variables {
    vpc_id             = "vpc-0a1b2c3d4e5f60718"
    private_subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  }

  expect_failures = [var.vpc_id]
}

run "an_existing_vpc_with_one_subnet" {
  command = plan

  variables {
    create             = false
    vpc_id             = "vpc-0a1b2c3d4e5f60718"
    private_subnet_ids = ["subnet-0a1b2c3d4e5f60001"]
  }

  expect_failures = [var.private_subnet_ids]
}

run "a_private_subnet_that_is_no_id" {
  command = plan

  variables {
    create             = false
    vpc_id             = "vpc-0a1b2c3d4e5f60718"
    private_subnet_ids = ["first", "second"]
  }

  expect_failures = [var.private_subnet_ids]
}

run "a_public_subnet_that_is_no_id" {
  command = plan

  variables {
    create             = false
    vpc_id             = "vpc-0a1b2c3d4e5f60718"
    private_subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
    public_subnet_ids  = ["third"]
  }

  expect_failures = [var.public_subnet_ids]
}

run "subnets_without_their_vpc" {
  command = plan

  variables {
    create             = false
    private_subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
    public_subnet_ids  = ["subnet-0a1b2c3d4e5f60003"]
  }

  expect_failures = [var.private_subnet_ids, var.public_subnet_ids]
}

run "an_existing_vpc_that_overlaps_the_services" {
  command = plan

  variables {
    create             = false
    vpc_id             = "vpc-0a1b2c3d4e5f60718"
    private_subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
    reserved_cidrs     = ["172.20.0.0/16"]
  }

  override_data {
    target = data.aws_vpc.existing
    values = { cidr_block = "172.16.0.0/12" }
  }

  expect_failures = [data.aws_vpc.existing]
}
