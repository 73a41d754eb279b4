# The control plane: cluster, its role, its logs and the key of its Secrets.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  managed_policy = "arn:${data.aws_partition.current.partition}:iam::aws:policy"
}

resource "aws_eks_cluster" "this" {
  #checkov:skip=CKV_AWS_39:the public endpoint answers allowed_cidrs only, which must be given and must not be the world; endpoint_public_access switches it off
  #checkov:skip=CKV_AWS_38:allowed_cidrs refuses 0.0.0.0/0 and everything wider than /8
  count = var.create ? 1 : 0

  name     = var.name
  role_arn = aws_iam_role.cluster[0].arn
  version  = var.kubernetes_version

  enabled_cluster_log_types = var.log_types
  deletion_protection       = var.deletion_protection

  # The add-ons below are EKS's own, and nothing has to be taken over from ones that nobody manages.
  bootstrap_self_managed_addons = false

  access_config {
    authentication_mode = "API"
    # Whoever happens to run the first apply gets no right for ever that no file tells of. See admin_arns.
    bootstrap_cluster_creator_admin_permissions = false
  }

  vpc_config {
    subnet_ids              = coalesce(var.control_plane_subnet_ids, var.subnet_ids)
    endpoint_private_access = true
    endpoint_public_access  = var.endpoint_public_access
    public_access_cidrs     = var.endpoint_public_access ? var.allowed_cidrs : null
  }

  kubernetes_network_config {
    ip_family         = "ipv4"
    service_ipv4_cidr = var.service_cidr
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = local.kms_key_arn
    }
  }

  # Extended support costs six times as much, and is what one gets without this.
  upgrade_policy {
    support_type = "STANDARD"
  }

  lifecycle {
    # Both count when a cluster is made, are not told by one that was imported, and would replace it.
    ignore_changes = [bootstrap_self_managed_addons, access_config[0].bootstrap_cluster_creator_admin_permissions]
  }

  # EKS would make the log group itself, and keep it for ever. The role has to have its rights until the cluster is gone.
  depends_on = [
    aws_cloudwatch_log_group.cluster,
    aws_iam_role_policy_attachment.cluster,
    aws_iam_role_policy.cluster_key,
  ]
}

resource "aws_cloudwatch_log_group" "cluster" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts with its own key; the control plane's logs hold no Secrets
  #checkov:skip=CKV_AWS_338:log_retention_days says how long; a year of audit logs is dear
  count = var.create ? 1 : 0

  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = var.log_retention_days
}

data "aws_iam_policy_document" "cluster_trust" {
  count = var.create ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "cluster" {
  count = var.create ? 1 : 0

  name               = coalesce(var.cluster_role_name, "${var.name}-cluster")
  description        = "Control plane of the EKS cluster ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.cluster_trust[0].json
}

resource "aws_iam_role_policy_attachment" "cluster" {
  count = var.create ? 1 : 0

  role       = aws_iam_role.cluster[0].name
  policy_arn = "${local.managed_policy}/AmazonEKSClusterPolicy"
}
