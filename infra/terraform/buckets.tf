locals {
  bucket_regions = toset(concat([var.region], var.residence_regions))
}

resource "google_storage_bucket" "artifacts" {
  for_each = local.bucket_regions

  name                        = "${var.project_id}-weir-${each.value}"
  location                    = each.value
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  dynamic "encryption" {
    for_each = var.customer_managed_keys ? [google_kms_crypto_key.artifacts[each.value].id] : []

    content {
      default_kms_key_name = encryption.value
    }
  }

  # The dashboard shows artifacts, and browsers upload inputs.
  cors {
    origin          = [local.public_url]
    method          = ["GET", "HEAD", "PUT"]
    response_header = ["Content-Type", "Content-Range", "Content-Disposition", "Range"]
    max_age_seconds = 3600
  }

  # weir removes by `retention`, and sets rules of its own for what it could not; see docs/artifacts.md.
  lifecycle {
    ignore_changes = [lifecycle_rule]
  }

  depends_on = [google_kms_crypto_key_iam_member.storage]
}

data "google_storage_project_service_account" "this" {}

resource "google_kms_key_ring" "weir" {
  for_each = var.customer_managed_keys ? local.bucket_regions : toset([])

  name     = "weir"
  location = each.value

  depends_on = [google_project_service.this]
}

resource "google_kms_crypto_key" "artifacts" {
  for_each = google_kms_key_ring.weir

  name            = "artifacts"
  key_ring        = each.value.id
  rotation_period = "7776000s"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "storage" {
  for_each = google_kms_crypto_key.artifacts

  crypto_key_id = each.value.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${data.google_storage_project_service_account.this.email_address}"
}
