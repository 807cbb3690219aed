resource "tencentcloud_vpc" "shop" {
  name       = "shop"
  cidr_block = "10.8.0.0/16"
  tags       = var.tags
}

resource "tencentcloud_subnet" "shop_front" {
  name              = "shop-front"
  vpc_id            = tencentcloud_vpc.shop.id
  cidr_block        = "10.8.0.0/20"
  availability_zone = "zone-a"
  tags              = var.tags
}

resource "tencentcloud_security_group" "shop_web" {
  name = "shop-web"
  tags = var.tags
}

resource "tencentcloud_security_group_rule_set" "shop_web" {
  security_group_id = tencentcloud_security_group.shop_web.id

  ingress {
    action     = "ACCEPT"
    cidr_block = "0.0.0.0/0"
    protocol   = "TCP"
    port       = "443"
  }

  ingress {
    action     = "ACCEPT"
    cidr_block = "10.0.0.0/8"
    protocol   = "UDP"
    port       = "8000-8010"
  }

  ingress {
    action     = "ACCEPT"
    cidr_block = "10.0.0.0/8"
    protocol   = "ICMP"
    port       = "ALL"
  }

  ingress {
    action     = "ACCEPT"
    cidr_block = "10.8.0.0/16"
    protocol   = "ALL"
    port       = "ALL"
  }

  egress {
    action     = "ACCEPT"
    cidr_block = "0.0.0.0/0"
    protocol   = "ALL"
    port       = "ALL"
  }
}

resource "tencentcloud_key_pair" "shop_key" {
  key_name   = "shop_key"
  public_key = var.public_key
  tags       = var.tags
}

resource "tencentcloud_instance" "web_1" {
  instance_name           = "web-1"
  availability_zone       = "zone-a"
  instance_type           = "large"
  image_id                = var.image_ubuntu_22_04_3_lts_x86_64
  vpc_id                  = tencentcloud_vpc.shop.id
  subnet_id               = tencentcloud_subnet.shop_front.id
  orderly_security_groups = [tencentcloud_security_group.shop_web.id]
  key_ids                 = [tencentcloud_key_pair.shop_key.id]
  system_disk_size        = 60
  tags                    = var.tags
}

resource "tencentcloud_instance" "web_2" {
  instance_name           = "web-2"
  availability_zone       = "zone-a"
  instance_type           = "large"
  image_id                = var.image_microsoft_windows_server_2022_x86_64
  vpc_id                  = tencentcloud_vpc.shop.id
  subnet_id               = tencentcloud_subnet.shop_front.id
  orderly_security_groups = [tencentcloud_security_group.shop_web.id]
  key_ids                 = [tencentcloud_key_pair.shop_key.id]
  system_disk_size        = 60
  tags                    = var.tags
}

resource "tencentcloud_instance" "x_file_etc_passwd_if_true" {
  instance_name           = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  availability_zone       = "zone-a"
  instance_type           = "large"
  image_id                = var.image_ubuntu_22_04_3_lts_x86_64
  vpc_id                  = tencentcloud_vpc.shop.id
  subnet_id               = tencentcloud_subnet.shop_front.id
  orderly_security_groups = [tencentcloud_security_group.shop_web.id]
  key_ids                 = [tencentcloud_key_pair.shop_key.id]
  system_disk_size        = 60
  tags                    = var.tags
}

resource "tencentcloud_cbs_storage" "web_1_d1" {
  storage_name      = "web-1-d1"
  availability_zone = "zone-a"
  storage_type      = "fast"
  storage_size      = 200
  tags              = var.tags
}

resource "tencentcloud_cbs_storage" "web_1_d2" {
  storage_name      = "web-1-d2"
  availability_zone = "zone-a"
  storage_type      = "CLOUD_PREMIUM"
  storage_size      = 100
  tags              = var.tags
}

resource "tencentcloud_cbs_storage_attachment" "web_1_d1_at" {
  storage_id  = tencentcloud_cbs_storage.web_1_d1.id
  instance_id = tencentcloud_instance.web_1.id
}

resource "tencentcloud_cbs_storage_attachment" "web_1_d2_at" {
  storage_id  = tencentcloud_cbs_storage.web_1_d2.id
  instance_id = tencentcloud_instance.web_1.id
}

resource "tencentcloud_eip" "web_1_ip" {
  name                       = "web-1-ip"
  internet_charge_type       = "TRAFFIC_POSTPAID_BY_HOUR"
  internet_max_bandwidth_out = var.bandwidth_mbps
  tags                       = var.tags
}

resource "tencentcloud_eip_association" "web_1_ip" {
  eip_id      = tencentcloud_eip.web_1_ip.id
  instance_id = tencentcloud_instance.web_1.id
}

resource "tencentcloud_clb_instance" "shop_lb" {
  clb_name     = "shop-lb"
  network_type = "OPEN"
  vpc_id       = tencentcloud_vpc.shop.id
  tags         = var.tags
}

resource "tencentcloud_clb_listener" "shop_lb" {
  clb_id                     = tencentcloud_clb_instance.shop_lb.id
  listener_name              = "shop-lb"
  protocol                   = "TCP"
  port                       = 443
  health_check_switch        = true
  health_check_interval_time = 10
  health_check_time_out      = 5
  health_check_health_num    = 3
  health_check_unhealth_num  = 3
  health_check_port          = 8080
  health_check_type          = "HTTP"
  health_check_http_version  = "HTTP/1.1"
  health_check_http_path     = "/"
}

resource "tencentcloud_clb_attachment" "shop_lb" {
  clb_id      = tencentcloud_clb_instance.shop_lb.id
  listener_id = tencentcloud_clb_listener.shop_lb.listener_id

  targets {
    instance_id = tencentcloud_instance.web_1.id
    port        = 8443
  }

  targets {
    instance_id = tencentcloud_instance.web_2.id
    port        = 8443
  }
}

resource "tencentcloud_kubernetes_cluster" "shop_k8s" {
  cluster_name        = "shop-k8s"
  vpc_id              = tencentcloud_vpc.shop.id
  cluster_cidr        = var.cluster_cidr
  cluster_version     = "1.33"
  cluster_deploy_type = "MANAGED_CLUSTER"
  tags                = var.tags
}

resource "tencentcloud_kubernetes_node_pool" "shop_k8s" {
  name             = "shop-k8s"
  cluster_id       = tencentcloud_kubernetes_cluster.shop_k8s.id
  vpc_id           = tencentcloud_vpc.shop.id
  subnet_ids       = [tencentcloud_subnet.shop_front.id]
  min_size         = 3
  max_size         = 3
  desired_capacity = 3

  auto_scaling_config {
    instance_type              = "large"
    orderly_security_group_ids = [tencentcloud_security_group.shop_web.id]
    key_ids                    = [tencentcloud_key_pair.shop_key.id]
  }
}
