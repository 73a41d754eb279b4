# What the cluster looks like. No AWS: the provider is a stand-in, and what is asserted is known when planning.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
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

run "safe_by_default" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this[0].access_config[0].authentication_mode == "API" && aws_eks_cluster.this[0].access_config[0].bootstrap_cluster_creator_admin_permissions == false
    error_message = "access entries alone must decide, and whoever applies must get no right by that"
  }
  assert {
    condition     = aws_eks_cluster.this[0].vpc_config[0].endpoint_private_access && aws_eks_cluster.this[0].vpc_config[0].public_access_cidrs == toset(["203.0.113.7/32"])
    error_message = "the API server must answer the VPC, and from outside the given addresses only"
  }
  assert {
    condition     = aws_eks_cluster.this[0].encryption_config[0].resources == toset(["secrets"]) && aws_kms_key.secrets[0].enable_key_rotation
    error_message = "Secrets must be encrypted with a key that rotates"
  }
  assert {
    condition     = aws_eks_cluster.this[0].upgrade_policy[0].support_type == "STANDARD"
    error_message = "extended support costs and must not be what one gets"
  }
  assert {
    condition     = aws_eks_cluster.this[0].deletion_protection
    error_message = "the cluster must be protected from being deleted"
  }
  assert {
    condition     = contains(aws_eks_cluster.this[0].enabled_cluster_log_types, "audit") && aws_cloudwatch_log_group.cluster[0].retention_in_days == 30 && aws_cloudwatch_log_group.cluster[0].name == "/aws/eks/promoter/cluster"
    error_message = "logs of the control plane must be kept, in a group that ends some day"
  }
}

run "nodes_by_default" {
  command = plan

  assert {
    condition     = aws_launch_template.node[0].metadata_options[0].http_tokens == "required" && aws_launch_template.node[0].metadata_options[0].http_put_response_hop_limit == 1
    error_message = "pods must not reach the credentials of their node"
  }
  assert {
    condition     = aws_launch_template.node[0].block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "volumes must be encrypted"
  }
  assert {
    condition     = aws_eks_node_group.fixed[0].scaling_config[0].desired_size == 2 && aws_eks_node_group.fixed[0].scaling_config[0].max_size == 4 && aws_eks_node_group.fixed[0].capacity_type == "ON_DEMAND"
    error_message = "there must be two nodes, with room to grow"
  }
  assert {
    condition     = !contains(keys(aws_iam_role_policy_attachment.node), "AmazonEKS_CNI_Policy")
    error_message = "the network plugin's rights must not be the nodes'"
  }
}

run "add_ons" {
  command = plan

  assert {
    condition     = keys(aws_eks_addon.before_nodes) == ["eks-pod-identity-agent", "kube-proxy", "vpc-cni"] && keys(aws_eks_addon.after_nodes) == ["coredns", "metrics-server"]
    error_message = "what pods need to start must be there before nodes, the rest after"
  }
  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values) == { enableNetworkPolicy = "false", env = { ENABLE_PREFIX_DELEGATION = "true", WARM_PREFIX_TARGET = "1" } }
    error_message = "nodes must have addresses for the pods of two colours"
  }
}

run "network_policies_and_versions" {
  command = plan

  variables {
    enable_network_policy    = true
    enable_prefix_delegation = false
    addon_versions           = { coredns = "v1.12.4-eksbuild.1" }
  }

  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values) == { enableNetworkPolicy = "true", env = { ENABLE_PREFIX_DELEGATION = "false" } }
    error_message = "NetworkPolicies must be enforced when asked for"
  }
  assert {
    condition     = aws_eks_addon.after_nodes["coredns"].addon_version == "v1.12.4-eksbuild.1"
    error_message = "a named version must be taken"
  }
}

