# What the network looks like. No AWS: the provider is a stand-in, and what is asserted is known when planning.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made-up" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:made-up" }
  }
}

variables {
  name = "promoter"
}

run "two_zones_and_one_nat_by_default" {
  command = plan

  assert {
    condition     = length(aws_subnet.private) == 2 && length(aws_subnet.public) == 2
    error_message = "there must be a private and a public subnet in each of two zones"
  }
  assert {
    condition     = aws_subnet.private["a"].cidr_block == "10.0.0.0/18" && aws_subnet.private["b"].cidr_block == "10.0.64.0/18"
    error_message = "private subnets must have a quarter of the VPC each"
  }
  assert {
    condition     = aws_subnet.public["a"].cidr_block == "10.0.192.0/22" && aws_subnet.public["b"].cidr_block == "10.0.196.0/22"
    error_message = "public subnets must be in the last quarter of the VPC"
  }
  assert {
    condition     = aws_subnet.private["b"].availability_zone == "eu-west-1b"
    error_message = "a zone is the region and its letter"
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == ["a"] && length(aws_route.nat) == 2
    error_message = "one NAT gateway must serve both zones"
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && aws_vpc_endpoint.s3[0].service_name == "com.amazonaws.eu-west-1.s3"
    error_message = "the free endpoint of S3 must be there, and none that costs"
  }
  assert {
    condition     = length(aws_flow_log.this) == 0
    error_message = "flow logs cost, so they must be asked for"
  }
}

run "subnets_are_found_by_load_balancers" {
  command = plan

  variables {
    cluster_names = ["promoter"]
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.tags["kubernetes.io/role/elb"] == "1" && subnet.tags["kubernetes.io/cluster/promoter"] == "shared"])
    error_message = "public subnets must be tagged for load balancers that the world reaches"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.private : subnet.tags["kubernetes.io/role/internal-elb"] == "1"])
    error_message = "private subnets must be tagged for internal load balancers"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch == false])
    error_message = "nothing must get a public address by being in a subnet"
  }
}

run "the_default_security_group_is_closed" {
  command = plan

  assert {
    condition     = length(aws_default_security_group.this) == 1
    error_message = "the VPC's default security group must be taken over, which empties it"
  }
}

run "a_third_zone_moves_no_subnet" {
  command = plan

  variables {
    zones = ["a", "b", "c"]
  }

  assert {
    condition     = aws_subnet.private["a"].cidr_block == "10.0.0.0/18" && aws_subnet.public["b"].cidr_block == "10.0.196.0/22"
    error_message = "subnets of the first two zones must be as without the third"
  }
  assert {
    condition     = aws_subnet.private["c"].cidr_block == "10.0.128.0/18" && aws_subnet.public["c"].cidr_block == "10.0.200.0/22"
    error_message = "the third zone must get what is left"
  }
}

run "a_zone_added_at_the_end_moves_neither_nat_nor_control_plane" {
  command = plan

  variables {
    zones = ["b", "c", "a"]
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["b"]
    error_message = "the NAT gateway must stay in the zone named first"
  }
  assert {
    condition     = length(output.private_subnet_ids) == 3 && length(output.control_plane_subnet_ids) == 2
    error_message = "nodes must have all three zones, and the control plane the first two"
  }
}

run "nat_per_zone" {
  command = plan

  variables {
    nat = "per-zone"
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["a", "b"]
    error_message = "each zone must have a NAT gateway of its own"
  }
}

run "no_nat_means_endpoints" {
  command = plan

  variables {
    nat = "none"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_route.nat) == 0
    error_message = "there must be no NAT gateway, and no route to one"
  }
  assert {
    condition     = length(setsubtract(["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts", "sqs", "monitoring"], keys(aws_vpc_endpoint.interface))) == 0
    error_message = "what nodes and promoter call must have an endpoint"
  }
  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "endpoints must be found by the services' own names"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "10.0.0.0/16" && aws_vpc_security_group_ingress_rule.endpoints[0].from_port == 443
    error_message = "endpoints must answer the VPC, on HTTPS only"
  }
}

run "flow_logs" {
  command = plan

  variables {
    flow_logs                = true
    flow_logs_retention_days = 7
  }

  assert {
    condition     = aws_flow_log.this[0].traffic_type == "ALL" && aws_cloudwatch_log_group.flow_logs[0].retention_in_days == 7
    error_message = "all traffic must be logged, and kept as long as asked for"
  }
}

run "an_existing_vpc_is_passed_on_and_nothing_made" {
  command = apply

  variables {
    create             = false
    vpc_id             = "vpc-0a1b2c3d4e5f60718"
    private_subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
    public_subnet_ids  = ["subnet-0a1b2c3d4e5f60003"]
  }

  assert {
    condition     = output.vpc_id == "vpc-0a1b2c3d4e5f60718" && tolist(output.private_subnet_ids) == tolist(["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]) && tolist(output.public_subnet_ids) == tolist(["subnet-0a1b2c3d4e5f60003"])
    error_message = "what was given must come out"
  }
  assert {
    condition = length(aws_vpc.this) + length(aws_subnet.private) + length(aws_subnet.public) + length(aws_nat_gateway.this) + length(aws_eip.nat) + length(aws_internet_gateway.this) + length(aws_route_table.private) + length(
    aws_route_table.public) + length(aws_vpc_endpoint.s3) + length(aws_vpc_endpoint.interface) + length(aws_default_security_group.this) + length(aws_flow_log.this) == 0
    error_message = "nothing must be made in a VPC that exists already"
  }
}

run "no_vpc_at_all" {
  command = plan

  variables {
    create         = false
    reserved_cidrs = ["10.0.0.0/8"] # vpc_cidr is not used, so it may overlap
  }

  assert {
    condition     = output.vpc_id == null && length(output.private_subnet_ids) == 0
    error_message = "without a VPC there is nothing to pass on"
  }
}
