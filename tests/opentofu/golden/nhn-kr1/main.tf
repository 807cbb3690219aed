resource "nhncloud_networking_vpc_v2" "shop" {
  name   = "shop"
  cidrv4 = "10.8.0.0/16"
}

resource "nhncloud_networking_routingtable_v2" "shop" {
  name   = "shop"
  vpc_id = nhncloud_networking_vpc_v2.shop.id
}

resource "nhncloud_networking_routingtable_attach_gateway_v2" "shop" {
  count           = var.internet_gateway_id == null ? 0 : 1
  routingtable_id = nhncloud_networking_routingtable_v2.shop.id
  gateway_id      = var.internet_gateway_id
}

resource "nhncloud_networking_vpcsubnet_v2" "shop_front" {
  name            = "shop-front"
  vpc_id          = nhncloud_networking_vpc_v2.shop.id
  cidr            = "10.8.0.0/20"
  routingtable_id = nhncloud_networking_routingtable_v2.shop.id
}

resource "nhncloud_networking_secgroup_v2" "shop_web" {
  name = "shop-web"
}

resource "nhncloud_networking_secgroup_rule_v2" "shop_web_1" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 443
  port_range_max    = 443
  remote_ip_prefix  = "0.0.0.0/0"
  security_group_id = nhncloud_networking_secgroup_v2.shop_web.id
}

resource "nhncloud_networking_secgroup_rule_v2" "shop_web_2" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "udp"
  port_range_min    = 8000
  port_range_max    = 8010
  remote_ip_prefix  = "10.0.0.0/8"
  security_group_id = nhncloud_networking_secgroup_v2.shop_web.id
}

resource "nhncloud_networking_secgroup_rule_v2" "shop_web_3" {
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "icmp"
  remote_ip_prefix  = "10.0.0.0/8"
  security_group_id = nhncloud_networking_secgroup_v2.shop_web.id
}

resource "nhncloud_networking_secgroup_rule_v2" "shop_web_4" {
  direction         = "ingress"
  ethertype         = "IPv4"
  remote_ip_prefix  = "10.8.0.0/16"
  security_group_id = nhncloud_networking_secgroup_v2.shop_web.id
}

resource "nhncloud_compute_keypair_v2" "shop_key" {
  name       = "shop-key"
  public_key = var.public_key
}

resource "nhncloud_networking_port_v2" "web_1" {
  name               = "web-1"
  network_id         = nhncloud_networking_vpc_v2.shop.id
  security_group_ids = [nhncloud_networking_secgroup_v2.shop_web.id]

  fixed_ip {
    subnet_id = nhncloud_networking_vpcsubnet_v2.shop_front.id
  }
}

resource "nhncloud_compute_instance_v2" "web_1" {
  name              = "web-1"
  flavor_name       = "large"
  key_pair          = nhncloud_compute_keypair_v2.shop_key.name
  availability_zone = "zone-a"
  metadata          = var.tags

  network {
    port = nhncloud_networking_port_v2.web_1.id
  }

  block_device {
    uuid                  = var.image_ubuntu_22_04_3_lts_x86_64
    source_type           = "image"
    destination_type      = "volume"
    boot_index            = 0
    volume_size           = 60
    delete_on_termination = true
  }
}

resource "nhncloud_networking_port_v2" "web_2" {
  name               = "web-2"
  network_id         = nhncloud_networking_vpc_v2.shop.id
  security_group_ids = [nhncloud_networking_secgroup_v2.shop_web.id]

  fixed_ip {
    subnet_id = nhncloud_networking_vpcsubnet_v2.shop_front.id
  }
}

resource "nhncloud_compute_instance_v2" "web_2" {
  name              = "web-2"
  flavor_name       = "large"
  key_pair          = nhncloud_compute_keypair_v2.shop_key.name
  availability_zone = "zone-a"
  metadata          = var.tags

  network {
    port = nhncloud_networking_port_v2.web_2.id
  }

  block_device {
    uuid                  = var.image_microsoft_windows_server_2022_x86_64
    source_type           = "image"
    destination_type      = "volume"
    boot_index            = 0
    volume_size           = 60
    delete_on_termination = true
  }
}

