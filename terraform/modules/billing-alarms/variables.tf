variable "name_prefix" {
  description = "What names begin with: alarms are called `<name_prefix>-billing-<threshold>-usd`."
  type        = string
  default     = "promoter"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name_prefix))
    error_message = "name_prefix must be up to 40 lower-case letters, digits and `-`, and begin with a letter."
  }
}

variable "thresholds" {
  description = "Charges of the running month in USD, ascending; each gets an alarm."
  type        = list(number)
  default     = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
  nullable    = false

  validation {
    condition     = length(var.thresholds) > 0
    error_message = "There is no threshold: give at least one amount in USD, or leave this module out."
  }

  validation {
    condition     = alltrue([for threshold in var.thresholds : threshold > 0])
    error_message = "A threshold is 0 or less, which every account exceeds: give amounts in USD above 0."
  }

  validation {
    condition     = length(distinct(var.thresholds)) == length(var.thresholds)
    error_message = "A threshold is given twice: give each once."
  }

  validation {
    condition     = alltrue([for i, threshold in var.thresholds : threshold >= var.thresholds[max(i - 1, 0)]])
    error_message = "The thresholds are not sorted: give them ascending, like [10, 20, 50]."
  }
}

variable "alert_emails" {
  description = "Who is told. Each address gets one mail with a link and has to confirm it, or is told nothing."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.alert_emails) > 0
    error_message = "Nobody would be told: give at least one address in alert_emails."
  }

  validation {
    condition     = alltrue([for email in var.alert_emails : can(regex("^[^@[:space:],;<>]+@[^@[:space:],;<>]+[.][^@[:space:],;<>.]+$", email))])
    error_message = "An entry of alert_emails is no e-mail address: write it plain, like ops@example.com."
  }

  validation {
    condition     = length(distinct([for email in var.alert_emails : lower(email)])) == length(var.alert_emails)
    error_message = "An address is in alert_emails twice: give each once."
  }
}

variable "create_kms_key" {
  description = "Whether to make the key that encrypts the topic, about 1 USD a month. Without it give `kms_key_arn`."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_arn" {
  description = "With `create_kms_key = false`: ARN of a key in us-east-1 that encrypts the topic. Its policy has to let cloudwatch.amazonaws.com use it; see the README."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:us-east-1:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key in us-east-1, where the topic is; alias/aws/sns does not work, since CloudWatch may not use it."
  }
}

variable "create_dashboard" {
  description = "Whether to make a dashboard of the charges and the alarms. An account has three for nothing."
  type        = bool
  default     = true
  nullable    = false
}

variable "monthly_budget_usd" {
  description = "A budget for the month in USD, told at 80 and 100 percent and when the forecast exceeds it. Null makes none."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd must be above 0; null makes no budget."
  }
}

variable "tags" {
  description = "Tags of every resource that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
}
