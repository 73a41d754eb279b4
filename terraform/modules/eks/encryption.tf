# The key that the cluster's Secrets are encrypted with.

locals {
  create_key  = var.create && var.kms_key_arn == null
  kms_key_arn = local.create_key ? aws_kms_key.secrets[0].arn : var.kms_key_arn
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:it is a key's policy, whose "*" is this key; the account's own administrators have to be able to manage it
  #checkov:skip=CKV_AWS_111:as above
  #checkov:skip=CKV_AWS_356:as above
  count = local.create_key ? 1 : 0

  # Without it nobody could ever change the key again. IAM decides who of the account may.
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
}

resource "aws_kms_key" "secrets" {
  count = local.create_key ? 1 : 0

  description             = "Secrets of the EKS cluster ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key[0].json
}

resource "aws_kms_alias" "secrets" {
  count = local.create_key ? 1 : 0

  name          = "alias/${var.name}-eks-secrets"
  target_key_id = aws_kms_key.secrets[0].key_id
}

data "aws_iam_policy_document" "cluster_key" {
  count = var.create ? 1 : 0

  statement {
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"]
    resources = [local.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "cluster_key" {
  count = var.create ? 1 : 0

  name   = "use-secrets-key"
  role   = aws_iam_role.cluster[0].id
  policy = data.aws_iam_policy_document.cluster_key[0].json
}
