# What it may cost.

variable "create_billing_alarms" {
  description = "Whether to make the billing alarms. In an organization the paying account alone has the figures: switch them off in the others."
  type        = bool
  default     = true
  nullable    = false
}

variable "alert_emails" {
  description = "Who gets mail from billing alarms. Each has to confirm a mail that AWS sends."
  type        = list(string)
  nullable    = false

  validation {
    condition     = !var.create_billing_alarms || length(var.alert_emails) > 0
    error_message = "alert_emails must name one address at least: an alarm that reaches nobody is none. Or set create_billing_alarms = false."
  }
}

variable "billing_thresholds" {
  description = "USD of a month at which an alarm goes off, ascending."
  type        = list(number)
  default     = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
  nullable    = false
}

variable "budget_guard_threshold" {
  description = "The threshold whose alarm keeps promoter from beginning promotions by itself; null: none does."
  type        = number
  default     = null

  validation {
    condition     = var.budget_guard_threshold == null || !var.create_billing_alarms || try(contains(var.billing_thresholds, var.budget_guard_threshold), false)
    error_message = "budget_guard_threshold must be one of billing_thresholds (${join(", ", var.billing_thresholds)}), or null."
  }
}

variable "monthly_budget_usd" {
  description = "An AWS budget of the month besides, which also warns of what is forecast; null: none."
  type        = number
  default     = null
}
