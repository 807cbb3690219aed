output "shop_k8s_endpoint" {
  description = "The endpoint of shop-k8s."
  value       = aws_eks_cluster.shop_k8s.endpoint
}

output "shop_lb_name" {
  description = "The DNS name of shop-lb."
  value       = aws_lb.shop_lb.dns_name
}

output "web_1_ip_public_address" {
  description = "The public address of web-1."
  value       = aws_eip.web_1_ip.public_ip
}

output "web_1_private_address" {
  description = "The private address of web-1."
  value       = aws_instance.web_1.private_ip
}

output "web_2_private_address" {
  description = "The private address of web-2."
  value       = aws_instance.web_2.private_ip
}

output "x_file_etc_passwd_if_true_private_address" {
  description = "The private address of x\"$${file(\"/etc/passwd\")}%%{ if true }\n}."
  value       = aws_instance.x_file_etc_passwd_if_true.private_ip
}
