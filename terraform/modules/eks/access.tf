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
