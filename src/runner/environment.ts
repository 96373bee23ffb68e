import { join } from 'node:path';
import type { Assignment, Rendezvous } from '../protocol/runner.ts';
import { isForTpu } from './devices.ts';

const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Marks the job's processes: the runner finds those that left the process tree by it. */
export const markerVariable = 'WEIR_RUNNER_ID';

/** Where a job may write its progress, as its last line, instead of printing it. */
export const progressFileIn = (workDir: string): string => join(workDir, '.weir-progress');

export type JobPlace = {
  workDir: string;
  toolDirs: string[];
  hostEnv: Record<string, string>;
  marker: string;
  /** Whether it sees no other GPUs than its own, which then are numbered from 0. */
  seesOwnGpusOnly: boolean;
};

/** All that the job sees of an environment; nothing of the runner's or the broker's is in it. */
export function jobEnvironment(
  assignment: Assignment,
  place: JobPlace,
  rendezvous: Rendezvous | null,
): Record<string, string> {
  const { job, attempt, node, nodes, spec, secrets, limits } = assignment;
  return {
    PATH: [`${place.workDir}/.local/bin`, standardPath, ...place.toolDirs].join(':'),
    HOME: place.workDir,
    LANG: 'C.UTF-8',
    // The home directory is the job's own, so pip can break nothing of the system's there.
    PIP_BREAK_SYSTEM_PACKAGES: '1',
    OMP_NUM_THREADS: String(Math.max(1, Math.floor(limits.cpus))),
    // As `nvidia-smi` numbers them, whatever their speed.
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: (place.seesOwnGpusOnly ? [...limits.gpus.keys()] : limits.gpus).join(','),
    ...place.hostEnv,
    ...gangEnvironment(node, nodes, rendezvous),
    ...(isForTpu(spec) ? tpuEnvironment(node, rendezvous) : {}),
    ...spec.env,
    ...secrets,
    WEIR_JOB_ID: job.id,
    WEIR_JOB_NAME: job.name,
    WEIR_ATTEMPT: String(attempt),
    WEIR_NODE_RANK: String(node),
    WEIR_NODE_COUNT: String(nodes),
    WEIR_PROGRESS_FILE: progressFileIn(place.workDir),
    [markerVariable]: place.marker,
  };
}

/** What `torchrun`, `torch.distributed` and `tf.distribute` read to find each other. */
function gangEnvironment(node: number, nodes: number, rendezvous: Rendezvous | null): Record<string, string> {
  const first = rendezvous?.[0];
  if (nodes === 1 || rendezvous === null || first === undefined) return {};
  return {
    MASTER_ADDR: first.address,
    MASTER_PORT: String(first.port),
    NODE_RANK: String(node),
    NNODES: String(nodes),
    RANK: String(node),
    WORLD_SIZE: String(nodes),
    TF_CONFIG: JSON.stringify({
      cluster: { worker: rendezvous.map(({ address, port }) => `${address}:${port}`) },
      task: { type: 'worker', index: node },
    }),
  };
}

/**
 * What JAX, PyTorch/XLA and TensorFlow's TPUStrategy read of a slice, where they would ask the metadata server, which jobs can't reach.
 * How its chips are wired is in the environment of the host.
 */
function tpuEnvironment(node: number, rendezvous: Rendezvous | null): Record<string, string> {
  const hosts = rendezvous === null || rendezvous.length < 2 ? [] : rendezvous.map(({ address }) => address);
  const shared = { TPU_SKIP_MDS_QUERY: '1', TPU_WORKER_ID: String(node), PJRT_DEVICE: 'TPU' };
  if (hosts.length === 0) return { ...shared, TPU_WORKER_HOSTNAMES: 'localhost', TPU_NAME: 'local' };
  const endpoints = hosts.map((address) => `grpc://${address}:8470`).join(',');
  return {
    ...shared,
    TPU_WORKER_HOSTNAMES: hosts.join(','),
    // TensorFlow drives all hosts of a slice from the first, each behind a server of the TPU runtime. Its resolver takes their addresses
    // from either; of a name it would ask Cloud TPU, with credentials that jobs don't have.
    KUBE_GOOGLE_CLOUD_TPU_ENDPOINTS: endpoints,
    TPU_NAME: endpoints,
    TPU_LOAD_LIBRARY: '0',
  };
}
