output "web_1_private_address" {
  description = "The private address of web-1."
  value       = openstack_compute_instance_v2.web_1.access_ip_v4
}

output "web_2_private_address" {
  description = "The private address of web-2."
  value       = openstack_compute_instance_v2.web_2.access_ip_v4
}

output "x_file_etc_passwd_if_true_private_address" {
  description = "The private address of x\"$${file(\"/etc/passwd\")}%%{ if true }\n}."
  value       = openstack_compute_instance_v2.x_file_etc_passwd_if_true.access_ip_v4
}
