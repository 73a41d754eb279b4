# A cluster that exists already: it is looked up, and nothing of it is changed.

data "aws_eks_cluster" "existing" {
  count = var.create ? 0 : 1

  name = var.name
}
