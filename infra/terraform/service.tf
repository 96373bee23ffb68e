locals {
  keys = { for region, key in google_kms_crypto_key.artifacts : region => key.id }

  # Null is no value in weir's configuration: what is not there is left out.
  bucket = {
    for name, value in {
      kind      = "gcs"
      name      = google_storage_bucket.artifacts[var.region].name
      region    = var.region
      projectId = var.project_id
      kmsKey    = lookup(local.keys, var.region, null)
      elsewhere = [
        for region in var.residence_regions : {
          for name, value in {
            name   = google_storage_bucket.artifacts[region].name
            region = region
            kmsKey = lookup(local.keys, region, null)
          } : name => value if value != null
        }
      ]
    } : name => value if value != null
  }

  public_url = coalesce(var.public_url, "https://weir-api-${data.google_project.this.number}.${var.region}.run.app")

  # The file of docs/configuration.md: a test holds it against its schema.
  config = {
    publicUrl = local.public_url
    providers = {
      local = { enabled = false }
      gcp = {
        projectId      = var.project_id
        regions        = var.machine_regions
        network        = google_compute_network.weir.name
        subnetwork     = "weir"
        networkTags    = ["weir-machine"]
        serviceAccount = google_service_account.machine.email
        kinds          = var.kinds
      }
    }
    bucket = local.bucket
    retention = {
      artifactsDays   = var.retention_days.artifacts
      checkpointsDays = var.retention_days.checkpoints
      logsDays        = var.retention_days.logs
    }
    prices = { google = {} }
  }

  environment = ["DATABASE_URL", "REDIS_URL", "WEIR_OPERATOR_KEY", "WEIR_SECRET_KEY"]
}

data "google_project" "this" {}

resource "google_cloud_run_v2_service" "api" {
  name                = "weir-api"
  location            = var.region
  deletion_protection = var.deletion_protection
  ingress             = "INGRESS_TRAFFIC_ALL"

  template {
    service_account = google_service_account.weir.email
    # A log is followed for up to an hour by one connection, and goes on by the next.
    timeout                          = "3600s"
    max_instance_request_concurrency = 500

    scaling {
      min_instance_count = 1
      max_instance_count = 10
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        network    = google_compute_network.weir.id
        subnetwork = google_compute_subnetwork.weir[var.region].id
      }
    }

    containers {
      image = var.image
      args  = ["node", "--max-semi-space-size=4", "src/main.ts", "api"]

      resources {
        limits            = { cpu = "2", memory = "1Gi" }
        cpu_idle          = false
        startup_cpu_boost = true
      }

      ports {
        container_port = 8080
      }

      env {
        name  = "WEIR_CONFIG"
        value = "/etc/weir/weir.yaml"
      }

      dynamic "env" {
        for_each = toset(local.environment)

        content {
          name = env.value

          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.weir[env.value].secret_id
              version = google_secret_manager_secret_version.weir[env.value].version
            }
          }
        }
      }

      volume_mounts {
        name       = "config"
        mount_path = "/etc/weir"
      }

      startup_probe {
        period_seconds    = 5
        failure_threshold = 24

        http_get {
          path = "/readyz"
        }
      }

      liveness_probe {
        period_seconds = 30

        http_get {
          path = "/healthz"
        }
      }
    }

    volumes {
      name = "config"

      secret {
        secret = google_secret_manager_secret.weir["weir-config"].secret_id

        items {
          path    = "weir.yaml"
          version = google_secret_manager_secret_version.weir["weir-config"].version
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.reads]
}

# Who has no key of weir's gets nothing but the sign-in page: keys are weir's own, not IAM's.
resource "google_cloud_run_v2_service_iam_member" "public" {
  name     = google_cloud_run_v2_service.api.name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# Two workers: they share the steps, and one goes on while the other is replaced.
resource "google_cloud_run_v2_worker_pool" "worker" {
  name                = "weir-worker"
  location            = var.region
  deletion_protection = var.deletion_protection

  scaling {
    manual_instance_count = 2
  }

  template {
    service_account = google_service_account.weir.email

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        network    = google_compute_network.weir.id
        subnetwork = google_compute_subnetwork.weir[var.region].id
      }
    }

    containers {
      image = var.image
      args  = ["node", "--max-semi-space-size=4", "src/main.ts", "worker"]

      resources {
        limits = { cpu = "2", memory = "2Gi" }
      }

      env {
        name  = "WEIR_CONFIG"
        value = "/etc/weir/weir.yaml"
      }

      dynamic "env" {
        for_each = toset(local.environment)

        content {
          name = env.value

          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.weir[env.value].secret_id
              version = google_secret_manager_secret_version.weir[env.value].version
            }
          }
        }
      }

      volume_mounts {
        name       = "config"
        mount_path = "/etc/weir"
      }
    }

    volumes {
      name = "config"

      secret {
        secret = google_secret_manager_secret.weir["weir-config"].secret_id

        items {
          path    = "weir.yaml"
          version = google_secret_manager_secret_version.weir["weir-config"].version
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.reads]
}
