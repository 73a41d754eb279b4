# The VPC exists already, and a new cluster is made in it.

region        = "eu-west-1"
apps          = ["hello-a", "hello-b", "hello-tests"]
allowed_cidrs = ["203.0.113.7/32"]
admin_arns    = ["arn:aws:iam::123456789012:role/admin"]
alert_emails  = ["ops@example.com"]

create_network              = false
existing_vpc_id             = "vpc-0a1b2c3d4e5f60718"
existing_private_subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
existing_public_subnet_ids  = ["subnet-0a1b2c3d4e5f60003", "subnet-0a1b2c3d4e5f60004"]
