resource "google_compute_network" "weir" {
  name                    = "weir"
  auto_create_subnetworks = false

  depends_on = [google_project_service.this]
}

locals {
  # In the order in which they came: a region keeps its range as others are added behind it.
  subnetwork_order   = distinct(concat([var.region], var.machine_regions))
  subnetwork_regions = toset(local.subnetwork_order)
}

resource "google_compute_subnetwork" "weir" {
  for_each = local.subnetwork_regions

  name                     = "weir"
  region                   = each.value
  network                  = google_compute_network.weir.id
  ip_cidr_range            = cidrsubnet("10.64.0.0/12", 8, index(local.subnetwork_order, each.value))
  private_ip_google_access = true
}

# Machines have no address on the internet: they fetch code, data and packages, and nobody reaches them.
resource "google_compute_router" "weir" {
  for_each = local.subnetwork_regions

  name    = "weir"
  region  = each.value
  network = google_compute_network.weir.id
}

resource "google_compute_router_nat" "weir" {
  for_each = local.subnetwork_regions

  name                               = "weir"
  region                             = each.value
  router                             = google_compute_router.weir[each.value].name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
  min_ports_per_vm                   = 256
}

# The nodes of one job talk to each other: torchrun, NCCL, JAX.
resource "google_compute_firewall" "between_machines" {
  name        = "weir-between-machines"
  network     = google_compute_network.weir.name
  source_tags = ["weir-machine"]
  target_tags = ["weir-machine"]

  allow { protocol = "tcp" }
  allow { protocol = "udp" }
}

# Cloud SQL and Memorystore are reached over a peering, and by nobody else.
resource "google_compute_global_address" "stores" {
  name          = "weir-stores"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
  network       = google_compute_network.weir.id
}

resource "google_service_networking_connection" "stores" {
  network                 = google_compute_network.weir.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.stores.name]
}

# A job must not reach weir's stores, though its machine lies in their network.
resource "google_compute_firewall" "machines_reach_no_store" {
  name               = "weir-machines-reach-no-store"
  network            = google_compute_network.weir.name
  direction          = "EGRESS"
  priority           = 900
  target_tags        = ["weir-machine"]
  destination_ranges = ["${google_compute_global_address.stores.address}/${google_compute_global_address.stores.prefix_length}"]

  deny { protocol = "all" }
}
