resource "ncloud_vpc" "shop" {
  name            = "shop"
  ipv4_cidr_block = "10.8.0.0/16"
}

resource "ncloud_subnet" "shop_front" {
  name           = "shop-front"
  vpc_no         = ncloud_vpc.shop.id
  subnet         = "10.8.0.0/20"
  zone           = "zone-a"
  network_acl_no = ncloud_vpc.shop.default_network_acl_no
  subnet_type    = "PUBLIC"
  usage_type     = "GEN"
}

resource "ncloud_access_control_group" "shop_web" {
  name   = "shop-web"
  vpc_no = ncloud_vpc.shop.id
}

resource "ncloud_access_control_group_rule" "shop_web" {
  access_control_group_no = ncloud_access_control_group.shop_web.id

  inbound {
    protocol   = "TCP"
    ip_block   = "0.0.0.0/0"
    port_range = "443"
  }

  inbound {
    protocol   = "UDP"
    ip_block   = "10.0.0.0/8"
    port_range = "8000-8010"
  }

  inbound {
    protocol = "ICMP"
    ip_block = "10.0.0.0/8"
  }

  inbound {
    protocol   = "TCP"
    ip_block   = "10.8.0.0/16"
    port_range = "1-65535"
  }

  inbound {
    protocol   = "UDP"
    ip_block   = "10.8.0.0/16"
    port_range = "1-65535"
  }

  inbound {
    protocol = "ICMP"
    ip_block = "10.8.0.0/16"
  }

  outbound {
    protocol   = "TCP"
    ip_block   = "0.0.0.0/0"
    port_range = "1-65535"
  }

  outbound {
    protocol   = "UDP"
    ip_block   = "0.0.0.0/0"
    port_range = "1-65535"
  }
}

resource "ncloud_login_key" "shop_key" {
  key_name = "shop-key"
}

resource "ncloud_network_interface" "web_1" {
  name                  = "web-1"
  subnet_no             = ncloud_subnet.shop_front.id
  access_control_groups = [ncloud_access_control_group.shop_web.id]
}

resource "ncloud_server" "web_1" {
  name                = "web-1"
  subnet_no           = ncloud_subnet.shop_front.id
  server_image_number = var.image_ubuntu_22_04_3_lts_x86_64
  server_spec_code    = "large"
  login_key_name      = ncloud_login_key.shop_key.key_name

  network_interface {
    network_interface_no = ncloud_network_interface.web_1.id
    order                = 0
  }
}

resource "ncloud_network_interface" "web_2" {
  name                  = "web-2"
  subnet_no             = ncloud_subnet.shop_front.id
  access_control_groups = [ncloud_access_control_group.shop_web.id]
}

resource "ncloud_server" "web_2" {
  name                = "web-2"
  subnet_no           = ncloud_subnet.shop_front.id
  server_image_number = var.image_microsoft_windows_server_2022_x86_64
  server_spec_code    = "large"
  login_key_name      = ncloud_login_key.shop_key.key_name

  network_interface {
    network_interface_no = ncloud_network_interface.web_2.id
    order                = 0
  }
}

resource "ncloud_network_interface" "x_file_etc_passwd_if_true" {
  name                  = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  subnet_no             = ncloud_subnet.shop_front.id
  access_control_groups = [ncloud_access_control_group.shop_web.id]
}

resource "ncloud_server" "x_file_etc_passwd_if_true" {
  name                = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  subnet_no           = ncloud_subnet.shop_front.id
  server_image_number = var.image_ubuntu_22_04_3_lts_x86_64
  server_spec_code    = "large"
  login_key_name      = ncloud_login_key.shop_key.key_name

  network_interface {
    network_interface_no = ncloud_network_interface.x_file_etc_passwd_if_true.id
    order                = 0
  }
}

resource "ncloud_block_storage" "web_1_d1" {
  name               = "web-1-d1"
  size               = 200
  volume_type        = "fast"
  server_instance_no = ncloud_server.web_1.id
}

resource "ncloud_block_storage" "web_1_d2" {
  name               = "web-1-d2"
  size               = 100
  server_instance_no = ncloud_server.web_1.id
}

resource "ncloud_public_ip" "web_1_ip" {
  server_instance_no = ncloud_server.web_1.id
}

resource "ncloud_lb" "shop_lb" {
  name           = "shop-lb"
  type           = "NETWORK"
  network_type   = "PUBLIC"
  subnet_no_list = [var.load_balancer_subnet_no]
}

resource "ncloud_lb_target_group" "shop_lb" {
  name        = "shop-lb"
  vpc_no      = ncloud_vpc.shop.id
  protocol    = "TCP"
  port        = 8443
  target_type = "VSVR"

  health_check {
    protocol     = "HTTP"
    port         = 8080
    cycle        = 10
    up_threshold = 3
  }
}

resource "ncloud_lb_target_group_attachment" "shop_lb" {
  target_group_no = ncloud_lb_target_group.shop_lb.id
  target_no_list  = [ncloud_server.web_1.id, ncloud_server.web_2.id]
}

resource "ncloud_lb_listener" "shop_lb" {
  load_balancer_no = ncloud_lb.shop_lb.id
  protocol         = "TCP"
  port             = 443
  target_group_no  = ncloud_lb_target_group.shop_lb.id
}
