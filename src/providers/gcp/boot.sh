#!/bin/bash
# Brings a machine of Google Cloud to where weir's runner takes over. It is the machine's startup script: all it needs to know
# is in the metadata that boot-metadata.ts writes beside it. What it does it tells the broker, stage by stage.
set -u -o pipefail
umask 077

metadata_host="${GCE_METADATA_HOST:-169.254.169.254}"
root="${STATE_DIRECTORY:-/var/lib}/weir"
job_uid="${WEIR_JOB_UID:-20001}"

# What is not there is not waited for: curl repeats what passes, such as 503, and a server that is not up yet.
metadata() {
  curl --silent --show-error --fail --retry 20 --retry-delay 1 --retry-connrefused --max-time 10 \
    --header 'Metadata-Flavor: Google' "http://$metadata_host/computeMetadata/v1/instance/$1"
}

attribute() {
  metadata "attributes/$1"
}

# Never worth more than a moment: the machine goes on where the broker does not hear it.
tell() {
  curl --silent --output /dev/null --max-time 5 --header 'Content-Type: application/json' \
    --data "{\"bootstrapToken\":\"$token\",\"stage\":\"$1\",\"message\":\"${2:-}\"}" "$broker_url/v1/runner/stage" || true
}

# A machine that can't run the job goes at once; the broker deletes it, and what no broker deletes Google does in the end.
leave() {
  shutdown -h now
  exit "$1"
}

give_up() {
  echo "weir: $1" >&2
  tell failed "$(tr -d '"\\\n' <<<"$1" | cut -c 1-500)"
  leave 1
}

has_nvidia() {
  grep --quiet --no-messages 0x10de /sys/bus/pci/devices/*/vendor
}

# The images have drivers; right after the start the devices may still be coming up.
wait_for_gpus() {
  has_nvidia || return 0
  tell waiting-for-gpus
  for _ in $(seq 150); do
    nvidia-smi --list-gpus >/dev/null 2>&1 && return 0
    sleep 2
  done
  give_up 'The image has no NVIDIA driver that works: an operator checks providers.gcp.images.gpu.'
}

open_tpus() {
  local device
  for device in /dev/accel* /dev/vfio/*; do
    [ -e "$device" ] && chmod a+rw "$device"
  done
}

# On a machine that has just started, Ubuntu's own updates hold apt for minutes.
install_docker() {
  command -v docker >/dev/null && return 0
  systemctl stop --no-block apt-daily.timer apt-daily-upgrade.timer unattended-upgrades
  echo 'DPkg::Lock::Timeout "300";' >"$root/apt.conf"
  for _ in $(seq 5); do
    curl --silent --show-error --fail --location --retry 5 https://get.docker.com | APT_CONFIG="$root/apt.conf" sh && return 0
    sleep 20
  done
  return 1
}

# As https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html has it.
install_nvidia_toolkit() {
  has_nvidia || return 0
  if ! command -v nvidia-ctk >/dev/null; then
    local site=https://nvidia.github.io/libnvidia-container keyring=/usr/share/keyrings/nvidia-container-toolkit-keyring.gpg
    curl --silent --show-error --fail --location --retry 5 "$site/gpgkey" | gpg --dearmor --yes --output "$keyring" || return 1
    chmod a+r "$keyring"
    curl --silent --show-error --fail --location --retry 5 "$site/stable/deb/nvidia-container-toolkit.list" |
      sed "s#deb https://#deb [signed-by=$keyring] https://#" >/etc/apt/sources.list.d/nvidia-container-toolkit.list || return 1
    apt-get update --quiet && apt-get install --quiet --yes --option DPkg::Lock::Timeout=300 nvidia-container-toolkit || return 1
  fi
  nvidia-ctk runtime configure --runtime=docker && systemctl restart docker
}

# Google's registries take the machine's own account; where it has none, only public images can be pulled.
log_in_to_registry() {
  local registry="${1%%/*}" answer
  [[ "$registry" == *.pkg.dev || "$registry" == gcr.io || "$registry" == *.gcr.io ]] || return 0
  answer="$(metadata service-accounts/default/token 2>/dev/null)" || return 0
  sed --quiet 's/.*"access_token": *"\([^"]*\)".*/\1/p' <<<"$answer" |
    docker login --username oauth2accesstoken --password-stdin "https://$registry" >/dev/null
}

