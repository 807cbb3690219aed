resource "ibm_is_vpc" "shop" {
  name                      = "shop"
  address_prefix_management = "manual"
  tags                      = [for k, v in var.tags : "${k}:${v}"]
}

resource "ibm_is_vpc_address_prefix" "shop_front" {
  name = "shop-front"
  vpc  = ibm_is_vpc.shop.id
  zone = "zone-a"
  cidr = "10.8.0.0/20"
}

resource "ibm_is_subnet" "shop_front" {
  name            = "shop-front"
  vpc             = ibm_is_vpc.shop.id
  zone            = "zone-a"
  ipv4_cidr_block = ibm_is_vpc_address_prefix.shop_front.cidr
  tags            = [for k, v in var.tags : "${k}:${v}"]
}

resource "ibm_is_security_group" "shop_web" {
  name = "shop-web"
  vpc  = ibm_is_vpc.shop.id
  tags = [for k, v in var.tags : "${k}:${v}"]
}

resource "ibm_is_security_group_rule" "shop_web_1" {
  group     = ibm_is_security_group.shop_web.id
  direction = "inbound"
  remote    = "0.0.0.0/0"
  protocol  = "tcp"
  port_min  = 443
  port_max  = 443
}

resource "ibm_is_security_group_rule" "shop_web_2" {
  group     = ibm_is_security_group.shop_web.id
  direction = "inbound"
  remote    = "10.0.0.0/8"
  protocol  = "udp"
  port_min  = 8000
  port_max  = 8010
}

resource "ibm_is_security_group_rule" "shop_web_3" {
  group     = ibm_is_security_group.shop_web.id
  direction = "inbound"
  remote    = "10.0.0.0/8"
  protocol  = "icmp"
}

resource "ibm_is_security_group_rule" "shop_web_4" {
  group     = ibm_is_security_group.shop_web.id
  direction = "inbound"
  remote    = "10.8.0.0/16"
  protocol  = "any"
}

resource "ibm_is_security_group_rule" "shop_web_out" {
  group     = ibm_is_security_group.shop_web.id
  direction = "outbound"
  remote    = "0.0.0.0/0"
  protocol  = "any"
}

resource "ibm_is_ssh_key" "shop_key" {
  name       = "shop-key"
  public_key = var.public_key
  type       = startswith(var.public_key, "ssh-ed25519") ? "ed25519" : "rsa"
  tags       = [for k, v in var.tags : "${k}:${v}"]
}

resource "ibm_is_instance" "web_1" {
  name    = "web-1"
  vpc     = ibm_is_vpc.shop.id
  zone    = "zone-a"
  profile = "large"
  image   = var.image_ubuntu_22_04_3_lts_x86_64
  keys    = [ibm_is_ssh_key.shop_key.id]
  tags    = [for k, v in var.tags : "${k}:${v}"]

  primary_network_interface {
    subnet          = ibm_is_subnet.shop_front.id
    security_groups = [ibm_is_security_group.shop_web.id]
  }

  boot_volume {
    size = 60
  }
}

resource "ibm_is_instance" "web_2" {
  name    = "web-2"
  vpc     = ibm_is_vpc.shop.id
  zone    = "zone-a"
  profile = "large"
  image   = var.image_microsoft_windows_server_2022_x86_64
  keys    = [ibm_is_ssh_key.shop_key.id]
  tags    = [for k, v in var.tags : "${k}:${v}"]

  primary_network_interface {
    subnet          = ibm_is_subnet.shop_front.id
    security_groups = [ibm_is_security_group.shop_web.id]
  }

  boot_volume {
    size = 60
  }
}

resource "ibm_is_instance" "x_file_etc_passwd_if_true" {
  name    = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  vpc     = ibm_is_vpc.shop.id
  zone    = "zone-a"
  profile = "large"
  image   = var.image_ubuntu_22_04_3_lts_x86_64
  keys    = [ibm_is_ssh_key.shop_key.id]
  tags    = [for k, v in var.tags : "${k}:${v}"]

  primary_network_interface {
    subnet          = ibm_is_subnet.shop_front.id
    security_groups = [ibm_is_security_group.shop_web.id]
  }

  boot_volume {
    size = 60
  }
}

resource "ibm_is_volume" "web_1_d1" {
  name     = "web-1-d1"
  zone     = "zone-a"
  profile  = "fast"
  capacity = 200
  tags     = [for k, v in var.tags : "${k}:${v}"]
}

resource "ibm_is_volume" "web_1_d2" {
  name     = "web-1-d2"
  zone     = "zone-a"
  profile  = "general-purpose"
  capacity = 100
  tags     = [for k, v in var.tags : "${k}:${v}"]
}

resource "ibm_is_instance_volume_attachment" "web_1_d1_at" {
  name                               = "web-1-d1-at"
  instance                           = ibm_is_instance.web_1.id
  volume                             = ibm_is_volume.web_1_d1.id
  delete_volume_on_attachment_delete = false
}

resource "ibm_is_instance_volume_attachment" "web_1_d2_at" {
  name                               = "web-1-d2-at"
  instance                           = ibm_is_instance.web_1.id
  volume                             = ibm_is_volume.web_1_d2.id
  delete_volume_on_attachment_delete = false
}

resource "ibm_is_floating_ip" "web_1_ip" {
  name   = "web-1-ip"
  target = ibm_is_instance.web_1.primary_network_interface[0].id
  tags   = [for k, v in var.tags : "${k}:${v}"]
}

resource "ibm_is_lb" "shop_lb" {
  name    = "shop-lb"
  type    = "public"
  profile = "network-fixed"
  subnets = [ibm_is_subnet.shop_front.id]
  tags    = [for k, v in var.tags : "${k}:${v}"]
}

resource "ibm_is_lb_pool" "shop_lb" {
  name                = "shop-lb"
  lb                  = ibm_is_lb.shop_lb.id
  algorithm           = "round_robin"
  protocol            = "tcp"
  health_type         = "http"
  health_delay        = 10
  health_timeout      = 5
  health_retries      = 3
  health_monitor_port = 8080
}

resource "ibm_is_lb_pool_member" "shop_lb_web_1" {
  lb        = ibm_is_lb.shop_lb.id
  pool      = ibm_is_lb_pool.shop_lb.pool_id
  port      = 8443
  target_id = ibm_is_instance.web_1.id
}

resource "ibm_is_lb_pool_member" "shop_lb_web_2" {
  lb        = ibm_is_lb.shop_lb.id
  pool      = ibm_is_lb_pool.shop_lb.pool_id
  port      = 8443
  target_id = ibm_is_instance.web_2.id
}

resource "ibm_is_lb_listener" "shop_lb" {
  lb           = ibm_is_lb.shop_lb.id
  port         = 443
  protocol     = "tcp"
  default_pool = ibm_is_lb_pool.shop_lb.pool_id
}

resource "ibm_container_vpc_cluster" "shop_k8s" {
  name            = "shop-k8s"
  vpc_id          = ibm_is_vpc.shop.id
  flavor          = "large"
  worker_count    = 3
  kube_version    = "1.33"
  security_groups = [ibm_is_security_group.shop_web.id]
  tags            = [for k, v in var.tags : "${k}:${v}"]

  zones {
    name      = "zone-a"
    subnet_id = ibm_is_subnet.shop_front.id
  }
}
