resource "alicloud_vpc" "shop" {
  vpc_name   = "shop"
  cidr_block = "10.8.0.0/16"
  tags       = var.tags
}

resource "alicloud_vswitch" "shop_front" {
  vswitch_name = "shop-front"
  vpc_id       = alicloud_vpc.shop.id
  cidr_block   = "10.8.0.0/20"
  zone_id      = "zone-a"
  tags         = var.tags
}

resource "alicloud_security_group" "shop_web" {
  security_group_name = "shop-web"
  vpc_id              = alicloud_vpc.shop.id
  tags                = var.tags
}

resource "alicloud_security_group_rule" "shop_web_1" {
  security_group_id = alicloud_security_group.shop_web.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "443/443"
  nic_type          = "intranet"
  cidr_ip           = "0.0.0.0/0"
}

resource "alicloud_security_group_rule" "shop_web_2" {
  security_group_id = alicloud_security_group.shop_web.id
  type              = "ingress"
  ip_protocol       = "udp"
  port_range        = "8000/8010"
  nic_type          = "intranet"
  cidr_ip           = "10.0.0.0/8"
}

resource "alicloud_security_group_rule" "shop_web_3" {
  security_group_id = alicloud_security_group.shop_web.id
  type              = "ingress"
  ip_protocol       = "icmp"
  port_range        = "-1/-1"
  nic_type          = "intranet"
  cidr_ip           = "10.0.0.0/8"
}

resource "alicloud_security_group_rule" "shop_web_4" {
  security_group_id = alicloud_security_group.shop_web.id
  type              = "ingress"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  nic_type          = "intranet"
  cidr_ip           = "10.8.0.0/16"
}

resource "alicloud_ecs_key_pair" "shop_key" {
  key_pair_name = "shop-key"
  public_key    = var.public_key
  tags          = var.tags
}

resource "alicloud_instance" "web_1" {
  instance_name    = "web-1"
  instance_type    = "large"
  image_id         = var.image_ubuntu_22_04_3_lts_x86_64
  vswitch_id       = alicloud_vswitch.shop_front.id
  security_groups  = [alicloud_security_group.shop_web.id]
  key_name         = alicloud_ecs_key_pair.shop_key.key_pair_name
  system_disk_size = 60
  tags             = var.tags
}

resource "alicloud_instance" "web_2" {
  instance_name    = "web-2"
  instance_type    = "large"
  image_id         = var.image_microsoft_windows_server_2022_x86_64
  vswitch_id       = alicloud_vswitch.shop_front.id
  security_groups  = [alicloud_security_group.shop_web.id]
  key_name         = alicloud_ecs_key_pair.shop_key.key_pair_name
  system_disk_size = 60
  tags             = var.tags
}

resource "alicloud_instance" "x_file_etc_passwd_if_true" {
  instance_name    = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  instance_type    = "large"
  image_id         = var.image_ubuntu_22_04_3_lts_x86_64
  vswitch_id       = alicloud_vswitch.shop_front.id
  security_groups  = [alicloud_security_group.shop_web.id]
  key_name         = alicloud_ecs_key_pair.shop_key.key_pair_name
  system_disk_size = 60
  tags             = var.tags
}

resource "alicloud_ecs_disk" "web_1_d1" {
  disk_name = "web-1-d1"
  zone_id   = "zone-a"
  category  = "fast"
  size      = 200
  tags      = var.tags
}

resource "alicloud_ecs_disk" "web_1_d2" {
  disk_name = "web-1-d2"
  zone_id   = "zone-a"
  size      = 100
  tags      = var.tags
}

resource "alicloud_ecs_disk_attachment" "web_1_d1_at" {
  disk_id     = alicloud_ecs_disk.web_1_d1.id
  instance_id = alicloud_instance.web_1.id
}

resource "alicloud_ecs_disk_attachment" "web_1_d2_at" {
  disk_id     = alicloud_ecs_disk.web_1_d2.id
  instance_id = alicloud_instance.web_1.id
}

resource "alicloud_eip_address" "web_1_ip" {
  address_name         = "web-1-ip"
  internet_charge_type = "PayByTraffic"
  tags                 = var.tags
}

resource "alicloud_eip_association" "web_1_ip" {
  allocation_id = alicloud_eip_address.web_1_ip.id
  instance_id   = alicloud_instance.web_1.id
}

resource "alicloud_nlb_load_balancer" "shop_lb" {
  load_balancer_name = "shop-lb"
  address_type       = "Internet"
  vpc_id             = alicloud_vpc.shop.id
  tags               = var.tags

  zone_mappings {
    vswitch_id = alicloud_vswitch.shop_front.id
    zone_id    = "zone-a"
  }

  zone_mappings {
    vswitch_id = var.second_vswitch_id
    zone_id    = var.second_zone
  }
}

resource "alicloud_nlb_server_group" "shop_lb" {
  server_group_name = "shop-lb"
  server_group_type = "Instance"
  vpc_id            = alicloud_vpc.shop.id
  protocol          = "TCP"
  tags              = var.tags

  health_check {
    health_check_enabled         = true
    health_check_type            = "HTTP"
    health_check_connect_port    = 8080
    health_check_interval        = 10
    health_check_connect_timeout = 5
    healthy_threshold            = 3
    unhealthy_threshold          = 3
  }
}

resource "alicloud_nlb_server_group_server_attachment" "shop_lb_web_1" {
  server_group_id = alicloud_nlb_server_group.shop_lb.id
  server_type     = "Ecs"
  server_id       = alicloud_instance.web_1.id
  port            = 8443
}

resource "alicloud_nlb_server_group_server_attachment" "shop_lb_web_2" {
  server_group_id = alicloud_nlb_server_group.shop_lb.id
  server_type     = "Ecs"
  server_id       = alicloud_instance.web_2.id
  port            = 8443
}

resource "alicloud_nlb_listener" "shop_lb" {
  load_balancer_id  = alicloud_nlb_load_balancer.shop_lb.id
  listener_protocol = "TCP"
  listener_port     = 443
  server_group_id   = alicloud_nlb_server_group.shop_lb.id
}

resource "alicloud_cs_managed_kubernetes" "shop_k8s" {
  name            = "shop-k8s"
  cluster_spec    = "ack.pro.small"
  version         = "1.33"
  vswitch_ids     = [alicloud_vswitch.shop_front.id]
  pod_cidr        = var.pod_cidr
  service_cidr    = var.service_cidr
  new_nat_gateway = false
  tags            = var.tags

  addons {
    name = "flannel"
  }
}

resource "alicloud_cs_kubernetes_node_pool" "shop_k8s" {
  node_pool_name     = "shop-k8s"
  cluster_id         = alicloud_cs_managed_kubernetes.shop_k8s.id
  vswitch_ids        = [alicloud_vswitch.shop_front.id]
  security_group_ids = [alicloud_security_group.shop_web.id]
  instance_types     = ["large"]
  key_name           = alicloud_ecs_key_pair.shop_key.key_pair_name
  desired_size       = "3"
  tags               = var.tags
}