run "people_and_ci" {
  command = plan

  variables {
    access_entries = {
      ci     = { principal_arn = "arn:aws:iam::123456789012:role/ci", policy = "edit", namespaces = ["v2"] }
      people = { principal_arn = "arn:aws:iam::123456789012:role/people", policy = "view" }
      rbac   = { principal_arn = "arn:aws:iam::123456789012:role/rbac", groups = ["deployers"] }
    }
  }

  assert {
    condition     = aws_eks_access_policy_association.this["arn:aws:iam::123456789012:role/admin"].policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    error_message = "administrators must administer"
  }
  assert {
    condition     = aws_eks_access_policy_association.this["ci"].access_scope[0].type == "namespace" && aws_eks_access_policy_association.this["ci"].access_scope[0].namespaces == toset(["v2"])
    error_message = "CI must be limited to its namespace"
  }
  assert {
    condition     = aws_eks_access_policy_association.this["people"].access_scope[0].type == "cluster"
    error_message = "without namespaces a policy holds everywhere"
  }
  assert {
    condition     = !contains(keys(aws_eks_access_policy_association.this), "rbac") && aws_eks_access_entry.this["rbac"].kubernetes_groups == toset(["deployers"])
    error_message = "groups alone must give no policy"
  }
}

run "the_autoscaler_owns_the_number_of_nodes" {
  command = plan

  variables {
    cluster_autoscaler = true
    spot               = true
    instance_types     = ["t3.medium", "t3a.medium"]
  }

  assert {
    condition     = length(aws_eks_node_group.fixed) == 0 && aws_eks_node_group.autoscaled[0].capacity_type == "SPOT"
    error_message = "the node group must be the one whose size Terraform leaves alone"
  }
  assert {
    condition     = aws_eks_pod_identity_association.cluster_autoscaler[0].service_account == "cluster-autoscaler"
    error_message = "the autoscaler must have its role"
  }
  assert {
    condition     = strcontains(output.cluster_autoscaler_command, "autoDiscovery.clusterName=promoter")
    error_message = "the command must name the cluster"
  }
}

run "arm" {
  command = plan

  variables {
    architecture   = "arm64"
    instance_types = ["t4g.medium"]
  }

  assert {
    condition     = aws_eks_node_group.fixed[0].ami_type == "AL2023_ARM_64_STANDARD"
    error_message = "arm64 nodes need an image of theirs"
  }
}

run "private_only_with_a_key_that_exists" {
  command = plan

  variables {
    endpoint_public_access = false
    allowed_cidrs          = []
    kms_key_arn            = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"
  }

  assert {
    condition     = aws_eks_cluster.this[0].vpc_config[0].endpoint_public_access == false && length(aws_kms_key.secrets) == 0
    error_message = "there must be no public endpoint, and no second key"
  }
}

run "a_vpn_by_the_private_endpoint" {
  command = plan

  variables {
    private_cidrs = ["192.168.0.0/24"]
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.private["192.168.0.0/24"].cidr_ipv4 == "192.168.0.0/24" && aws_vpc_security_group_ingress_rule.private["192.168.0.0/24"].from_port == 443
    error_message = "the VPN must reach the API server, on HTTPS only"
  }
}

run "nodes_in_a_zone_that_the_control_plane_is_not_in" {
  command = plan

  variables {
    subnet_ids               = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002", "subnet-0a1b2c3d4e5f60003"]
    control_plane_subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  }

  assert {
    condition     = length(aws_eks_cluster.this[0].vpc_config[0].subnet_ids) == 2 && length(aws_eks_node_group.fixed[0].subnet_ids) == 3
    error_message = "EKS takes no zone more for a control plane that is there, but nodes in any"
  }
}

run "an_existing_cluster_is_passed_on_and_nothing_made" {
  command = apply

  variables {
    create        = false
    name          = "Our_Cluster"
    subnet_ids    = []
    allowed_cidrs = []
    admin_arns    = []
  }

  override_data {
    target = data.aws_eks_cluster.existing
    values = { arn = "arn:aws:eks:eu-west-1:123456789012:cluster/Our_Cluster", version = "1.33" }
  }

  assert {
    condition     = output.cluster_name == "Our_Cluster" && output.cluster_arn == "arn:aws:eks:eu-west-1:123456789012:cluster/Our_Cluster" && output.node_role_arn == null
    error_message = "what was found must come out"
  }
  assert {
    condition = length(aws_eks_cluster.this) + length(aws_iam_role.cluster) + length(aws_iam_role.node) + length(aws_iam_role.pod) + length(aws_kms_key.secrets) + length(aws_cloudwatch_log_group.cluster) + length(
    aws_eks_node_group.fixed) + length(aws_eks_node_group.autoscaled) + length(aws_eks_addon.before_nodes) + length(aws_eks_addon.after_nodes) + length(aws_eks_access_entry.this) + length(aws_launch_template.node) == 0
    error_message = "nothing must be made for a cluster that exists already"
  }
}
