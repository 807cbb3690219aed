resource "google_compute_network" "shop" {
  name                    = "shop"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "shop_front" {
  name          = "shop-front"
  network       = google_compute_network.shop.id
  ip_cidr_range = "10.8.0.0/20"
  region        = var.region
}

resource "google_compute_firewall" "shop_web_1" {
  name          = "shop-web-1"
  network       = google_compute_network.shop.id
  direction     = "INGRESS"
  source_ranges = ["0.0.0.0/0"]
  target_tags   = ["shop-web"]

  allow {
    protocol = "tcp"
    ports    = ["443"]
  }
}

resource "google_compute_firewall" "shop_web_2" {
  name          = "shop-web-2"
  network       = google_compute_network.shop.id
  direction     = "INGRESS"
  source_ranges = ["10.0.0.0/8"]
  target_tags   = ["shop-web"]

  allow {
    protocol = "udp"
    ports    = ["8000-8010"]
  }
}

resource "google_compute_firewall" "shop_web_3" {
  name          = "shop-web-3"
  network       = google_compute_network.shop.id
  direction     = "INGRESS"
  source_ranges = ["10.0.0.0/8"]
  target_tags   = ["shop-web"]

  allow {
    protocol = "icmp"
  }
}

resource "google_compute_firewall" "shop_web_4" {
  name          = "shop-web-4"
  network       = google_compute_network.shop.id
  direction     = "INGRESS"
  source_ranges = ["10.8.0.0/16"]
  target_tags   = ["shop-web"]

  allow {
    protocol = "all"
  }
}

resource "google_compute_instance" "web_1" {
  name         = "web-1"
  machine_type = "large"
  zone         = "zone-a"
  tags         = ["shop-web"]
  labels       = var.tags

  metadata = {
    ssh-keys = "carafe:${var.public_key}"
  }

  boot_disk {
    initialize_params {
      image = var.image_ubuntu_22_04_3_lts_x86_64
      size  = 60
    }
  }

  network_interface {
    subnetwork = google_compute_subnetwork.shop_front.id

    access_config {
      nat_ip = google_compute_address.web_1_ip.address
    }
  }

  lifecycle {
    ignore_changes = [attached_disk]
  }
}

resource "google_compute_instance" "web_2" {
  name         = "web-2"
  machine_type = "large"
  zone         = "zone-a"
  tags         = ["shop-web"]
  labels       = var.tags

  metadata = {
    ssh-keys = "carafe:${var.public_key}"
  }

  boot_disk {
    initialize_params {
      image = var.image_microsoft_windows_server_2022_x86_64
      size  = 60
    }
  }

  network_interface {
    subnetwork = google_compute_subnetwork.shop_front.id
  }

  lifecycle {
    ignore_changes = [attached_disk]
  }
}

resource "google_compute_instance" "x_file_etc_passwd_if_true" {
  name         = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  machine_type = "large"
  zone         = "zone-a"
  tags         = ["shop-web"]
  labels       = var.tags

  metadata = {
    ssh-keys = "carafe:${var.public_key}"
  }

  boot_disk {
    initialize_params {
      image = var.image_ubuntu_22_04_3_lts_x86_64
      size  = 60
    }
  }

  network_interface {
    subnetwork = google_compute_subnetwork.shop_front.id
  }

  lifecycle {
    ignore_changes = [attached_disk]
  }
}

resource "google_compute_disk" "web_1_d1" {
  name   = "web-1-d1"
  size   = 200
  type   = "fast"
  zone   = "zone-a"
  labels = var.tags
}

resource "google_compute_disk" "web_1_d2" {
  name   = "web-1-d2"
  size   = 100
  zone   = "zone-a"
  labels = var.tags
}

resource "google_compute_attached_disk" "web_1_d1_at" {
  disk     = google_compute_disk.web_1_d1.id
  instance = google_compute_instance.web_1.id
}

resource "google_compute_attached_disk" "web_1_d2_at" {
  disk     = google_compute_disk.web_1_d2.id
  instance = google_compute_instance.web_1.id
}

resource "google_compute_address" "web_1_ip" {
  name   = "web-1-ip"
  region = var.region
}

resource "google_compute_region_health_check" "shop_lb" {
  name               = "shop-lb"
  region             = var.region
  check_interval_sec = 10
  timeout_sec        = 5
  healthy_threshold  = 3

  http_health_check {
    port = 8080
  }
}

resource "google_compute_instance_group" "shop_lb" {
  name      = "shop-lb"
  zone      = "zone-a"
  instances = [google_compute_instance.web_1.self_link, google_compute_instance.web_2.self_link]
}

resource "google_compute_region_backend_service" "shop_lb" {
  name                  = "shop-lb"
  region                = var.region
  protocol              = "TCP"
  load_balancing_scheme = "EXTERNAL"
  health_checks         = [google_compute_region_health_check.shop_lb.id]

  backend {
    group          = google_compute_instance_group.shop_lb.self_link
    balancing_mode = "CONNECTION"
  }
}

resource "google_compute_forwarding_rule" "shop_lb" {
  name                  = "shop-lb"
  region                = var.region
  ip_protocol           = "TCP"
  load_balancing_scheme = "EXTERNAL"
  ports                 = ["443"]
  backend_service       = google_compute_region_backend_service.shop_lb.id
}

resource "google_container_cluster" "shop_k8s" {
  name                     = "shop-k8s"
  location                 = var.region
  remove_default_node_pool = true
  initial_node_count       = 1
  min_master_version       = "1.33"
  resource_labels          = var.tags
  subnetwork               = google_compute_subnetwork.shop_front.id
  network                  = google_compute_network.shop.id
}

resource "google_container_node_pool" "shop_k8s" {
  name           = "nodes"
  cluster        = google_container_cluster.shop_k8s.id
  node_locations = ["zone-a"]
  node_count     = 3

  node_config {
    machine_type = "large"
  }
}
