# Credentials come from where the AWS CLI has them: AWS_PROFILE, SSO, a role of CI.

locals {
  tags = merge({ project = var.name, managed-by = "terraform" }, var.tags)
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

# AWS keeps what an account is charged in us-east-1 only, wherever it is spent.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = local.tags
  }
}
