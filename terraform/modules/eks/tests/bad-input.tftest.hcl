# What is refused, each by the variable that is wrong.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made-up" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:made-up" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0a1b2c3d4e5f60718" }
  }
}

variables {
  name          = "promoter"
  subnet_ids    = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  allowed_cidrs = ["203.0.113.7/32"]
  admin_arns    = ["arn:aws:iam::123456789012:role/admin"]
}

run "name_that_eks_refuses" {
  command = plan

  variables {
    create = false
    name   = "my cluster"
  }

  expect_failures = [var.name]
}

run "name_too_long_for_what_is_made_of_it" {
  command = plan

  variables {
    name = "promoter-of-everything-that-we-have"
  }

  expect_failures = [var.name]
}

run "version_not_offered" {
  command = plan

  variables {
    kubernetes_version = "1.20"
  }

  expect_failures = [var.kubernetes_version]
}

run "offered_version_that_is_none" {
  command = plan

  variables {
    kubernetes_version = "latest"
    offered_versions   = ["latest"]
  }

  expect_failures = [var.offered_versions]
}

run "one_subnet" {
  command = plan

  variables {
    subnet_ids = ["subnet-0a1b2c3d4e5f60001"]
  }

  expect_failures = [var.subnet_ids]
}

run "a_service_range_by_an_address_within" {
  command = plan

  variables {
    service_cidr = "172.20.5.0/16"
  }

  expect_failures = [var.service_cidr]
}

run "addresses_of_a_carrier_as_public_ones" {
  command = plan

  variables {
    allowed_cidrs = ["100.64.0.0/16"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "the_world_as_private_addresses" {
  command = plan

  variables {
    private_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.private_cidrs]
}

run "one_subnet_for_the_control_plane" {
  command = plan

  variables {
    control_plane_subnet_ids = ["subnet-0a1b2c3d4e5f60001"]
  }

  expect_failures = [var.control_plane_subnet_ids]
}

run "public_services" {
  command = plan

  variables {
    service_cidr = "100.64.0.0/16"
  }

  expect_failures = [var.service_cidr]
}

run "too_few_services" {
  command = plan

  variables {
    service_cidr = "172.20.0.0/28"
  }

  expect_failures = [var.service_cidr]
}

run "open_to_the_world" {
  command = plan

  variables {
    allowed_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "open_to_half_the_world" {
  command = plan

  variables {
    allowed_cidrs = ["128.0.0.0/1"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "open_to_the_world_of_ipv6" {
  command = plan

  variables {
    allowed_cidrs = ["::/0"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "open_to_nobody_in_particular" {
  command = plan

  variables {
    allowed_cidrs = []
  }

  expect_failures = [var.allowed_cidrs]
}

run "an_address_without_its_prefix" {
  command = plan

  variables {
    allowed_cidrs = ["203.0.113.7"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "a_host_for_a_network" {
  command = plan

  variables {
    allowed_cidrs = ["203.0.113.7/24"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "a_private_network" {
  command = plan

  variables {
    allowed_cidrs = ["192.168.1.0/24"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "no_administrator" {
  command = plan

  variables {
    admin_arns = []
  }

  expect_failures = [var.admin_arns]
}

run "a_session_for_an_administrator" {
  command = plan

  variables {
    admin_arns = ["arn:aws:sts::123456789012:assumed-role/admin/me"]
  }

  expect_failures = [var.admin_arns]
}

run "an_entry_without_rights" {
  command = plan

  variables {
    access_entries = { ci = { principal_arn = "arn:aws:iam::123456789012:role/ci" } }
  }

  expect_failures = [var.access_entries]
}

run "an_entry_with_an_unknown_policy" {
  command = plan

  variables {
    access_entries = { ci = { principal_arn = "arn:aws:iam::123456789012:role/ci", policy = "root" } }
  }

  expect_failures = [var.access_entries]
}

run "an_entry_of_nobody" {
  command = plan

  variables {
    access_entries = { ci = { principal_arn = "ci", policy = "edit" } }
  }

  expect_failures = [var.access_entries]
}

run "a_cluster_policy_in_a_namespace" {
  command = plan

  variables {
    access_entries = { ci = { principal_arn = "arn:aws:iam::123456789012:role/ci", policy = "cluster-admin", namespaces = ["v2"] } }
  }

  expect_failures = [var.access_entries]
}

run "a_group_of_the_system" {
  command = plan

  variables {
    access_entries = { ci = { principal_arn = "arn:aws:iam::123456789012:role/ci", groups = ["system:masters"] } }
  }

  expect_failures = [var.access_entries]
}

run "the_same_role_twice" {
  command = plan

  variables {
    access_entries = { me = { principal_arn = "arn:aws:iam::123456789012:role/admin", policy = "view" } }
  }

  expect_failures = [var.access_entries]
}

run "an_unknown_log" {
  command = plan

  variables {
    log_types = ["kubelet"]
  }

  expect_failures = [var.log_types]
}

run "days_that_are_not_offered" {
  command = plan

  variables {
    log_retention_days = 100
  }

  expect_failures = [var.log_retention_days]
}

run "an_alias_for_a_key" {
  command = plan

  variables {
    kms_key_arn = "alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}

run "no_instance_type" {
  command = plan

  variables {
    instance_types = []
  }

  expect_failures = [var.instance_types]
}

run "an_instance_type_that_is_none" {
  command = plan

  variables {
    instance_types = ["medium"]
  }

  expect_failures = [var.instance_types]
}

run "a_type_without_room" {
  command = plan

  variables {
    instance_types = ["t3.micro"]
  }

  expect_failures = [var.instance_types]
}

run "a_type_from_before_nitro" {
  command = plan

  variables {
    instance_types = ["m4.large"]
  }

  expect_failures = [var.instance_types]
}

run "an_unknown_architecture" {
  command = plan

  variables {
    architecture = "riscv"
  }

  expect_failures = [var.architecture]
}

run "arm_nodes_for_x86_images" {
  command = plan

  variables {
    instance_types = ["t4g.medium"]
  }

  expect_failures = [var.architecture]
}

run "x86_nodes_for_arm_images" {
  command = plan

  variables {
    architecture   = "arm64"
    instance_types = ["t3.medium"]
  }

  expect_failures = [var.architecture]
}

run "more_nodes_than_the_most" {
  command = plan

  variables {
    nodes = { desired = 5, max = 4 }
  }

  expect_failures = [var.nodes]
}

run "no_node" {
  command = plan

  variables {
    nodes = { min = 0, desired = 0 }
  }

  expect_failures = [var.nodes]
}

run "a_disk_smaller_than_its_image" {
  command = plan

  variables {
    disk_gib = 10
  }

  expect_failures = [var.disk_gib]
}

run "an_unknown_addon" {
  command = plan

  variables {
    addon_versions = { headlamp = "v1" }
  }

  expect_failures = [var.addon_versions]
}
