# What every cluster runs, as add-ons that EKS manages. No kubernetes or helm provider: nothing here owns a workload of yours.

locals {
  # Of the network plugin. Text, as its settings want it.
  vpc_cni = {
    enableNetworkPolicy = tostring(var.enable_network_policy)
    env = merge(
      { ENABLE_PREFIX_DELEGATION = tostring(var.enable_prefix_delegation) },
      var.enable_prefix_delegation ? { WARM_PREFIX_TARGET = "1" } : {},
    )
  }

  # DaemonSets that have to be there when the first node comes; the others need a node to run on.
  addons_before_nodes = var.create ? {
    vpc-cni                = jsonencode(local.vpc_cni)
    kube-proxy             = null
    eks-pod-identity-agent = null
  } : {}
  addons_after_nodes = toset(var.create ? ["coredns", "metrics-server"] : [])
}

resource "aws_eks_addon" "before_nodes" {
  for_each = local.addons_before_nodes

  cluster_name                = aws_eks_cluster.this[0].name
  addon_name                  = each.key
  addon_version               = lookup(var.addon_versions, each.key, null)
  configuration_values        = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  dynamic "pod_identity_association" {
    for_each = each.key == "vpc-cni" ? [1] : []

    content {
      service_account = "aws-node"
      role_arn        = aws_iam_role.pod["vpc-cni"].arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.vpc_cni]
}

resource "aws_eks_addon" "after_nodes" {
  for_each = local.addons_after_nodes

  cluster_name                = aws_eks_cluster.this[0].name
  addon_name                  = each.key
  addon_version               = lookup(var.addon_versions, each.key, null)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  depends_on = [aws_eks_node_group.fixed, aws_eks_node_group.autoscaled]
}

# Roles of pods of the cluster itself, by Pod Identity.
data "aws_iam_policy_document" "pod_trust" {
  count = var.create ? 1 : 0

  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "pod" {
  for_each = toset(!var.create ? [] : var.cluster_autoscaler ? ["vpc-cni", "cluster-autoscaler"] : ["vpc-cni"])

  name               = "${var.name}-${each.key}"
  description        = "${each.key} in the EKS cluster ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.pod_trust[0].json
}

resource "aws_iam_role_policy_attachment" "vpc_cni" {
  count = var.create ? 1 : 0

  role       = aws_iam_role.pod["vpc-cni"].name
  policy_arn = "${local.managed_policy}/AmazonEKS_CNI_Policy"
}
