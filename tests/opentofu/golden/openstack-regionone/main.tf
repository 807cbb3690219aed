resource "openstack_networking_network_v2" "shop" {
  name = "shop"
  tags = [for k, v in var.tags : "${k}=${v}"]
}

resource "openstack_networking_router_v2" "shop" {
  name                = "shop"
  external_network_id = var.external_network_id
}

resource "openstack_networking_subnet_v2" "shop_front" {
  name       = "shop-front"
  network_id = openstack_networking_network_v2.shop.id
  cidr       = "10.8.0.0/20"
  ip_version = 4
}

resource "openstack_networking_router_interface_v2" "shop_front" {
  router_id = openstack_networking_router_v2.shop.id
  subnet_id = openstack_networking_subnet_v2.shop_front.id
}

resource "openstack_networking_secgroup_v2" "shop_web" {
  name        = "shop-web"
  description = "Managed by the plan"
}

resource "openstack_networking_secgroup_rule_v2" "shop_web_1" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 443
  port_range_max    = 443
  remote_ip_prefix  = "0.0.0.0/0"
  security_group_id = openstack_networking_secgroup_v2.shop_web.id
}

resource "openstack_networking_secgroup_rule_v2" "shop_web_2" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "udp"
  port_range_min    = 8000
  port_range_max    = 8010
  remote_ip_prefix  = "10.0.0.0/8"
  security_group_id = openstack_networking_secgroup_v2.shop_web.id
}

resource "openstack_networking_secgroup_rule_v2" "shop_web_3" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "icmp"
  remote_ip_prefix  = "10.0.0.0/8"
  security_group_id = openstack_networking_secgroup_v2.shop_web.id
}

resource "openstack_networking_secgroup_rule_v2" "shop_web_4" {
  direction         = "ingress"
  ethertype         = "IPv4"
  remote_ip_prefix  = "10.8.0.0/16"
  security_group_id = openstack_networking_secgroup_v2.shop_web.id
}

resource "openstack_compute_keypair_v2" "shop_key" {
  name       = "shop-key"
  public_key = var.public_key
}

resource "openstack_networking_port_v2" "web_1" {
  name               = "web-1"
  network_id         = openstack_networking_network_v2.shop.id
  security_group_ids = [openstack_networking_secgroup_v2.shop_web.id]

  fixed_ip {
    subnet_id = openstack_networking_subnet_v2.shop_front.id
  }
}

resource "openstack_compute_instance_v2" "web_1" {
  name        = "web-1"
  flavor_name = "large"
  key_pair    = openstack_compute_keypair_v2.shop_key.name
  metadata    = var.tags

  block_device {
    uuid                  = var.image_ubuntu_22_04_3_lts_x86_64
    source_type           = "image"
    destination_type      = "volume"
    boot_index            = 0
    volume_size           = 60
    delete_on_termination = true
  }

  network {
    port = openstack_networking_port_v2.web_1.id
  }
}

resource "openstack_networking_port_v2" "web_2" {
  name               = "web-2"
  network_id         = openstack_networking_network_v2.shop.id
  security_group_ids = [openstack_networking_secgroup_v2.shop_web.id]

  fixed_ip {
    subnet_id = openstack_networking_subnet_v2.shop_front.id
  }
}

resource "openstack_compute_instance_v2" "web_2" {
  name        = "web-2"
  flavor_name = "large"
  key_pair    = openstack_compute_keypair_v2.shop_key.name
  metadata    = var.tags

  block_device {
    uuid                  = var.image_microsoft_windows_server_2022_x86_64
    source_type           = "image"
    destination_type      = "volume"
    boot_index            = 0
    volume_size           = 60
    delete_on_termination = true
  }

  network {
    port = openstack_networking_port_v2.web_2.id
  }
}

