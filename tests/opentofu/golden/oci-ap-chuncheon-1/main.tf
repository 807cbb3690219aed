resource "oci_core_vcn" "shop" {
  compartment_id = var.compartment_id
  display_name   = "shop"
  freeform_tags  = var.tags
  cidr_blocks    = ["10.8.0.0/16"]
}

resource "oci_core_default_security_list" "shop" {
  compartment_id             = var.compartment_id
  manage_default_resource_id = oci_core_vcn.shop.default_security_list_id
}

resource "oci_core_internet_gateway" "shop" {
  compartment_id = var.compartment_id
  display_name   = "shop"
  freeform_tags  = var.tags
  vcn_id         = oci_core_vcn.shop.id
}

resource "oci_core_default_route_table" "shop" {
  compartment_id             = var.compartment_id
  manage_default_resource_id = oci_core_vcn.shop.default_route_table_id

  route_rules {
    destination       = "0.0.0.0/0"
    destination_type  = "CIDR_BLOCK"
    network_entity_id = oci_core_internet_gateway.shop.id
  }
}

resource "oci_core_subnet" "shop_front" {
  compartment_id = var.compartment_id
  display_name   = "shop-front"
  freeform_tags  = var.tags
  vcn_id         = oci_core_vcn.shop.id
  cidr_block     = "10.8.0.0/20"
}

resource "oci_core_network_security_group" "shop_web" {
  compartment_id = var.compartment_id
  display_name   = "shop-web"
  freeform_tags  = var.tags
  vcn_id         = oci_core_vcn.shop.id
}

resource "oci_core_network_security_group_security_rule" "shop_web_in_1" {
  network_security_group_id = oci_core_network_security_group.shop_web.id
  direction                 = "INGRESS"
  protocol                  = "6"
  source                    = "0.0.0.0/0"
  source_type               = "CIDR_BLOCK"

  tcp_options {
    destination_port_range {
      min = 443
      max = 443
    }
  }
}

resource "oci_core_network_security_group_security_rule" "shop_web_in_2" {
  network_security_group_id = oci_core_network_security_group.shop_web.id
  direction                 = "INGRESS"
  protocol                  = "17"
  source                    = "10.0.0.0/8"
  source_type               = "CIDR_BLOCK"

  udp_options {
    destination_port_range {
      min = 8000
      max = 8010
    }
  }
}

resource "oci_core_network_security_group_security_rule" "shop_web_in_3" {
  network_security_group_id = oci_core_network_security_group.shop_web.id
  direction                 = "INGRESS"
  protocol                  = "1"
  source                    = "10.0.0.0/8"
  source_type               = "CIDR_BLOCK"
}

resource "oci_core_network_security_group_security_rule" "shop_web_in_4" {
  network_security_group_id = oci_core_network_security_group.shop_web.id
  direction                 = "INGRESS"
  protocol                  = "all"
  source                    = "10.8.0.0/16"
  source_type               = "CIDR_BLOCK"
}

resource "oci_core_network_security_group_security_rule" "shop_web_out" {
  network_security_group_id = oci_core_network_security_group.shop_web.id
  direction                 = "EGRESS"
  protocol                  = "all"
  destination               = "0.0.0.0/0"
  destination_type          = "CIDR_BLOCK"
}

resource "oci_core_instance" "web_1" {
  compartment_id      = var.compartment_id
  display_name        = "web-1"
  freeform_tags       = var.tags
  availability_domain = "zone-a"

  metadata = {
    ssh_authorized_keys = var.public_key
  }

  shape = "large"

  create_vnic_details {
    assign_public_ip = "false"
    subnet_id        = oci_core_subnet.shop_front.id
    nsg_ids          = [oci_core_network_security_group.shop_web.id]
  }

  source_details {
    source_type             = "image"
    source_id               = var.image_ubuntu_22_04_3_lts_x86_64
    boot_volume_size_in_gbs = 60
  }
}

resource "oci_core_instance" "web_2" {
  compartment_id      = var.compartment_id
  display_name        = "web-2"
  freeform_tags       = var.tags
  availability_domain = "zone-a"

  metadata = {
    ssh_authorized_keys = var.public_key
  }

  shape = "large"

  create_vnic_details {
    assign_public_ip = "false"
    subnet_id        = oci_core_subnet.shop_front.id
    nsg_ids          = [oci_core_network_security_group.shop_web.id]
  }

  source_details {
    source_type             = "image"
    source_id               = var.image_microsoft_windows_server_2022_x86_64
    boot_volume_size_in_gbs = 60
  }
}

