import { expect, test } from 'vitest';
import { jobEnvironment } from '../../src/runner/environment.ts';
import { assignmentOf } from '../support/fake-broker.ts';

const place = {
  workDir: '/work/dir',
  toolDirs: ['/opt/tools'],
  hostEnv: { LANG: 'de_DE.UTF-8' },
  marker: 'mark',
  seesOwnGpusOnly: false,
};

test('a job on one node gets its own environment and nothing else', () => {
  const assignment = assignmentOf({
    spec: { name: 'a', command: 'true', env: { SEED: '1', WEIR_ATTEMPT: 'forged' } },
    secrets: { TOKEN: 's' },
  });
  expect(jobEnvironment(assignment, place, null)).toEqual({
    PATH: '/work/dir/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/tools',
    HOME: '/work/dir',
    LANG: 'de_DE.UTF-8',
    PIP_BREAK_SYSTEM_PACKAGES: '1',
    OMP_NUM_THREADS: '1',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: '',
    SEED: '1',
    TOKEN: 's',
    WEIR_JOB_ID: assignment.job.id,
    WEIR_JOB_NAME: 'a',
    WEIR_ATTEMPT: '1',
    WEIR_NODE_RANK: '0',
    WEIR_NODE_COUNT: '1',
    WEIR_PROGRESS_FILE: '/work/dir/.weir-progress',
    WEIR_RUNNER_ID: 'mark',
  });
});

test('GPUs are numbered as nvidia-smi does, and from 0 where a job sees only its own', () => {
  const assignment = assignmentOf({ limits: { cpus: 1, memoryBytes: 1e9, diskBytes: 1e9, gpus: [2, 3] } });
  expect(jobEnvironment(assignment, place, null)['CUDA_VISIBLE_DEVICES']).toBe('2,3');
  expect(jobEnvironment(assignment, { ...place, seesOwnGpusOnly: true }, null)['CUDA_VISIBLE_DEVICES']).toBe('0,1');
});

test('a node of a gang gets what torchrun and TF_CONFIG need', () => {
  const rendezvous = [
    { address: '10.0.0.1', port: 1000 },
    { address: '10.0.0.2', port: 2000 },
  ];
  const environment = jobEnvironment(assignmentOf({ node: 1, nodes: 2 }), place, rendezvous);
  expect(environment).toMatchObject({
    MASTER_ADDR: '10.0.0.1',
    MASTER_PORT: '1000',
    NODE_RANK: '1',
    NNODES: '2',
    RANK: '1',
    WORLD_SIZE: '2',
  });
  expect(JSON.parse(environment['TF_CONFIG'] ?? '')).toEqual({
    cluster: { worker: ['10.0.0.1:1000', '10.0.0.2:2000'] },
    task: { type: 'worker', index: 1 },
  });
});

test('a host of a TPU slice gets what JAX and TPUStrategy read of it, and what the machine knows of its chips', () => {
  const spec = { name: 'a', command: 'true', resources: { accelerators: 'v5e-16' } };
  const onSlice = { ...place, hostEnv: { TPU_ACCELERATOR_TYPE: 'v5litepod-16', TPU_HOST_BOUNDS: '2,2,1' } };
  const rendezvous = [
    { address: '10.0.0.1', port: 1000 },
    { address: '10.0.0.2', port: 2000 },
  ];
  expect(jobEnvironment(assignmentOf({ spec, node: 1, nodes: 2 }), onSlice, rendezvous)).toMatchObject({
    TPU_ACCELERATOR_TYPE: 'v5litepod-16',
    TPU_HOST_BOUNDS: '2,2,1',
    TPU_WORKER_ID: '1',
    TPU_WORKER_HOSTNAMES: '10.0.0.1,10.0.0.2',
    TPU_SKIP_MDS_QUERY: '1',
    KUBE_GOOGLE_CLOUD_TPU_ENDPOINTS: 'grpc://10.0.0.1:8470,grpc://10.0.0.2:8470',
    TPU_NAME: 'grpc://10.0.0.1:8470,grpc://10.0.0.2:8470',
  });
  expect(jobEnvironment(assignmentOf({ spec }), onSlice, null)).toMatchObject({
    TPU_WORKER_ID: '0',
    TPU_WORKER_HOSTNAMES: 'localhost',
    TPU_NAME: 'local',
  });
});
