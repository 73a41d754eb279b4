# Who may enter the cluster. Access entries alone decide; there is no aws-auth ConfigMap.

locals {
  access_policies = {
    view          = "AmazonEKSViewPolicy"
    edit          = "AmazonEKSEditPolicy"
    admin         = "AmazonEKSAdminPolicy"
    cluster-admin = "AmazonEKSClusterAdminPolicy"
    admin-view    = "AmazonEKSAdminViewPolicy"
  }

  entries = !var.create ? {} : merge(
    { for arn in var.admin_arns : arn => { principal_arn = arn, policy = "cluster-admin", namespaces = [], groups = [] } },
    var.access_entries,
  )
}

# EKS opens the private endpoint to nodes and pods only. This adds whoever else comes from inside.
resource "aws_vpc_security_group_ingress_rule" "private" {
  for_each = toset(var.create ? var.private_cidrs : [])

  security_group_id = aws_eks_cluster.this[0].vpc_config[0].cluster_security_group_id
  description       = "The API server of ${var.name}, by its private endpoint"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_eks_access_entry" "this" {
  for_each = local.entries

  cluster_name      = aws_eks_cluster.this[0].name
  principal_arn     = each.value.principal_arn
  kubernetes_groups = each.value.groups
  type              = "STANDARD"
}

resource "aws_eks_access_policy_association" "this" {
  for_each = { for name, entry in local.entries : name => entry if entry.policy != null }

  cluster_name  = aws_eks_cluster.this[0].name
  principal_arn = aws_eks_access_entry.this[each.key].principal_arn
  policy_arn    = "arn:${data.aws_partition.current.partition}:eks::aws:cluster-access-policy/${local.access_policies[each.value.policy]}"

  access_scope {
    type       = length(each.value.namespaces) > 0 ? "namespace" : "cluster"
    namespaces = length(each.value.namespaces) > 0 ? each.value.namespaces : null
  }
}
