resource "openstack_compute_keypair_v2" "shop_key" {
  name       = "shop-key"
  public_key = var.public_key
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
    uuid = var.network_id_shop_front
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
    uuid = var.network_id_shop_front
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
    uuid = var.network_id_shop_front
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
