# Bad input is refused before anything is planned.

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
  alert_emails = ["ops@example.com"]
}

run "no_threshold" {
  command = plan

  variables {
    thresholds = []
  }

  expect_failures = [var.thresholds]
}

run "unsorted" {
  command = plan

  variables {
    thresholds = [10, 30, 20]
  }

  expect_failures = [var.thresholds]
}

run "threshold_twice" {
  command = plan

  variables {
    thresholds = [10, 20, 20]
  }

  expect_failures = [var.thresholds]
}

run "threshold_twice_as_text" {
  command = plan

  variables {
    thresholds = [10, 10.0]
  }

  expect_failures = [var.thresholds]
}

run "threshold_of_nothing" {
  command = plan

  variables {
    thresholds = [0, 10]
  }

  expect_failures = [var.thresholds]
}

run "threshold_below_nothing" {
  command = plan

  variables {
    thresholds = [-10]
  }

  expect_failures = [var.thresholds]
}

run "nobody" {
  command = plan

  variables {
    alert_emails = []
  }

  expect_failures = [var.alert_emails]
}

run "no_at" {
  command = plan

  variables {
    alert_emails = ["ops.example.com"]
  }

  expect_failures = [var.alert_emails]
}

run "no_domain" {
  command = plan

  variables {
    alert_emails = ["ops@example"]
  }

  expect_failures = [var.alert_emails]
}

run "a_name_with_it" {
  command = plan

  variables {
    alert_emails = ["Ops <ops@example.com>"]
  }

  expect_failures = [var.alert_emails]
}

run "two_in_one" {
  command = plan

  variables {
    alert_emails = ["ops@example.com,dev@example.com"]
  }

  expect_failures = [var.alert_emails]
}

run "address_twice" {
  command = plan

  variables {
    alert_emails = ["ops@example.com", "Ops@example.com"]
  }

  expect_failures = [var.alert_emails]
}

run "name_prefix" {
  command = plan

  variables {
    name_prefix = "My Alarms"
  }

  expect_failures = [var.name_prefix]
}

run "key_of_another_region" {
  command = plan

  variables {
    create_kms_key = false
    kms_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/9b1c"
  }

  expect_failures = [var.kms_key_arn]
}

run "key_of_sns" {
  command = plan

  variables {
    create_kms_key = false
    kms_key_arn    = "alias/aws/sns"
  }

  expect_failures = [var.kms_key_arn]
}

run "no_key" {
  command = plan

  variables {
    create_kms_key = false
  }

  expect_failures = [aws_sns_topic.this]
}

run "two_keys" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/9b1c"
  }

  expect_failures = [aws_sns_topic.this]
}

run "budget_of_nothing" {
  command = plan

  variables {
    monthly_budget_usd = 0
  }

  expect_failures = [var.monthly_budget_usd]
}

run "budget_of_eleven" {
  command = plan

  variables {
    monthly_budget_usd = 10
    alert_emails       = [for i in range(11) : "ops-${i}@example.com"]
  }

  expect_failures = [aws_budgets_budget.monthly]
}

run "another_region" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { region = "eu-west-1" }
  }

  expect_failures = [data.aws_region.current]
}
