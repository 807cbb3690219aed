terraform {
  required_version = ">= 1.5"

  required_providers {
    nhncloud = {
      source  = "nhn-cloud/nhncloud"
      version = "~> 1.0"
    }
  }
}

provider "nhncloud" {
  region    = var.region
  auth_url  = "https://api-identity-infrastructure.nhncloudservice.com/v2.0"
  user_name = var.user_name
  tenant_id = var.tenant_id
  password  = var.password
}
