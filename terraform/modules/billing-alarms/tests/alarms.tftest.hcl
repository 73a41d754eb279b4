# The alarms, who is told, and what is only there if asked for.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:promoter-billing" }
  }

  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:us-east-1:123456789012:key/0f3a"
      key_id = "0f3a"
    }
  }
}

variables {
  alert_emails = ["ops@example.com", "dev@example.com"]
}

run "an_alarm_for_each_threshold" {
  command = apply

  assert {
    condition = output.alarm_names == [
      for threshold in ["10", "20", "30", "40", "50", "60", "70", "80", "90", "100"] : "promoter-billing-${threshold}-usd"
    ]
    error_message = "ten alarms by ascending threshold, 100 after 90"
  }

  assert {
    condition     = length(output.alarm_arns) == 10 && output.alarm_arns[9] == aws_cloudwatch_metric_alarm.this["100"].arn
    error_message = "ARNs in the same order"
  }

  assert {
    condition     = output.alarm_name_by_threshold["100"] == "promoter-billing-100-usd" && length(output.alarm_name_by_threshold) == 10
    error_message = "the guard is found by its threshold"
  }

  assert {
    condition = alltrue([for threshold, alarm in aws_cloudwatch_metric_alarm.this :
      alarm.threshold == tonumber(threshold)
      && alarm.namespace == "AWS/Billing"
      && alarm.metric_name == "EstimatedCharges"
      && alarm.dimensions == tomap({ Currency = "USD" })
      && alarm.statistic == "Maximum"
      && alarm.period == 21600
      && alarm.comparison_operator == "GreaterThanOrEqualToThreshold"
    ])
    error_message = "the highest charge of 6 hours, in USD"
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.treat_missing_data == "ignore"])
    error_message = "late data ends no alarm"
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([output.topic_arn])])
    error_message = "every alarm tells the topic"
  }
}

run "alarms_alone_use_the_topic_and_its_key" {
  command = apply

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == "arn:aws:kms:us-east-1:123456789012:key/0f3a" && aws_kms_key.topic[0].enable_key_rotation
    error_message = "the topic is encrypted by a key of its own"
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.this.policy).Statement == [{
      Sid       = "AlarmsPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:us-east-1:123456789012:promoter-billing"
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:promoter-billing-*" }
        StringEquals = { "aws:SourceAccount" = "123456789012" }
      }
    }]
    error_message = "only alarms of this module, in this account"
  }

  assert {
    condition = jsondecode(aws_kms_key.topic[0].policy).Statement[1] == {
      Sid       = "AlarmsPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
      Resource  = "*"
      Condition = jsondecode(aws_sns_topic_policy.this.policy).Statement[0].Condition
    }
    error_message = "without the key, CloudWatch could not publish"
  }

  assert {
    condition     = toset([for subscription in aws_sns_topic_subscription.email : "${subscription.protocol} ${subscription.endpoint}"]) == toset(["email ops@example.com", "email dev@example.com"])
    error_message = "each address is subscribed"
  }
}

run "a_key_that_exists" {
  command = apply

  variables {
    create_kms_key = false
    kms_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/9b1c"
  }

  assert {
    condition     = length(aws_kms_key.topic) == 0 && length(aws_kms_alias.topic) == 0 && aws_sns_topic.this.kms_master_key_id == "arn:aws:kms:us-east-1:123456789012:key/9b1c"
    error_message = "no second key"
  }
}

run "other_thresholds_and_names" {
  command = apply

  variables {
    name_prefix = "shop"
    thresholds  = [2.5, 10, 1000]
  }

  assert {
    condition     = output.alarm_names == ["shop-billing-2.5-usd", "shop-billing-10-usd", "shop-billing-1000-usd"]
    error_message = "names say prefix and threshold"
  }
}

run "a_dashboard" {
  command = apply

  assert {
    condition = (
      output.dashboard_name == "promoter-billing"
      && length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[0].properties.annotations.horizontal) == 10
      && jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[1].properties.alarms == output.alarm_arns
    )
    error_message = "the charges with the thresholds, and the alarms"
  }
}

run "no_dashboard" {
  command = apply

  variables {
    create_dashboard = false
  }

  assert {
    condition     = output.dashboard_name == null
    error_message = "none was asked for"
  }
}

run "no_budget" {
  command = apply

  assert {
    condition     = output.budget_name == null
    error_message = "none unless asked for"
  }
}

run "a_budget" {
  command = apply

  variables {
    monthly_budget_usd = 80
  }

  assert {
    condition = (
      output.budget_name == "promoter-monthly"
      && aws_budgets_budget.monthly[0].limit_amount == "80"
      && aws_budgets_budget.monthly[0].time_unit == "MONTHLY"
    )
    error_message = "80 USD a month"
  }

  assert {
    condition = toset([for notification in aws_budgets_budget.monthly[0].notification : "${notification.notification_type} ${notification.threshold}"]) == toset([
      "ACTUAL 80", "ACTUAL 100", "FORECASTED 100"
    ])
    error_message = "told early, at the limit, and by the forecast"
  }
}
