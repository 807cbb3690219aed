resource "aws_vpc" "shop" {
  cidr_block           = "10.8.0.0/16"
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = "shop" })
}

resource "aws_internet_gateway" "shop" {
  vpc_id = aws_vpc.shop.id
  tags   = merge(var.tags, { Name = "shop" })
}

resource "aws_route" "shop" {
  route_table_id         = aws_vpc.shop.main_route_table_id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.shop.id
}

resource "aws_subnet" "shop_front" {
  vpc_id            = aws_vpc.shop.id
  cidr_block        = "10.8.0.0/20"
  availability_zone = "zone-a"
  tags              = merge(var.tags, { Name = "shop-front" })
}

resource "aws_security_group" "shop_web" {
  name        = "shop-web"
  description = "Managed by the plan"
  vpc_id      = aws_vpc.shop.id
  tags        = merge(var.tags, { Name = "shop-web" })

  ingress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }

  ingress {
    protocol    = "udp"
    from_port   = 8000
    to_port     = 8010
    cidr_blocks = ["10.0.0.0/8"]
  }

  ingress {
    protocol    = "icmp"
    from_port   = -1
    to_port     = -1
    cidr_blocks = ["10.0.0.0/8"]
  }

  ingress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["10.8.0.0/16"]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_key_pair" "shop_key" {
  key_name   = "shop-key"
  public_key = var.public_key
  tags       = merge(var.tags, { Name = "shop-key" })
}

resource "aws_instance" "web_1" {
  ami                    = var.image_ubuntu_22_04_3_lts_x86_64
  instance_type          = "large"
  subnet_id              = aws_subnet.shop_front.id
  vpc_security_group_ids = [aws_security_group.shop_web.id]
  key_name               = aws_key_pair.shop_key.key_name
  tags                   = merge(var.tags, { Name = "web-1" })

  root_block_device {
    volume_size = 60
    encrypted   = true
  }

  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_instance" "web_2" {
  ami                    = var.image_microsoft_windows_server_2022_x86_64
  instance_type          = "large"
  subnet_id              = aws_subnet.shop_front.id
  vpc_security_group_ids = [aws_security_group.shop_web.id]
  key_name               = aws_key_pair.shop_key.key_name
  tags                   = merge(var.tags, { Name = "web-2" })

  root_block_device {
    volume_size = 60
    encrypted   = true
  }

  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_instance" "x_file_etc_passwd_if_true" {
  ami                    = var.image_ubuntu_22_04_3_lts_x86_64
  instance_type          = "large"
  subnet_id              = aws_subnet.shop_front.id
  vpc_security_group_ids = [aws_security_group.shop_web.id]
  key_name               = aws_key_pair.shop_key.key_name
  tags                   = merge(var.tags, { Name = "x\"$${file(\"/etc/passwd\")}%%{ if true }\n}" })

  root_block_device {
    volume_size = 60
    encrypted   = true
  }

  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_ebs_volume" "web_1_d1" {
  availability_zone = aws_instance.web_1.availability_zone
  size              = 200
  type              = "fast"
  encrypted         = true
  tags              = merge(var.tags, { Name = "web-1-d1" })
}

resource "aws_ebs_volume" "web_1_d2" {
  availability_zone = aws_instance.web_1.availability_zone
  size              = 100
  encrypted         = true
  tags              = merge(var.tags, { Name = "web-1-d2" })
}

resource "aws_volume_attachment" "web_1_d1_at" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.web_1_d1.id
  instance_id = aws_instance.web_1.id
}

resource "aws_volume_attachment" "web_1_d2_at" {
  device_name = "/dev/sdg"
  volume_id   = aws_ebs_volume.web_1_d2.id
  instance_id = aws_instance.web_1.id
}

resource "aws_eip" "web_1_ip" {
  domain   = "vpc"
  instance = aws_instance.web_1.id
  tags     = merge(var.tags, { Name = "web-1-ip" })
}

resource "aws_lb" "shop_lb" {
  name               = "shop-lb"
  load_balancer_type = "network"
  internal           = false
  subnets            = [aws_subnet.shop_front.id]
  tags               = merge(var.tags, { Name = "shop-lb" })
}

resource "aws_lb_target_group" "shop_lb" {
  name     = "shop-lb"
  port     = 8443
  protocol = "TCP"
  vpc_id   = aws_vpc.shop.id
  tags     = merge(var.tags, { Name = "shop-lb" })

  health_check {
    protocol          = "HTTP"
    port              = "8080"
    interval          = 10
    timeout           = 5
    healthy_threshold = 3
  }
}

resource "aws_lb_listener" "shop_lb" {
  load_balancer_arn = aws_lb.shop_lb.arn
  port              = 443
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.shop_lb.arn
  }
}

resource "aws_lb_target_group_attachment" "shop_lb_web_1" {
  target_group_arn = aws_lb_target_group.shop_lb.arn
  target_id        = aws_instance.web_1.id
}

resource "aws_lb_target_group_attachment" "shop_lb_web_2" {
  target_group_arn = aws_lb_target_group.shop_lb.arn
  target_id        = aws_instance.web_2.id
}

resource "aws_eks_cluster" "shop_k8s" {
  name     = "shop-k8s"
  version  = "1.33"
  role_arn = var.eks_cluster_role_arn
  tags     = merge(var.tags, { Name = "shop-k8s" })

  vpc_config {
    subnet_ids         = [aws_subnet.shop_front.id]
    security_group_ids = [aws_security_group.shop_web.id]
  }
}

resource "aws_eks_node_group" "shop_k8s" {
  cluster_name    = aws_eks_cluster.shop_k8s.name
  node_group_name = "nodes"
  node_role_arn   = var.eks_node_role_arn
  subnet_ids      = [aws_subnet.shop_front.id]
  instance_types  = ["large"]
  tags            = merge(var.tags, { Name = "shop-k8s" })

  scaling_config {
    desired_size = 3
    min_size     = 3
    max_size     = 3
  }
}
