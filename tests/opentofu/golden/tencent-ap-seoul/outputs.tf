output "shop_lb_addresses" {
  description = "The addresses of shop-lb."
  value       = tencentcloud_clb_instance.shop_lb.clb_vips
}

output "web_1_ip_public_address" {
  description = "The public address of web-1."
  value       = tencentcloud_eip.web_1_ip.public_ip
}

output "web_1_private_address" {
  description = "The private address of web-1."
  value       = tencentcloud_instance.web_1.private_ip
}

output "web_2_private_address" {
  description = "The private address of web-2."
  value       = tencentcloud_instance.web_2.private_ip
}

output "x_file_etc_passwd_if_true_private_address" {
  description = "The private address of x\"$${file(\"/etc/passwd\")}%%{ if true }\n}."
  value       = tencentcloud_instance.x_file_etc_passwd_if_true.private_ip
}
