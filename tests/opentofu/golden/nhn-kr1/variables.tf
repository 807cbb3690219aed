variable "floating_ip_pool" {
  description = "The pool of public addresses."
  type        = string
  default     = "Public Network"
}

variable "image_microsoft_windows_server_2022_x86_64" {
  description = "The image that boots Microsoft Windows Server 2022 on x86_64."
  type        = string
}

variable "image_ubuntu_22_04_3_lts_x86_64" {
  description = "The image that boots Ubuntu 22.04.3 LTS on x86_64."
  type        = string
}

variable "internet_gateway_id" {
  description = "The internet gateway, which only the console makes. Without it nothing is reached from outside."
  type        = string
  default     = null
}

variable "password" {
  description = "The API password, as \"Set API Endpoint\" sets it."
  type        = string
  sensitive   = true
}

variable "public_key" {
  description = "The public SSH key for logging in, for example \"ssh-ed25519 AAAA…\"."
  type        = string
}

variable "region" {
  description = "Where everything is made."
  type        = string
  default     = "KR1"
}

variable "tags" {
  description = "On everything that can bear them."
  type        = map(string)

  default = {
    carafe_plan   = "shop"
    carafe_sha256 = "aa7c36af1e82381c"
  }
}

variable "tenant_id" {
  description = "The tenant, as \"Set API Endpoint\" shows it."
  type        = string
}

variable "user_name" {
  description = "The NHN Cloud ID."
  type        = string
}
