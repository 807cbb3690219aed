resource "azurerm_resource_group" "main" {
  name     = var.resource_group_name
  location = var.region
  tags     = var.tags
}

resource "azurerm_virtual_network" "shop" {
  name                = "shop"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags
  address_space       = ["10.8.0.0/16"]
}

resource "azurerm_subnet" "shop_front" {
  name                 = "shop-front"
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.shop.name
  address_prefixes     = ["10.8.0.0/20"]
}

resource "azurerm_network_security_group" "shop_web" {
  name                = "shop-web"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags

  security_rule {
    name                       = "rule-1"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = "443"
    source_address_prefix      = "0.0.0.0/0"
    destination_address_prefix = "*"
  }

  security_rule {
    name                       = "rule-2"
    priority                   = 110
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Udp"
    source_port_range          = "*"
    destination_port_range     = "8000-8010"
    source_address_prefix      = "10.0.0.0/8"
    destination_address_prefix = "*"
  }

  security_rule {
    name                       = "rule-3"
    priority                   = 120
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Icmp"
    source_port_range          = "*"
    destination_port_range     = "*"
    source_address_prefix      = "10.0.0.0/8"
    destination_address_prefix = "*"
  }

  security_rule {
    name                       = "rule-4"
    priority                   = 130
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "*"
    source_port_range          = "*"
    destination_port_range     = "*"
    source_address_prefix      = "10.8.0.0/16"
    destination_address_prefix = "*"
  }
}

resource "azurerm_ssh_public_key" "shop_key" {
  name                = "shop-key"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags
  public_key          = var.public_key
}

resource "azurerm_network_interface" "web_1" {
  name                = "web-1"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags

  ip_configuration {
    name                          = "first"
    subnet_id                     = azurerm_subnet.shop_front.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.web_1_ip.id
  }
}

resource "azurerm_network_interface_security_group_association" "web_1" {
  network_interface_id      = azurerm_network_interface.web_1.id
  network_security_group_id = azurerm_network_security_group.shop_web.id
}

resource "azurerm_linux_virtual_machine" "web_1" {
  name                  = "web-1"
  resource_group_name   = azurerm_resource_group.main.name
  location              = var.region
  tags                  = var.tags
  size                  = "large"
  network_interface_ids = [azurerm_network_interface.web_1.id]
  source_image_id       = var.image_ubuntu_22_04_3_lts_x86_64
  admin_username        = "carafe"

  admin_ssh_key {
    username   = "carafe"
    public_key = azurerm_ssh_public_key.shop_key.public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
    disk_size_gb         = 60
  }
}

resource "azurerm_network_interface" "web_2" {
  name                = "web-2"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags

  ip_configuration {
    name                          = "first"
    subnet_id                     = azurerm_subnet.shop_front.id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_network_interface_security_group_association" "web_2" {
  network_interface_id      = azurerm_network_interface.web_2.id
  network_security_group_id = azurerm_network_security_group.shop_web.id
}

resource "azurerm_windows_virtual_machine" "web_2" {
  name                  = "web-2"
  resource_group_name   = azurerm_resource_group.main.name
  location              = var.region
  tags                  = var.tags
  size                  = "large"
  network_interface_ids = [azurerm_network_interface.web_2.id]
  source_image_id       = var.image_microsoft_windows_server_2022_x86_64
  computer_name         = "web-2"
  admin_username        = "carafe"
  admin_password        = var.admin_password

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
    disk_size_gb         = 60
  }
}

resource "azurerm_network_interface" "x_file_etc_passwd_if_true" {
  name                = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags

  ip_configuration {
    name                          = "first"
    subnet_id                     = azurerm_subnet.shop_front.id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_network_interface_security_group_association" "x_file_etc_passwd_if_true" {
  network_interface_id      = azurerm_network_interface.x_file_etc_passwd_if_true.id
  network_security_group_id = azurerm_network_security_group.shop_web.id
}

resource "azurerm_linux_virtual_machine" "x_file_etc_passwd_if_true" {
  name                  = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}"
  resource_group_name   = azurerm_resource_group.main.name
  location              = var.region
  tags                  = var.tags
  size                  = "large"
  network_interface_ids = [azurerm_network_interface.x_file_etc_passwd_if_true.id]
  source_image_id       = var.image_ubuntu_22_04_3_lts_x86_64
  admin_username        = "carafe"

  admin_ssh_key {
    username   = "carafe"
    public_key = azurerm_ssh_public_key.shop_key.public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
    disk_size_gb         = 60
  }
}

