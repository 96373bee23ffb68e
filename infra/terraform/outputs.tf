output "url" {
  description = "Where weir answers. Set public_url to it, or to a name of yours that leads there."
  value       = google_cloud_run_v2_service.api.uri
}

output "operator_key" {
  description = "The first operator key: weir login --server URL --key KEY."
  value       = random_password.operator_key.result
  sensitive   = true
}

output "buckets" {
  description = "The bucket of each region."
  value       = { for region, bucket in google_storage_bucket.artifacts : region => bucket.name }
}

output "images" {
  description = "Where to push weir's image."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}
