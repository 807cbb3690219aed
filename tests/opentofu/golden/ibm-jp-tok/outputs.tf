output "shop_lb_name" {
  description = "The DNS name of shop-lb."
  value       = ibm_is_lb.shop_lb.hostname
}

output "web_1_ip_public_address" {
  description = "The public address of web-1."
  value       = ibm_is_floating_ip.web_1_ip.address
}

output "web_1_private_address" {
  description = "The private address of web-1."
  value       = ibm_is_instance.web_1.primary_network_interface[0].primary_ip[0].address
}

output "web_2_private_address" {
  description = "The private address of web-2."
  value       = ibm_is_instance.web_2.primary_network_interface[0].primary_ip[0].address
}

output "x_file_etc_passwd_if_true_private_address" {
  description = "The private address of x\"$${file(\"/etc/passwd\")}%%{ if true }\n}."
  value       = ibm_is_instance.x_file_etc_passwd_if_true.primary_network_interface[0].primary_ip[0].address
}
