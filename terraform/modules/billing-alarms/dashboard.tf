# The charges at a glance, and a budget that looks ahead. Both are there if asked for.

locals {
  charges = ["AWS/Billing", "EstimatedCharges", "Currency", "USD"]

  widgets = [
    {
      type = "metric", x = 0, y = 0, width = 16, height = 8
      properties = {
        title   = "Estimated charges of the month, USD"
        region  = data.aws_region.current.region
        view    = "timeSeries"
        stat    = "Maximum"
        period  = 21600
        metrics = [local.charges]
        yAxis   = { left = { min = 0 } }
        annotations = {
          horizontal = [for threshold in var.thresholds : { label = "${threshold} USD", value = threshold }]
        }
      }
    },
    {
      type = "alarm", x = 16, y = 0, width = 8, height = 8
      properties = {
        title  = "Thresholds"
        alarms = [for threshold in var.thresholds : aws_cloudwatch_metric_alarm.this[tostring(threshold)].arn]
      }
    },
    {
      type = "metric", x = 0, y = 8, width = 24, height = 8
      properties = {
        title   = "By service, USD"
        region  = data.aws_region.current.region
        view    = "timeSeries"
        stacked = true
        stat    = "Maximum"
        period  = 21600
        metrics = [[{
          expression = "SEARCH('{AWS/Billing,Currency,ServiceName} MetricName=\"EstimatedCharges\"', 'Maximum', 21600)"
          id         = "services"
        }]]
        yAxis = { left = { min = 0 } }
      }
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.create_dashboard ? 1 : 0

  dashboard_name = "${var.name_prefix}-billing"
  dashboard_body = jsonencode({ widgets = local.widgets })
}

# Told by e-mail and not through the topic, which then stays the alarms' alone.
resource "aws_budgets_budget" "monthly" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name         = "${var.name_prefix}-monthly"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  tags         = var.tags

  dynamic "notification" {
    for_each = [
      { type = "ACTUAL", percent = 80 },
      { type = "ACTUAL", percent = 100 },
      { type = "FORECASTED", percent = 100 },
    ]

    content {
      notification_type          = notification.value.type
      threshold                  = notification.value.percent
      threshold_type             = "PERCENTAGE"
      comparison_operator        = "GREATER_THAN"
      subscriber_email_addresses = var.alert_emails
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.alert_emails) <= 10
      error_message = "A budget tells at most ten addresses, alert_emails has ${length(var.alert_emails)}: give a mailing list instead."
    }
  }
}
