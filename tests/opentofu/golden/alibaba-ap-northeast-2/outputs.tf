output "shop_lb_name" {
  description = "The DNS name of shop-lb."
  value       = alicloud_nlb_load_balancer.shop_lb.dns_name
}

output "web_1_ip_public_address" {
  description = "The public address of web-1."
  value       = alicloud_eip_address.web_1_ip.ip_address
}

output "web_1_private_address" {
  description = "The private address of web-1."
  value       = alicloud_instance.web_1.primary_ip_address
}

output "web_2_private_address" {
  description = "The private address of web-2."
  value       = alicloud_instance.web_2.primary_ip_address
}

output "x_file_etc_passwd_if_true_private_address" {
  description = "The private address of x\"$${file(\"/etc/passwd\")}%%{ if true }\n}."
  value       = alicloud_instance.x_file_etc_passwd_if_true.primary_ip_address
}
