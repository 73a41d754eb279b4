# An alarm for each threshold of the month's charges.

# Billing metrics are in us-east-1 only, and in the account that pays. So the caller passes a
# provider of that region and account; `region` on each resource could say only the one.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.region == "us-east-1"
      error_message = "Billing metrics are in us-east-1 only, this is ${self.region}: pass a provider of that region with providers = { aws = aws.us_east_1 }."
    }
  }
}

locals {
  # By the threshold as text, so that adding one leaves the others alone.
  alarm_names = { for threshold in var.thresholds : tostring(threshold) => "${var.name_prefix}-billing-${threshold}-usd" }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarm_names

  alarm_name        = each.value
  alarm_description = "The month's estimated charges of this account have reached ${each.key} USD. They start at 0 again with the next month."

  namespace   = "AWS/Billing"
  metric_name = "EstimatedCharges"
  dimensions  = { Currency = "USD" }
  statistic   = "Maximum"

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = tonumber(each.key)

  # AWS puts the metric there a few times a day.
  period             = 21600
  evaluation_periods = 1

  # Late data must not end an alarm: the money is spent all the same, and promoter's guard
  # would open. Where billing alerts were never switched on there is no data at all, and the
  # alarm stays at INSUFFICIENT_DATA, as it was made, which `promoter doctor` tells.
  treat_missing_data = "ignore"

  alarm_actions = [aws_sns_topic.this.arn]
  tags          = var.tags
}
