import type { InstanceRequest } from '../../../src/providers/provider.ts';

/** What the service's process tells that of the fleet: that it is ready, that a machine is wanted, or is to go. */
export type FleetMessage =
  | { say: 'ready' }
  | { say: 'create'; request: Pick<InstanceRequest, 'name' | 'brokerUrl' | 'bootstrapToken'> }
  | { say: 'destroy'; name: string };
