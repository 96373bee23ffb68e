locals {
  # What weir asks of Compute Engine and Cloud TPU, no more: tests/infra/terraform.test.ts holds it against the calls that an
  # emulator saw.
  permissions = [
    "compute.acceleratorTypes.list",
    "compute.disks.create",
    "compute.disks.delete",
    "compute.disks.list",
    "compute.disks.setLabels",
    "compute.instances.create",
    "compute.instances.delete",
    "compute.instances.get",
    "compute.instances.list",
    "compute.instances.setLabels",
    "compute.instances.setMetadata",
    "compute.instances.setServiceAccount",
    "compute.instances.setTags",
    "compute.machineTypes.list",
    "compute.projects.get",
    "compute.regions.get",
    "compute.subnetworks.use",
    "compute.zoneOperations.get",
    "compute.zoneOperations.list",
    "compute.zones.list",
  ]

  # Besides, where `kinds` names a generation of TPUs. Queued resources have no permissions of their own: those of nodes hold.
  tpu_permissions = ["tpu.acceleratortypes.list", "tpu.nodes.create", "tpu.nodes.delete", "tpu.nodes.get", "tpu.nodes.list", "tpu.operations.get"]
}