resource "openstack_networking_port_v2" "x_file_etc_passwd_if_true" {
  name               = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  network_id         = openstack_networking_network_v2.shop.id
  security_group_ids = [openstack_networking_secgroup_v2.shop_web.id]

  fixed_ip {
    subnet_id = openstack_networking_subnet_v2.shop_front.id
  }
}

resource "openstack_compute_instance_v2" "x_file_etc_passwd_if_true" {
  name        = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  flavor_name = "large"
  key_pair    = openstack_compute_keypair_v2.shop_key.name
  metadata    = var.tags

  block_device {
    uuid                  = var.image_ubuntu_22_04_3_lts_x86_64
    source_type           = "image"
    destination_type      = "volume"
    boot_index            = 0
    volume_size           = 60
    delete_on_termination = true
  }

  network {
    port = openstack_networking_port_v2.x_file_etc_passwd_if_true.id
  }
}

resource "openstack_blockstorage_volume_v3" "web_1_d1" {
  name        = "web-1-d1"
  size        = 200
  volume_type = "fast"
  metadata    = var.tags
}

resource "openstack_blockstorage_volume_v3" "web_1_d2" {
  name     = "web-1-d2"
  size     = 100
  metadata = var.tags
}

resource "openstack_compute_volume_attach_v2" "web_1_d1_at" {
  instance_id = openstack_compute_instance_v2.web_1.id
  volume_id   = openstack_blockstorage_volume_v3.web_1_d1.id
}

resource "openstack_compute_volume_attach_v2" "web_1_d2_at" {
  instance_id = openstack_compute_instance_v2.web_1.id
  volume_id   = openstack_blockstorage_volume_v3.web_1_d2.id
}

resource "openstack_networking_floatingip_v2" "web_1_ip" {
  pool = var.external_network_name
}

resource "openstack_networking_floatingip_associate_v2" "web_1_ip" {
  floating_ip = openstack_networking_floatingip_v2.web_1_ip.address
  port_id     = openstack_networking_port_v2.web_1.id
}

resource "openstack_lb_loadbalancer_v2" "shop_lb" {
  name          = "shop-lb"
  vip_subnet_id = openstack_networking_subnet_v2.shop_front.id
}

resource "openstack_lb_listener_v2" "shop_lb" {
  name            = "shop-lb"
  loadbalancer_id = openstack_lb_loadbalancer_v2.shop_lb.id
  protocol        = "TCP"
  protocol_port   = 443
}

resource "openstack_lb_pool_v2" "shop_lb" {
  name        = "shop-lb"
  listener_id = openstack_lb_listener_v2.shop_lb.id
  protocol    = "TCP"
  lb_method   = "ROUND_ROBIN"
}

resource "openstack_lb_member_v2" "shop_lb_web_1" {
  pool_id       = openstack_lb_pool_v2.shop_lb.id
  address       = openstack_compute_instance_v2.web_1.access_ip_v4
  protocol_port = 8443
  subnet_id     = openstack_networking_subnet_v2.shop_front.id
}

resource "openstack_lb_member_v2" "shop_lb_web_2" {
  pool_id       = openstack_lb_pool_v2.shop_lb.id
  address       = openstack_compute_instance_v2.web_2.access_ip_v4
  protocol_port = 8443
  subnet_id     = openstack_networking_subnet_v2.shop_front.id
}

resource "openstack_lb_monitor_v2" "shop_lb" {
  pool_id     = openstack_lb_pool_v2.shop_lb.id
  type        = "HTTP"
  delay       = 10
  timeout     = 5
  max_retries = 3
}

resource "openstack_networking_floatingip_v2" "shop_lb_lb" {
  pool    = var.external_network_name
  port_id = openstack_lb_loadbalancer_v2.shop_lb.vip_port_id
}

resource "openstack_containerinfra_cluster_v1" "shop_k8s" {
  name                = "shop-k8s"
  cluster_template_id = var.cluster_template_id
  keypair             = openstack_compute_keypair_v2.shop_key.name
  flavor              = "large"
  node_count          = 3
}
