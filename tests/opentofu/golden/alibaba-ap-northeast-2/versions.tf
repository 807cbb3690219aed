terraform {
  required_version = ">= 1.5"

  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = "~> 1.262"
    }
  }
}

provider "alicloud" {
  region = var.region
}
