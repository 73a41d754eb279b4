output "alarm_names" {
  description = "Names of the alarms, by ascending threshold."
  value       = [for threshold in var.thresholds : aws_cloudwatch_metric_alarm.this[tostring(threshold)].alarm_name]
}

output "alarm_arns" {
  description = "ARNs of the alarms, by ascending threshold."
  value       = [for threshold in var.thresholds : aws_cloudwatch_metric_alarm.this[tostring(threshold)].arn]
}

output "alarm_name_by_threshold" {
  description = "Name of the alarm of each threshold, which is the key as text: what `budget_guard` of an environment can name."
  value       = tomap({ for threshold, alarm in aws_cloudwatch_metric_alarm.this : threshold => alarm.alarm_name })
}

output "topic_arn" {
  description = "ARN of the topic that the alarms publish to."
  value       = aws_sns_topic.this.arn
}

output "dashboard_name" {
  description = "Name of the dashboard, or null."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}

output "budget_name" {
  description = "Name of the budget, or null."
  value       = one(aws_budgets_budget.monthly[*].name)
}
