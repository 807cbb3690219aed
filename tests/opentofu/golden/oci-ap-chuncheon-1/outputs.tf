output "shop_lb_addresses" {
  description = "The addresses of shop-lb."
  value       = oci_network_load_balancer_network_load_balancer.shop_lb.ip_addresses
}

output "web_1_ip_public_address" {
  description = "The public address of web-1."
  value       = oci_core_public_ip.web_1_ip.ip_address
}

output "web_1_private_address" {
  description = "The private address of web-1."
  value       = oci_core_instance.web_1.private_ip
}

output "web_2_private_address" {
  description = "The private address of web-2."
  value       = oci_core_instance.web_2.private_ip
}

output "x_file_etc_passwd_if_true_private_address" {
  description = "The private address of x\"$${file(\"/etc/passwd\")}%%{ if true }\n}."
  value       = oci_core_instance.x_file_etc_passwd_if_true.private_ip
}