resource "nhncloud_networking_port_v2" "x_file_etc_passwd_if_true" {
  name               = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  network_id         = nhncloud_networking_vpc_v2.shop.id
  security_group_ids = [nhncloud_networking_secgroup_v2.shop_web.id]

  fixed_ip {
    subnet_id = nhncloud_networking_vpcsubnet_v2.shop_front.id
  }
}

resource "nhncloud_compute_instance_v2" "x_file_etc_passwd_if_true" {
  name              = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  flavor_name       = "large"
  key_pair          = nhncloud_compute_keypair_v2.shop_key.name
  availability_zone = "zone-a"
  metadata          = var.tags

  network {
    port = nhncloud_networking_port_v2.x_file_etc_passwd_if_true.id
  }

  block_device {
    uuid                  = var.image_ubuntu_22_04_3_lts_x86_64
    source_type           = "image"
    destination_type      = "volume"
    boot_index            = 0
    volume_size           = 60
    delete_on_termination = true
  }
}

resource "nhncloud_blockstorage_volume_v2" "web_1_d1" {
  name              = "web-1-d1"
  size              = 200
  volume_type       = "fast"
  availability_zone = "zone-a"
}

resource "nhncloud_blockstorage_volume_v2" "web_1_d2" {
  name              = "web-1-d2"
  size              = 100
  availability_zone = "zone-a"
}

resource "nhncloud_compute_volume_attach_v2" "web_1_d1_at" {
  instance_id = nhncloud_compute_instance_v2.web_1.id
  volume_id   = nhncloud_blockstorage_volume_v2.web_1_d1.id
}

resource "nhncloud_compute_volume_attach_v2" "web_1_d2_at" {
  instance_id = nhncloud_compute_instance_v2.web_1.id
  volume_id   = nhncloud_blockstorage_volume_v2.web_1_d2.id
}

resource "nhncloud_networking_floatingip_v2" "web_1_ip" {
  pool = var.floating_ip_pool
}

resource "nhncloud_networking_floatingip_associate_v2" "web_1_ip" {
  floating_ip = nhncloud_networking_floatingip_v2.web_1_ip.address
  port_id     = nhncloud_networking_port_v2.web_1.id
}

resource "nhncloud_lb_loadbalancer_v2" "shop_lb" {
  name          = "shop-lb"
  vip_subnet_id = nhncloud_networking_vpcsubnet_v2.shop_front.id
}

resource "nhncloud_lb_listener_v2" "shop_lb" {
  name            = "shop-lb"
  loadbalancer_id = nhncloud_lb_loadbalancer_v2.shop_lb.id
  protocol        = "TCP"
  protocol_port   = 443
}

resource "nhncloud_lb_pool_v2" "shop_lb" {
  name        = "shop-lb"
  listener_id = nhncloud_lb_listener_v2.shop_lb.id
  protocol    = "TCP"
  lb_method   = "ROUND_ROBIN"
  member_port = 8443
}

resource "nhncloud_lb_member_v2" "shop_lb_web_1" {
  pool_id       = nhncloud_lb_pool_v2.shop_lb.id
  subnet_id     = nhncloud_networking_vpcsubnet_v2.shop_front.id
  address       = nhncloud_compute_instance_v2.web_1.access_ip_v4
  protocol_port = 8443
}

resource "nhncloud_lb_member_v2" "shop_lb_web_2" {
  pool_id       = nhncloud_lb_pool_v2.shop_lb.id
  subnet_id     = nhncloud_networking_vpcsubnet_v2.shop_front.id
  address       = nhncloud_compute_instance_v2.web_2.access_ip_v4
  protocol_port = 8443
}

resource "nhncloud_lb_monitor_v2" "shop_lb" {
  name              = "shop-lb"
  pool_id           = nhncloud_lb_pool_v2.shop_lb.id
  type              = "HTTP"
  delay             = 10
  timeout           = 5
  max_retries       = 3
  health_check_port = 8080
}

resource "nhncloud_networking_floatingip_v2" "shop_lb_lb" {
  pool = var.floating_ip_pool
}

resource "nhncloud_networking_floatingip_associate_v2" "shop_lb_lb" {
  floating_ip = nhncloud_networking_floatingip_v2.shop_lb_lb.address
  port_id     = nhncloud_lb_loadbalancer_v2.shop_lb.vip_port_id
}
