output "shop_lb_name" {
  description = "The DNS name of shop-lb."
  value       = ncloud_lb.shop_lb.domain
}

output "web_1_ip_public_address" {
  description = "The public address of web-1."
  value       = ncloud_public_ip.web_1_ip.public_ip
}

output "web_1_private_address" {
  description = "The private address of web-1."
  value       = ncloud_network_interface.web_1.private_ip
}

output "web_2_private_address" {
  description = "The private address of web-2."
  value       = ncloud_network_interface.web_2.private_ip
}

output "x_file_etc_passwd_if_true_private_address" {
  description = "The private address of x\"$${file(\"/etc/passwd\")}%%{ if true }\n}."
  value       = ncloud_network_interface.x_file_etc_passwd_if_true.private_ip
}
