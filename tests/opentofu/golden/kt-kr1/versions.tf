terraform {
  required_version = ">= 1.5"

  required_providers {
    openstack = {
      source  = "terraform-provider-openstack/openstack"
      version = "~> 3.0"
    }
  }
}

provider "openstack" {
  auth_url = "https://api.ucloudbiz.olleh.com/d1/identity"

  endpoint_overrides = {
    compute  = "https://api.ucloudbiz.olleh.com/d1/server/"
    image    = "https://api.ucloudbiz.olleh.com/d1/image/"
    volumev3 = "https://api.ucloudbiz.olleh.com/d1/volume/"
  }
}