resource "azurerm_managed_disk" "web_1_d1" {
  name                 = "web-1-d1"
  resource_group_name  = azurerm_resource_group.main.name
  location             = var.region
  tags                 = var.tags
  storage_account_type = "fast"
  create_option        = "Empty"
  disk_size_gb         = 200
}

resource "azurerm_managed_disk" "web_1_d2" {
  name                 = "web-1-d2"
  resource_group_name  = azurerm_resource_group.main.name
  location             = var.region
  tags                 = var.tags
  storage_account_type = "StandardSSD_LRS"
  create_option        = "Empty"
  disk_size_gb         = 100
}

resource "azurerm_virtual_machine_data_disk_attachment" "web_1_d1_at" {
  managed_disk_id    = azurerm_managed_disk.web_1_d1.id
  virtual_machine_id = azurerm_linux_virtual_machine.web_1.id
  lun                = 0
  caching            = "ReadOnly"
}

resource "azurerm_virtual_machine_data_disk_attachment" "web_1_d2_at" {
  managed_disk_id    = azurerm_managed_disk.web_1_d2.id
  virtual_machine_id = azurerm_linux_virtual_machine.web_1.id
  lun                = 1
  caching            = "ReadOnly"
}

resource "azurerm_public_ip" "web_1_ip" {
  name                = "web-1-ip"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags
  allocation_method   = "Static"
  sku                 = "Standard"
}

resource "azurerm_public_ip" "shop_lb_lb" {
  name                = "shop-lb"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags
  allocation_method   = "Static"
  sku                 = "Standard"
}

resource "azurerm_lb" "shop_lb" {
  name                = "shop-lb"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags
  sku                 = "Standard"

  frontend_ip_configuration {
    name                 = "front"
    public_ip_address_id = azurerm_public_ip.shop_lb_lb.id
  }
}

resource "azurerm_lb_backend_address_pool" "shop_lb" {
  name            = "shop-lb"
  loadbalancer_id = azurerm_lb.shop_lb.id
}

resource "azurerm_lb_probe" "shop_lb" {
  name                = "shop-lb"
  loadbalancer_id     = azurerm_lb.shop_lb.id
  protocol            = "Http"
  port                = 8080
  request_path        = "/"
  interval_in_seconds = 10
  probe_threshold     = 3
}

resource "azurerm_lb_rule" "shop_lb" {
  name                           = "shop-lb"
  loadbalancer_id                = azurerm_lb.shop_lb.id
  protocol                       = "Tcp"
  frontend_port                  = 443
  backend_port                   = 8443
  frontend_ip_configuration_name = "front"
  backend_address_pool_ids       = [azurerm_lb_backend_address_pool.shop_lb.id]
  probe_id                       = azurerm_lb_probe.shop_lb.id
}

resource "azurerm_network_interface_backend_address_pool_association" "shop_lb_web_1" {
  network_interface_id    = azurerm_network_interface.web_1.id
  ip_configuration_name   = "first"
  backend_address_pool_id = azurerm_lb_backend_address_pool.shop_lb.id
}

resource "azurerm_network_interface_backend_address_pool_association" "shop_lb_web_2" {
  network_interface_id    = azurerm_network_interface.web_2.id
  ip_configuration_name   = "first"
  backend_address_pool_id = azurerm_lb_backend_address_pool.shop_lb.id
}

resource "azurerm_kubernetes_cluster" "shop_k8s" {
  name                = "shop-k8s"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.region
  tags                = var.tags
  dns_prefix          = "shop-k8s"
  kubernetes_version  = "1.33"

  default_node_pool {
    name           = "nodes"
    vm_size        = "large"
    node_count     = 3
    vnet_subnet_id = azurerm_subnet.shop_front.id
  }

  identity {
    type = "SystemAssigned"
  }
}
