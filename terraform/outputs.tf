output "promoter" {
  description = "What promoter takes over: `terraform -chdir=terraform output -json promoter | promoter config import-terraform -`."
  value = {
    version     = 1
    environment = var.environment
    namespace   = var.namespace
    cluster     = { eks = module.eks.cluster_name, region = var.region }
    registry    = { account = data.aws_caller_identity.current.account_id, region = var.region }

    repositories   = module.ecr.repository_names
    budget_guard   = local.budget_guard
    billing_alarms = var.create_billing_alarms ? module.billing_alarms[0].alarm_names : []
    metrics        = var.promoter_metrics
    installation   = var.install_promoter ? module.promoter[0].installation : null
  }
}

output "commands" {
  description = "What to type next, by what it is for."
  value       = { for purpose, command in local.commands : purpose => command if command != null }
}

output "repository_urls" {
  description = "Where CI pushes, by app."
  value       = module.ecr.repository_urls
}

output "ci_role_arns" {
  description = "Roles that GitHub's workflows assume to push, by GitHub repository."
  value       = module.ci_push.github_role_arns
}

output "travis_user_name" {
  description = "IAM user of Travis; null unless asked for. It has no access key: `aws iam create-access-key` makes one."
  value       = module.ci_push.travis_user_name
}

output "cluster" {
  description = "The cluster, made or existing."
  value = {
    name     = module.eks.cluster_name
    arn      = module.eks.cluster_arn
    endpoint = module.eks.cluster_endpoint
    version  = module.eks.cluster_version
  }
}

output "vpc_id" {
  description = "The VPC, made or existing; null for a cluster that exists already."
  value       = module.network.vpc_id
}

output "nat_public_ips" {
  description = "Addresses that the world sees the nodes come from, by zone."
  value       = module.network.nat_public_ips
}

output "billing_topic_arn" {
  description = "SNS topic of the billing alarms, in us-east-1; null without them."
  value       = one(module.billing_alarms[*].topic_arn)
}

locals {
  budget_guard = !var.create_billing_alarms || var.budget_guard_threshold == null ? null : module.billing_alarms[0].alarm_name_by_threshold[tostring(var.budget_guard_threshold)]

  commands = {
    import     = "terraform -chdir=terraform output -json promoter | promoter config import-terraform -"
    kubeconfig = "aws eks update-kubeconfig --region ${var.region} --name ${module.eks.cluster_name}"
    login      = "aws ecr get-login-password --region ${var.region} | docker login --username AWS --password-stdin ${data.aws_caller_identity.current.account_id}.dkr.ecr.${var.region}.amazonaws.com"

    cluster_autoscaler = module.eks.cluster_autoscaler_command

    headlamp_install = !var.headlamp ? null : "helm upgrade --install headlamp headlamp --repo https://kubernetes-sigs.github.io/headlamp/ --namespace headlamp --create-namespace --set clusterRoleBinding.create=false"
    headlamp_rights  = !var.headlamp ? null : "kubectl create clusterrolebinding headlamp-view --clusterrole=view --serviceaccount=headlamp:headlamp"
    headlamp_token   = !var.headlamp ? null : "kubectl create token headlamp --namespace headlamp --duration 8h"
    headlamp_open    = !var.headlamp ? null : "kubectl port-forward --namespace headlamp service/headlamp 8080:80 # then http://localhost:8080"
  }
}
