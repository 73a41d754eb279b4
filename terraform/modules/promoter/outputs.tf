output "installation" {
  description = "What the installation in the cluster needs to know; `installation` of the root's output `promoter`."
  value = {
    namespace       = aws_eks_pod_identity_association.this.namespace
    service_account = aws_eks_pod_identity_association.this.service_account
    role_arn        = aws_iam_role.this.arn
    queue_url       = aws_sqs_queue.pushes.id
    region          = data.aws_region.current.region
  }
}

output "role_arn" {
  description = "ARN of the role that promoter's pods get."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "Name of that role, to attach more to it."
  value       = aws_iam_role.this.name
}

output "queue_arn" {
  description = "ARN of the queue of pushes."
  value       = aws_sqs_queue.pushes.arn
}

output "queue_url" {
  description = "URL of the queue of pushes."
  value       = aws_sqs_queue.pushes.id
}

output "dead_letter_queue_url" {
  description = "URL of the queue of what could not be delivered or understood."
  value       = aws_sqs_queue.dead.id
}

output "event_rule_arn" {
  description = "ARN of the rule that tells of pushes."
  value       = aws_cloudwatch_event_rule.pushes.arn
}
