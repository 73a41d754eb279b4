# How promoter hears of a push: ECR tells EventBridge, a rule puts it into a queue.

locals {
  push = {
    source      = ["aws.ecr"]
    detail-type = ["ECR Image Action"]
    detail = {
      action-type     = ["PUSH"]
      result          = ["SUCCESS"]
      repository-name = sort(keys(var.repository_arns))
    }
  }

  # EventBridge takes a pattern of 2048 characters, some 60 repositories. Beyond that it hears of
  # all of the account's, and promoter leaves aside those it does not know.
  any_push = merge(local.push, { detail = { action-type = ["PUSH"], result = ["SUCCESS"] } })
  pattern  = length(jsonencode(local.push)) <= 2048 ? jsonencode(local.push) : jsonencode(local.any_push)
}

resource "aws_cloudwatch_event_rule" "pushes" {
  name          = "${var.name_prefix}-pushes"
  description   = "images pushed to the repositories that promoter promotes from"
  event_pattern = local.pattern
  tags          = var.tags
}

resource "aws_cloudwatch_event_target" "pushes" {
  rule      = aws_cloudwatch_event_rule.pushes.name
  target_id = "queue"
  arn       = aws_sqs_queue.pushes.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }

  # Until that is there, EventBridge may not send to either queue.
  depends_on = [aws_sqs_queue_policy.this]
}

resource "aws_sqs_queue" "pushes" {
  name                      = "${var.name_prefix}-pushes"
  message_retention_seconds = var.queue_retention_seconds
  receive_wait_time_seconds = 20
  sqs_managed_sse_enabled   = true
  tags                      = var.tags

  # What was received five times and never deleted is put aside.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 5
  })
}

# For both: what EventBridge could not deliver, and what promoter could not make sense of.
resource "aws_sqs_queue" "dead" {
  name                      = "${var.name_prefix}-pushes-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.pushes.arn]
  })
}

resource "aws_sqs_queue_policy" "this" {
  for_each = { pushes = aws_sqs_queue.pushes, dead = aws_sqs_queue.dead }

  queue_url = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheRuleSends"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = each.value.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.pushes.arn } }
    }]
  })
}