resource "oci_core_instance" "x_file_etc_passwd_if_true" {
  compartment_id      = var.compartment_id
  display_name        = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  freeform_tags       = var.tags
  availability_domain = "zone-a"

  metadata = {
    ssh_authorized_keys = var.public_key
  }

  shape = "large"

  create_vnic_details {
    assign_public_ip = "false"
    subnet_id        = oci_core_subnet.shop_front.id
    nsg_ids          = [oci_core_network_security_group.shop_web.id]
  }

  source_details {
    source_type             = "image"
    source_id               = var.image_ubuntu_22_04_3_lts_x86_64
    boot_volume_size_in_gbs = 60
  }
}

resource "oci_core_volume" "web_1_d1" {
  compartment_id      = var.compartment_id
  display_name        = "web-1-d1"
  freeform_tags       = var.tags
  availability_domain = "zone-a"
  size_in_gbs         = 200
}

resource "oci_core_volume" "web_1_d2" {
  compartment_id      = var.compartment_id
  display_name        = "web-1-d2"
  freeform_tags       = var.tags
  availability_domain = "zone-a"
  size_in_gbs         = 100
}

resource "oci_core_volume_attachment" "web_1_d1_at" {
  display_name    = "web-1-d1-at"
  attachment_type = "paravirtualized"
  instance_id     = oci_core_instance.web_1.id
  volume_id       = oci_core_volume.web_1_d1.id
}

resource "oci_core_volume_attachment" "web_1_d2_at" {
  display_name    = "web-1-d2-at"
  attachment_type = "paravirtualized"
  instance_id     = oci_core_instance.web_1.id
  volume_id       = oci_core_volume.web_1_d2.id
}

data "oci_core_private_ips" "web_1_ip" {
  ip_address = oci_core_instance.web_1.private_ip
  subnet_id  = oci_core_subnet.shop_front.id
}

resource "oci_core_public_ip" "web_1_ip" {
  compartment_id = var.compartment_id
  display_name   = "web-1-ip"
  freeform_tags  = var.tags
  lifetime       = "RESERVED"
  private_ip_id  = data.oci_core_private_ips.web_1_ip.private_ips[0].id
}

resource "oci_network_load_balancer_network_load_balancer" "shop_lb" {
  compartment_id = var.compartment_id
  display_name   = "shop-lb"
  freeform_tags  = var.tags
  is_private     = false
  subnet_id      = oci_core_subnet.shop_front.id
}

resource "oci_network_load_balancer_backend_set" "shop_lb" {
  network_load_balancer_id = oci_network_load_balancer_network_load_balancer.shop_lb.id
  name                     = "members"
  policy                   = "FIVE_TUPLE"

  health_checker {
    protocol           = "HTTP"
    port               = 8080
    interval_in_millis = 10000
    timeout_in_millis  = 5000
    retries            = 3
  }
}

resource "oci_network_load_balancer_listener" "shop_lb" {
  network_load_balancer_id = oci_network_load_balancer_network_load_balancer.shop_lb.id
  name                     = "listener"
  default_backend_set_name = oci_network_load_balancer_backend_set.shop_lb.name
  port                     = 443
  protocol                 = "TCP"
}

resource "oci_network_load_balancer_backend" "shop_lb_1" {
  network_load_balancer_id = oci_network_load_balancer_network_load_balancer.shop_lb.id
  backend_set_name         = oci_network_load_balancer_backend_set.shop_lb.name
  port                     = 8443
  target_id                = oci_core_instance.web_1.id
}

resource "oci_network_load_balancer_backend" "shop_lb_2" {
  network_load_balancer_id = oci_network_load_balancer_network_load_balancer.shop_lb.id
  backend_set_name         = oci_network_load_balancer_backend_set.shop_lb.name
  port                     = 8443
  target_id                = oci_core_instance.web_2.id
}

resource "oci_containerengine_cluster" "shop_k8s" {
  compartment_id     = var.compartment_id
  name               = "shop-k8s"
  kubernetes_version = var.shop_k8s_version
  vcn_id             = oci_core_vcn.shop.id
  freeform_tags      = var.tags

  endpoint_config {
    is_public_ip_enabled = true
    subnet_id            = oci_core_subnet.shop_front.id
  }
}

resource "oci_containerengine_node_pool" "shop_k8s" {
  compartment_id     = var.compartment_id
  cluster_id         = oci_containerengine_cluster.shop_k8s.id
  name               = "shop-k8s"
  kubernetes_version = var.shop_k8s_version
  ssh_public_key     = var.public_key
  freeform_tags      = var.tags
  node_shape         = "large"

  node_config_details {
    size    = 3
    nsg_ids = [oci_core_network_security_group.shop_web.id]

    placement_configs {
      availability_domain = "zone-a"
      subnet_id           = oci_core_subnet.shop_front.id
    }
  }

  node_source_details {
    source_type = "IMAGE"
    image_id    = var.node_image_id
  }
}