prepare_containers() {
  tell installing-containers
  install_docker || give_up 'Docker could not be installed: the machine needs a way to https://get.docker.com and to the packages of its image.'
  install_nvidia_toolkit || give_up 'The NVIDIA container toolkit could not be installed.'
  log_in_to_registry "$1" || give_up "The registry of $1 does not take the account of the machine: an operator grants it Artifact Registry Reader."
}

fetch_runner() {
  tell fetching-runner
  curl --silent --show-error --fail --location --retry 8 --retry-all-errors --retry-delay 1 --output "$root/runner" "$(attribute weir-runner-url)" ||
    give_up 'The runner could not be fetched from the bucket: an operator checks that the network of the machines reaches it.'
  tell checking-runner
  echo "$(attribute weir-runner-sha256)  $root/runner" | sha256sum --check --status ||
    give_up 'The runner that came from the bucket is not the one that weir published: its checksum differs.'
  chmod 700 "$root/runner"
}

# Cloud TPU says in `tpu-env` how the chips of the slice are wired; JAX and libtpu would ask the metadata server, which jobs may not.
# Where GKE bars it from them, its device plugin gives them these variables, some under two names.
tpu_environment() {
  local value=": *'?([A-Za-z0-9.,_-]*)'? *$"
  attribute tpu-env 2>/dev/null |
    sed --quiet --regexp-extended "
      s/^ *(ACCELERATOR_TYPE|TOPOLOGY)$value/\"TPU_\1\":\"\2\"/p
      s/^ *((CHIPS_PER_)?HOST_BOUNDS)$value/\"\1\":\"\3\",\"TPU_\1\":\"\3\"/p
      s/^ *(WRAP|ALT)$value/\"\1\":\"\2\",\"TPU_TOPOLOGY_\1\":\"\2\"/p" |
    paste --serial --delimiters ,
}

write_boot_file() {
  local address isolation='{"kind":"none"}'
  address="$(metadata network-interfaces/0/ip)"
  [ "$(id -u)" = 0 ] && isolation="{\"kind\":\"user\",\"uid\":$job_uid}"
  attribute weir-boot | sed \
    --expression "s|@TOKEN@|$token|" \
    --expression "s|@ADDRESS@|$address|" \
    --expression "s|@METADATA@|$metadata_host|" \
    --expression "s|@ROOT@|$root|g" \
    --expression "s|\"@ISOLATION@\"|$isolation|" \
    --expression "s|\"@ENVIRONMENT@\"|{$(tpu_environment)}|" >"$root/boot.json"
}

mkdir --parents "$root/state" || exit 1
chmod 711 "$root"
broker_url="$(attribute weir-broker-url)" || exit 1
# The hosts of a TPU slice share their metadata: each takes the token of its own number.
node="$(attribute weir-node)" || exit 1
[ "$node" = slice ] && node="$(attribute agent-worker-number)"
token="$(attribute weir-bootstrap-tokens | sed --quiet "$((node + 1))p")"

tell booted
open_tpus
wait_for_gpus
image="$(attribute weir-image)"
[ -n "$image" ] && prepare_containers "$image"
fetch_runner
write_boot_file || give_up 'The boot file of the runner could not be written.'
tell starting-runner
# A machine that is taken away sends this to both: the runner ends its job, and this waits for it.
trap : TERM
"$root/runner" "$root/boot.json"
status=$?
# What a runner that was killed has not sent of its log is sent now.
[ "$status" -ne 0 ] && timeout 60 "$root/runner" deliver "$root/state"
leave "$status"
