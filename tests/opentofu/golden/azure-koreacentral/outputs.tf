output "shop_lb_public_address" {
  description = "The public address of shop-lb."
  value       = azurerm_public_ip.shop_lb_lb.ip_address
}

output "web_1_ip_public_address" {
  description = "The public address of web-1."
  value       = azurerm_public_ip.web_1_ip.ip_address
}

output "web_1_private_address" {
  description = "The private address of web-1."
  value       = azurerm_network_interface.web_1.private_ip_address
}

output "web_2_private_address" {
  description = "The private address of web-2."
  value       = azurerm_network_interface.web_2.private_ip_address
}

output "x_file_etc_passwd_if_true_private_address" {
  description = "The private address of x\"$${file(\"/etc/passwd\")}%%{ if true }\n}."
  value       = azurerm_network_interface.x_file_etc_passwd_if_true.private_ip_address
}
