import { once } from 'node:events';
import { loadConfig } from '../../../src/config.ts';
import { listenForStop, startService } from '../../../src/main.ts';
import type { Provider, SeenInstance } from '../../../src/providers/provider.ts';
import type { FleetMessage } from './fleet-messages.ts';

/**
 * weir itself, with a provider whose machines are emulated by the process that started this one: see fleet.ts. Its argument
 * is how many cores there are.
 */
const cpus = Number(process.argv[2]);
const gib = 1024 ** 3;
const tell = (message: FleetMessage) => process.send?.(message);

const machines = new Map<string, SeenInstance>();
const capacity = {
  cpus,
  memoryBytes: 1024 * cpus * gib,
  diskBytes: 1024 * cpus * gib,
  gpus: { kind: 'none', count: 0 },
};

const fleet: Provider = {
  name: 'fleet',
  isolatesTenants: true,
  capacity: async () => capacity,
  sellables: async () => [
    {
      region: 'emulated',
      zone: null,
      machineType: 'emulated',
      accelerators: { kind: 'cpu', count: cpus },
      cpus,
      memoryBytes: capacity.memoryBytes,
      diskBytes: capacity.diskBytes,
      market: 'on-demand',
      microUsdPerHour: 20_000 * cpus,
      priceDate: '2026-08-03',
      divisible: { microUsdPerCpuHour: 20_000, microUsdPerGpuHour: 0 },
      startSeconds: { p50: 0.1, p90: 0.2 },
    },
  ],
  create: async ({ name, zone, labels, brokerUrl, bootstrapToken }) => {
    if (machines.has(name)) return undefined;
    machines.set(name, { name, zone, labels });
    tell({ say: 'create', request: { name, brokerUrl, bootstrapToken } });
    return undefined;
  },
  destroy: async ({ name }) => {
    if (machines.delete(name)) tell({ say: 'destroy', name });
  },
  list: async () => [...machines.values()],
  close: async () => undefined,
};

const askedToStop = listenForStop();
const report = (error: unknown) => process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
const service = await startService(loadConfig(process.env), 'both', report, {
  makeProviders: async () => [fleet],
  askedToStop,
});
if (service !== undefined) {
  tell({ say: 'ready' });
  if (!askedToStop.aborted) await once(askedToStop, 'abort');
  await service.close();
}
process.exit(0);
