output "cluster_name" {
  description = "Name of the cluster. What uses it waits for its nodes and add-ons."
  value       = var.create ? aws_eks_cluster.this[0].name : data.aws_eks_cluster.existing[0].name

  depends_on = [aws_eks_addon.before_nodes, aws_eks_addon.after_nodes]
}

output "cluster_arn" {
  description = "ARN of the cluster."
  value       = var.create ? aws_eks_cluster.this[0].arn : data.aws_eks_cluster.existing[0].arn
}

output "cluster_endpoint" {
  description = "URL of its API server."
  value       = var.create ? aws_eks_cluster.this[0].endpoint : data.aws_eks_cluster.existing[0].endpoint
}

output "cluster_version" {
  description = "Its Kubernetes version."
  value       = var.create ? aws_eks_cluster.this[0].version : data.aws_eks_cluster.existing[0].version
}

output "cluster_security_group_id" {
  description = "Security group of the control plane and the nodes."
  value       = one(var.create ? aws_eks_cluster.this[0].vpc_config[*].cluster_security_group_id : data.aws_eks_cluster.existing[0].vpc_config[*].cluster_security_group_id)
}

output "oidc_issuer_url" {
  description = "Issuer of the service accounts' tokens, for roles that do not use Pod Identity."
  value       = one(var.create ? aws_eks_cluster.this[0].identity[*].oidc[0].issuer : data.aws_eks_cluster.existing[0].identity[*].oidc[0].issuer)
}

output "node_role_arn" {
  description = "Role of the nodes; null with `create = false`."
  value       = one(aws_iam_role.node[*].arn)
}

output "cluster_autoscaler_command" {
  description = "Puts the cluster autoscaler into the cluster; null unless it is switched on."
  value = !(var.create && var.cluster_autoscaler) ? null : join(" ", [
    "helm upgrade --install cluster-autoscaler cluster-autoscaler --repo https://kubernetes.github.io/autoscaler --namespace kube-system",
    "--set autoDiscovery.clusterName=${var.name},awsRegion=${data.aws_region.current.region},rbac.serviceAccount.name=cluster-autoscaler",
    "--set extraArgs.balance-similar-node-groups=true,extraArgs.skip-nodes-with-system-pods=false",
  ])
}
