output "shop_lb_address" {
  description = "The address of shop-lb."
  value       = google_compute_forwarding_rule.shop_lb.ip_address
}

output "web_1_ip_public_address" {
  description = "The public address of web-1."
  value       = google_compute_address.web_1_ip.address
}

output "web_1_private_address" {
  description = "The private address of web-1."
  value       = google_compute_instance.web_1.network_interface[0].network_ip
}

output "web_2_private_address" {
  description = "The private address of web-2."
  value       = google_compute_instance.web_2.network_interface[0].network_ip
}

output "x_file_etc_passwd_if_true_private_address" {
  description = "The private address of x\"$${file(\"/etc/passwd\")}%%{ if true }\n}."
  value       = google_compute_instance.x_file_etc_passwd_if_true.network_interface[0].network_ip
}
