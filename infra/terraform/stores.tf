resource "google_sql_database_instance" "weir" {
  name                = "weir"
  region              = var.region
  database_version    = "POSTGRES_18"
  deletion_protection = var.deletion_protection

  settings {
    tier              = var.database_tier
    edition           = "ENTERPRISE"
    availability_type = "REGIONAL"
    disk_type         = "PD_SSD"
    disk_size         = 50
    disk_autoresize   = true

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.weir.id
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
    }
  }

  depends_on = [google_service_networking_connection.stores]
}

resource "google_sql_database" "weir" {
  name     = "weir"
  instance = google_sql_database_instance.weir.name
}

resource "random_password" "database" {
  length  = 40
  special = false
}

resource "google_sql_user" "weir" {
  name     = "weir"
  instance = google_sql_database_instance.weir.name
  password = random_password.database.result
}

# Only wake-ups lie here: what is lost is found again within seconds.
resource "google_redis_instance" "weir" {
  name               = "weir"
  region             = var.region
  tier               = "BASIC"
  memory_size_gb     = 1
  redis_version      = "REDIS_7_2"
  authorized_network = google_compute_network.weir.id
  connect_mode       = "PRIVATE_SERVICE_ACCESS"
  auth_enabled       = true
  redis_configs      = { maxmemory-policy = "noeviction" }

  depends_on = [google_service_networking_connection.stores]
}
