# No more than has to be told.

region        = "us-east-1"
apps          = ["hello-a"]
allowed_cidrs = ["203.0.113.7/32"]
admin_arns    = ["arn:aws:iam::123456789012:role/admin"]
alert_emails  = ["ops@example.com"]
