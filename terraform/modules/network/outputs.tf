output "vpc_id" {
  description = "The VPC; null with `create = false` and no `vpc_id`."
  value       = var.create ? aws_vpc.this[0].id : one(data.aws_vpc.existing[*].id)
}

output "vpc_cidr" {
  description = "Its addresses."
  value       = var.create ? aws_vpc.this[0].cidr_block : one(data.aws_vpc.existing[*].cidr_block)
}

output "private_subnet_ids" {
  description = "Subnets for nodes, in the order of `zones` or as given. What uses them waits for their way out."
  value       = var.create ? tolist([for letter in var.zones : aws_subnet.private[letter].id]) : data.aws_subnet.private[*].id

  # A node that cannot reach AWS does not join; and while one is taken down, it still has addresses to give back.
  depends_on = [
    aws_route.internet,
    aws_route.nat,
    aws_route_table_association.private,
    aws_route_table_association.public,
    aws_vpc_endpoint.s3,
    aws_vpc_endpoint.interface,
    aws_vpc_security_group_ingress_rule.endpoints,
  ]
}

output "control_plane_subnet_ids" {
  description = "Subnets for the network interfaces of an EKS control plane: those of the first two zones, or as given. EKS takes no further zone once the cluster is there."
  value       = var.create ? tolist([for letter in slice(var.zones, 0, 2) : aws_subnet.private[letter].id]) : data.aws_subnet.private[*].id
}

output "public_subnet_ids" {
  description = "Subnets for load balancers that the world reaches."
  value       = var.create ? tolist([for letter in var.zones : aws_subnet.public[letter].id]) : data.aws_subnet.public[*].id
}

output "nat_public_ips" {
  description = "Addresses that the world sees nodes come from, by letter of the zone: for allow lists of others."
  value       = { for letter, address in aws_eip.nat : letter => address.public_ip }
}

output "interface_endpoints" {
  description = "Services that have an endpoint inside the VPC."
  value       = sort([for service, endpoint in aws_vpc_endpoint.interface : service])
}
