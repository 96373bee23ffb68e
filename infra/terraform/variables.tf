variable "project_id" {
  description = "The project that weir runs in and makes machines in."
  type        = string
}

variable "region" {
  description = "Where weir itself, its database and its first bucket are."
  type        = string
  default     = "us-central1"
}

variable "machine_regions" {
  description = "Where machines for jobs may be made. Each gets a subnetwork and a NAT gateway. Add further ones at the end: a region's place is its range of addresses."
  type        = list(string)
  default     = ["us-central1"]

  validation {
    condition     = length(var.machine_regions) > 0
    error_message = "Name one region at least, such as us-central1."
  }
}

variable "residence_regions" {
  description = "Further regions with a bucket of their own, for tenants whose policy does not allow the first."
  type        = list(string)
  default     = []
}

variable "image" {
  description = "weir's container image, built from infra/images/Dockerfile, by its digest."
  type        = string
}

variable "public_url" {
  description = "The address that teams, browsers and machines reach weir at, such as https://weir.example.org. Null: Cloud Run's own, known after the first apply."
  type        = string
  default     = null
}

variable "database_tier" {
  description = "The size of Cloud SQL: 2 cores and 8 GB serve hundreds of tenants."
  type        = string
  default     = "db-custom-2-8192"
}

variable "kinds" {
  description = "The kinds of accelerator to buy. Leave out what the project has no quota for."
  type        = list(string)
  default     = ["L4", "A100", "A100-80GB", "H100", "cpu"]
}

variable "retention_days" {
  description = "Days after the end of their job after which outputs, checkpoints and logs are removed."
  type = object({
    artifacts   = number
    checkpoints = number
    logs        = number
  })
  default = { artifacts = 90, checkpoints = 14, logs = 90 }
}

variable "customer_managed_keys" {
  description = "Whether the buckets are encrypted with keys of your own Cloud KMS key ring."
  type        = bool
  default     = false
}

variable "budget" {
  description = "A budget alert for the whole project. Null: none. weir's own budgets hold per tenant; this one is the net below them."
  type = object({
    billing_account = string
    monthly_usd     = number
  })
  default = null
}

variable "deletion_protection" {
  description = "Whether the database and the buckets refuse to be destroyed."
  type        = bool
  default     = true
}
