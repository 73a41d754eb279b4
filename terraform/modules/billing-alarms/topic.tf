# Who is told: an encrypted topic that only these alarms can publish to.

locals {
  # The alarms of this module, in this account.
  from_alarms = {
    ArnLike      = { "aws:SourceArn" = "arn:${data.aws_partition.current.partition}:cloudwatch:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:alarm:${var.name_prefix}-billing-*" }
    StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
  }
}

# CloudWatch can only publish to an encrypted topic whose key lets it. The policy of AWS'
# own key, alias/aws/sns, does not and cannot be changed: with it, alarms would go unheard.
resource "aws_kms_key" "topic" {
  count = var.create_kms_key ? 1 : 0

  description             = "${var.name_prefix}: encrypts billing alarms on their way to e-mail"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Without it, nobody could ever change or delete the key.
        Sid       = "IamOfThisAccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = local.from_alarms
      },
    ]
  })
}

resource "aws_kms_alias" "topic" {
  count = var.create_kms_key ? 1 : 0

  name          = "alias/${var.name_prefix}-billing"
  target_key_id = aws_kms_key.topic[0].key_id
}

resource "aws_sns_topic" "this" {
  name              = "${var.name_prefix}-billing"
  kms_master_key_id = var.create_kms_key ? aws_kms_key.topic[0].arn : var.kms_key_arn
  tags              = var.tags

  lifecycle {
    precondition {
      condition     = var.create_kms_key != (var.kms_key_arn != null)
      error_message = "The topic needs one key: leave create_kms_key on, or switch it off and give kms_key_arn."
    }
  }
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.this.arn
      Condition = local.from_alarms
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.alert_emails)

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}
