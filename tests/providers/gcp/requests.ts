import type { InstanceRequest } from '../../../src/providers/provider.ts';
import type { GcpSettings } from '../../../src/providers/gcp/settings.ts';

const gib = 1024 ** 3;

export const settings: GcpSettings = { projectId: 'weir-test', regions: ['us-central1'], network: 'weir' };

/** A request for one A100 machine, as launch makes them. */
export function requestOf(changes: Partial<InstanceRequest> = {}): InstanceRequest {
  return {
    name: 'weir-01kaa-1-0',
    labels: { installation: 'inl_a', tenant: 'tnt_a', job: 'job_a', attempt: 1 },
    region: 'us-central1',
    zone: 'us-central1-a',
    machineType: 'a2-highgpu-1g',
    accelerators: { kind: 'A100', count: 1 },
    market: 'spot',
    limits: { cpus: 12, memoryBytes: 85 * gib, diskBytes: 100 * gib, gpus: [0] },
    image: null,
    brokerUrl: 'https://weir.example.org',
    bootstrapToken: 'ins_a.secret',
    gang: { node: 0, bootstrapTokens: ['ins_a.secret'] },
    maxRunSeconds: 7200.5,
    ...changes,
  };
}
