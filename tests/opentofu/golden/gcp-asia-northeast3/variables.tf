variable "image_microsoft_windows_server_2022_x86_64" {
  description = "The image that boots Microsoft Windows Server 2022 on x86_64."
  type        = string
}

variable "image_ubuntu_22_04_3_lts_x86_64" {
  description = "The image that boots Ubuntu 22.04.3 LTS on x86_64."
  type        = string
}

variable "project" {
  description = "The project that pays."
  type        = string
}

variable "public_key" {
  description = "The public SSH key for logging in, for example \"ssh-ed25519 AAAA…\"."
  type        = string
}

variable "region" {
  description = "Where everything is made."
  type        = string
  default     = "asia-northeast3"
}

variable "tags" {
  description = "On everything that can bear them."
  type        = map(string)

  default = {
    carafe_plan   = "shop"
    carafe_sha256 = "aa7c36af1e82381c"
  }
}
