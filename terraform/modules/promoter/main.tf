# The role that pods of promoter's service account get, and what it may do.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  cluster_arn = "arn:${data.aws_partition.current.partition}:eks:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:cluster/${var.cluster_name}"
}

resource "aws_iam_role" "this" {
  name                 = "${var.name_prefix}-pod"
  description          = "promoter in the cluster ${var.cluster_name}"
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  # EKS says as tags for whom it asks. Without the conditions, whoever may associate a role
  # with a service account of any cluster could use this one.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PodsOfPromoter"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:RequestTag/eks-cluster-arn"            = local.cluster_arn
          "aws:RequestTag/kubernetes-namespace"       = var.namespace
          "aws:RequestTag/kubernetes-service-account" = var.service_account
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  #checkov:skip=CKV_AWS_355:CloudWatch has no ARNs for metrics; what is read is no secret, and what is written is bound to one namespace
  name = "promoter"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FindTheCluster"
        Effect   = "Allow"
        Action   = "eks:DescribeCluster"
        Resource = local.cluster_arn
      },
      {
        # Of every region: billing alarms are in us-east-1.
        Sid    = "ReadAlarmsAndMetrics"
        Effect = "Allow"
        Action = [
          "cloudwatch:DescribeAlarms",
          "cloudwatch:DescribeAlarmsForMetric",
          "cloudwatch:GetMetricStatistics",
        ]
        Resource = "*"
      },
      {
        Sid       = "PutItsOwnMetrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "promoter" } }
      },
      {
        Sid      = "HearOfPushes"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
        Resource = aws_sqs_queue.pushes.arn
      },
    ]
  })
}

# A policy holds 6144 characters, and a role's own ones 10240 together: too few for many apps.
resource "aws_iam_policy" "images" {
  for_each = { for i, names in chunklist(sort(keys(var.repository_arns)), 40) : tostring(i) => names }

  name        = "${var.name_prefix}-images-${each.key}"
  description = "promoter finds images"
  tags        = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "FindImages"
      Effect = "Allow"
      Action = [
        "ecr:BatchGetImage",
        "ecr:DescribeImages",
        "ecr:DescribeRepositories",
        "ecr:GetDownloadUrlForLayer",
      ]
      Resource = [for name in each.value : var.repository_arns[name]]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "images" {
  for_each = aws_iam_policy.images

  role       = aws_iam_role.this.name
  policy_arn = each.value.arn
}

# Namespace and service account need not be there yet.
resource "aws_eks_pod_identity_association" "this" {
  cluster_name    = var.cluster_name
  namespace       = var.namespace
  service_account = var.service_account
  role_arn        = aws_iam_role.this.arn
  tags            = var.tags
}
