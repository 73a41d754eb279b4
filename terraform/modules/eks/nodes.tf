# The EC2 nodes: role, launch template and node group.

locals {
  node_group = {
    count       = var.create ? 1 : 0
    ami_type    = var.architecture == "arm64" ? "AL2023_ARM_64_STANDARD" : "AL2023_x86_64_STANDARD"
    capacity    = var.spot ? "SPOT" : "ON_DEMAND"
    name_prefix = "${var.name}-"
  }
}

data "aws_iam_policy_document" "node_trust" {
  count = local.node_group.count

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "node" {
  count = local.node_group.count

  name               = "${var.name}-node"
  description        = "Nodes of the EKS cluster ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.node_trust[0].json
}

# To join and to pull. The network plugin's rights are not the nodes': it has a role of its own, see addons.tf.
resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(var.create ? ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"] : [])

  role       = aws_iam_role.node[0].name
  policy_arn = "${local.managed_policy}/${each.key}"
}

resource "aws_launch_template" "node" {
  count = local.node_group.count

  name_prefix            = local.node_group.name_prefix
  update_default_version = true

  # EKS works out how many pods a node takes when it makes nodes from a version of this template, by what vpc-cni says then.
  # Another description is another version: nodes are made anew when the setting changes, instead of keeping the old number.
  description = "Nodes of ${var.name}, prefix delegation ${var.enable_prefix_delegation ? "on" : "off"}"

  # IMDSv2 only. One hop: pods do not reach the node's credentials; those that need AWS have Pod Identity.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.disk_gib
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.key
      tags          = merge(var.instance_tags, { Name = "${var.name}-node" })
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Two resources that differ in one thing only, which Terraform cannot make depend on a variable: who says how many nodes there are.
# README.md tells how to go from one to the other without replacing nodes.
resource "aws_eks_node_group" "fixed" {
  count = var.cluster_autoscaler ? 0 : local.node_group.count

  cluster_name           = aws_eks_cluster.this[0].name
  node_group_name_prefix = local.node_group.name_prefix
  node_role_arn          = aws_iam_role.node[0].arn
  subnet_ids             = var.subnet_ids
  version                = aws_eks_cluster.this[0].version
  ami_type               = local.node_group.ami_type
  capacity_type          = local.node_group.capacity
  instance_types         = var.instance_types

  launch_template {
    id      = aws_launch_template.node[0].id
    version = aws_launch_template.node[0].latest_version
  }

  scaling_config {
    min_size     = var.nodes.min
    desired_size = var.nodes.desired
    max_size     = var.nodes.max
  }

  update_config {
    max_unavailable = 1
  }

  node_repair_config {
    enabled = true
  }

  # Another type of instance means another group: it stands before the old one goes.
  lifecycle {
    create_before_destroy = true
  }

  # Pods get addresses and credentials from the first node on; the roles keep their rights until the last one is gone.
  depends_on = [aws_eks_addon.before_nodes, aws_iam_role_policy_attachment.node]
}

resource "aws_eks_node_group" "autoscaled" {
  count = var.cluster_autoscaler ? local.node_group.count : 0

  cluster_name           = aws_eks_cluster.this[0].name
  node_group_name_prefix = local.node_group.name_prefix
  node_role_arn          = aws_iam_role.node[0].arn
  subnet_ids             = var.subnet_ids
  version                = aws_eks_cluster.this[0].version
  ami_type               = local.node_group.ami_type
  capacity_type          = local.node_group.capacity
  instance_types         = var.instance_types

  launch_template {
    id      = aws_launch_template.node[0].id
    version = aws_launch_template.node[0].latest_version
  }

  scaling_config {
    min_size     = var.nodes.min
    desired_size = var.nodes.desired
    max_size     = var.nodes.max
  }

  update_config {
    max_unavailable = 1
  }

  node_repair_config {
    enabled = true
  }

  lifecycle {
    create_before_destroy = true
    # The autoscaler's: an apply must not undo what it did.
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_eks_addon.before_nodes, aws_iam_role_policy_attachment.node]
}
