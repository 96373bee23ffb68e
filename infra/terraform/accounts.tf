# As whom the API and the workers run.
resource "google_service_account" "weir" {
  account_id   = "weir-service"
  display_name = "weir: API and workers"
}

# As whom machines pull the images that jobs name. It may do nothing else, and no job can ask for its token.
resource "google_service_account" "machine" {
  account_id   = "weir-machine"
  display_name = "weir: machines of jobs"
}

resource "google_project_iam_custom_role" "broker" {
  role_id     = "weirBroker"
  title       = "weir broker"
  description = "Makes, lists and deletes the machines of jobs. Exactly what weir calls: a test holds the list against it."
  permissions = concat(local.permissions, anytrue([for kind in var.kinds : can(regex("^v[0-9]", kind))]) ? local.tpu_permissions : [])
}

resource "google_project_iam_member" "broker" {
  project = var.project_id
  role    = google_project_iam_custom_role.broker.id
  member  = google_service_account.weir.member
}

resource "google_service_account_iam_member" "starts_machines" {
  service_account_id = google_service_account.machine.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.weir.member
}

# Download URLs are signed by the account itself: there is no key file anywhere.
resource "google_service_account_iam_member" "signs" {
  service_account_id = google_service_account.weir.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.weir.member
}

resource "google_storage_bucket_iam_member" "objects" {
  for_each = google_storage_bucket.artifacts

  bucket = each.value.name
  role   = "roles/storage.objectAdmin"
  member = google_service_account.weir.member
}

# `isReady` looks at the bucket, and retention writes its lifecycle rules.
resource "google_storage_bucket_iam_member" "rules" {
  for_each = google_storage_bucket.artifacts

  bucket = each.value.name
  role   = google_project_iam_custom_role.bucket_rules.id
  member = google_service_account.weir.member
}

resource "google_project_iam_custom_role" "bucket_rules" {
  role_id     = "weirBucketRules"
  title       = "weir bucket rules"
  description = "Reads a bucket and writes its lifecycle rules."
  permissions = ["storage.buckets.get", "storage.buckets.update"]
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "weir"
  location      = var.region
  format        = "DOCKER"
  description   = "weir's own image, and images that jobs name."

  depends_on = [google_project_service.this]
}

resource "google_artifact_registry_repository_iam_member" "pulls" {
  for_each = {
    service = google_service_account.weir.member
    machine = google_service_account.machine.member
  }

  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.reader"
  member     = each.value
}
