# Who gets the role and what it may do, how a push is heard of, and what is handed over.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/promoter-pod" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/promoter-images-0" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:rule/promoter-pushes" }
  }
}

override_resource {
  target = aws_sqs_queue.pushes
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:promoter-pushes"
    id  = "https://sqs.eu-west-1.amazonaws.com/123456789012/promoter-pushes"
  }
}

override_resource {
  target = aws_sqs_queue.dead
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:promoter-pushes-dead"
    id  = "https://sqs.eu-west-1.amazonaws.com/123456789012/promoter-pushes-dead"
  }
}

variables {
  cluster_name = "promoter"
  repository_arns = {
    hello-b = "arn:aws:ecr:eu-west-1:123456789012:repository/hello-b"
    hello-a = "arn:aws:ecr:eu-west-1:123456789012:repository/hello-a"
  }
}

run "handed_over" {
  command = apply

  assert {
    condition = output.installation == {
      namespace       = "promoter"
      service_account = "promoter"
      role_arn        = "arn:aws:iam::123456789012:role/promoter-pod"
      queue_url       = "https://sqs.eu-west-1.amazonaws.com/123456789012/promoter-pushes"
      region          = "eu-west-1"
    }
    error_message = "what the installation needs"
  }
}

run "only_its_pods_get_the_role" {
  command = apply

  variables {
    namespace       = "tools"
    service_account = "deployer"
  }

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{
      Sid       = "PodsOfPromoter"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:RequestTag/eks-cluster-arn"            = "arn:aws:eks:eu-west-1:123456789012:cluster/promoter"
          "aws:RequestTag/kubernetes-namespace"       = "tools"
          "aws:RequestTag/kubernetes-service-account" = "deployer"
        }
      }
    }]
    error_message = "this service account of this cluster"
  }

  assert {
    condition = (
      aws_eks_pod_identity_association.this.cluster_name == "promoter"
      && aws_eks_pod_identity_association.this.namespace == "tools"
      && aws_eks_pod_identity_association.this.service_account == "deployer"
      && aws_eks_pod_identity_association.this.role_arn == output.role_arn
    )
    error_message = "and it is associated with it"
  }
}

run "what_the_role_may_do" {
  command = apply

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid => statement.Resource } == {
      FindTheCluster       = "arn:aws:eks:eu-west-1:123456789012:cluster/promoter"
      ReadAlarmsAndMetrics = "*"
      PutItsOwnMetrics     = "*"
      HearOfPushes         = "arn:aws:sqs:eu-west-1:123456789012:promoter-pushes"
    }
    error_message = "each right on what it is for"
  }

  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Action])) == toset([
      "eks:DescribeCluster",
      "cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmsForMetric", "cloudwatch:GetMetricStatistics", "cloudwatch:PutMetricData",
      "sqs:DeleteMessage", "sqs:ReceiveMessage"
    ])
    error_message = "these rights and no other"
  }

  assert {
    condition = jsondecode(aws_iam_policy.images["0"].policy).Statement == [{
      Sid    = "FindImages"
      Effect = "Allow"
      Action = [
        "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetDownloadUrlForLayer"
      ]
      Resource = [
        "arn:aws:ecr:eu-west-1:123456789012:repository/hello-a",
        "arn:aws:ecr:eu-west-1:123456789012:repository/hello-b"
      ]
    }]
    error_message = "read images in the repositories named, and push none"
  }

  assert {
    condition     = keys(aws_iam_role_policy_attachment.images) == ["0"] && aws_iam_role_policy_attachment.images["0"].role == aws_iam_role.this.name
    error_message = "and the role has it"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Condition if statement.Action == "cloudwatch:PutMetricData"
    ] == [{ StringEquals = { "cloudwatch:namespace" = "promoter" } }]
    error_message = "metrics of its own namespace only"
  }
}

run "a_push_is_heard_of" {
  command = apply

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.pushes.event_pattern) == {
      source      = ["aws.ecr"]
      detail-type = ["ECR Image Action"]
      detail = {
        action-type     = ["PUSH"]
        result          = ["SUCCESS"]
        repository-name = ["hello-a", "hello-b"]
      }
    }
    error_message = "successful pushes to the repositories named"
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.pushes.arn == output.queue_arn
      && aws_cloudwatch_event_target.pushes.dead_letter_config[0].arn == "arn:aws:sqs:eu-west-1:123456789012:promoter-pushes-dead"
    )
    error_message = "into the queue, and aside if that fails"
  }

  assert {
    condition = alltrue([for name, policy in aws_sqs_queue_policy.this : jsondecode(policy.policy).Statement == [{
      Sid       = "TheRuleSends"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = name == "pushes" ? "arn:aws:sqs:eu-west-1:123456789012:promoter-pushes" : "arn:aws:sqs:eu-west-1:123456789012:promoter-pushes-dead"
      Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:events:eu-west-1:123456789012:rule/promoter-pushes" } }
    }]]) && length(aws_sqs_queue_policy.this) == 2
    error_message = "nobody but the rule sends"
  }

  assert {
    condition     = aws_sqs_queue.pushes.sqs_managed_sse_enabled && aws_sqs_queue.dead.sqs_managed_sse_enabled
    error_message = "both are encrypted"
  }

  assert {
    condition     = aws_sqs_queue.pushes.message_retention_seconds == 345600 && aws_sqs_queue.dead.message_retention_seconds == 1209600
    error_message = "four days, and aside for as long as SQS keeps anything"
  }

  assert {
    condition = (
      jsondecode(aws_sqs_queue.pushes.redrive_policy).deadLetterTargetArn == "arn:aws:sqs:eu-west-1:123456789012:promoter-pushes-dead"
      && jsondecode(aws_sqs_queue_redrive_allow_policy.dead.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:eu-west-1:123456789012:promoter-pushes"]
    )
    error_message = "what nobody can make sense of goes aside, from this queue only"
  }
}

run "more_repositories_than_one_policy_or_pattern_holds" {
  command = apply

  variables {
    repository_arns = { for i in range(150) : "team/application-${i}" => "arn:aws:ecr:eu-west-1:123456789012:repository/team/application-${i}" }
  }

  assert {
    condition = (
      length(aws_cloudwatch_event_rule.pushes.event_pattern) <= 2048
      && jsondecode(aws_cloudwatch_event_rule.pushes.event_pattern).detail == { action-type = ["PUSH"], result = ["SUCCESS"] }
    )
    error_message = "all pushes, since EventBridge takes 2048 characters"
  }

  assert {
    condition = (
      length(aws_iam_policy.images) == 4
      && alltrue([for policy in aws_iam_policy.images : length(policy.policy) <= 6144])
      && length(flatten([for policy in aws_iam_policy.images : jsondecode(policy.policy).Statement[0].Resource])) == 150
    )
    error_message = "every repository, in policies that IAM takes"
  }
}
