resource "random_password" "operator_key" {
  length  = 48
  special = false
}

# 32 bytes. Without it the tenants' secrets can't be read again: keep the state of Terraform as you would keep the key.
resource "random_bytes" "secret_key" {
  length = 32
}

locals {
  secrets = {
    DATABASE_URL      = "postgresql://weir:${random_password.database.result}@${google_sql_database_instance.weir.private_ip_address}:5432/weir"
    REDIS_URL         = "redis://:${google_redis_instance.weir.auth_string}@${google_redis_instance.weir.host}:${google_redis_instance.weir.port}"
    WEIR_OPERATOR_KEY = random_password.operator_key.result
    WEIR_SECRET_KEY   = random_bytes.secret_key.base64
    weir-config       = yamlencode(local.config)
  }
}

resource "google_secret_manager_secret" "weir" {
  for_each = toset(["DATABASE_URL", "REDIS_URL", "WEIR_OPERATOR_KEY", "WEIR_SECRET_KEY", "weir-config"])

  secret_id = "weir-${lower(replace(each.value, "_", "-"))}"

  replication {
    auto {}
  }

  depends_on = [google_project_service.this]
}

resource "google_secret_manager_secret_version" "weir" {
  for_each = google_secret_manager_secret.weir

  secret      = each.value.id
  secret_data = local.secrets[each.key]
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = google_secret_manager_secret.weir

  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.weir.member
}
