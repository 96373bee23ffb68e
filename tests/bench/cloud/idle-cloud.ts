import { startGcpEmulator, type GcpEmulator } from '../../emulators/gcp/emulator.ts';
import { usualLimits } from '../../emulators/gcp/quotas.ts';
import { createIdleRunners, type IdleOptions, type IdleRunners } from '../../emulators/idle-runner.ts';
import { providersOf } from '../../emulators/weir-cloud.ts';
import { createInstallation, type Installation } from '../../support/service.ts';
import { withCluster } from '../dispatch/cluster.ts';

export type IdleCloud = { databaseUrl: string; cloud: GcpEmulator; runners: IdleRunners; installation: Installation };

const plenty = 1e9;

/**
 * An installation, not started yet, whose only provider is an emulated Google Cloud that boots at once and has no quota to reach. Its
 * machines are records in this process, and their runners idle: they speak the protocol and run nothing. Times are weir's defaults.
 */
export function withIdleCloud<T>(options: IdleOptions, work: (idle: IdleCloud) => Promise<T>): Promise<T> {
  return withCluster(async (databaseUrl) => {
    const runners = createIdleRunners(options);
    const cloud = await startGcpEmulator({
      machines: 'records',
      timing: { pendingMs: 0, runningMs: 0, bootMs: 0 },
      quotas: Object.fromEntries(Object.keys(usualLimits).map((metric) => [metric, plenty])),
      onStart: runners.start,
      onStop: runners.stop,
    });
    for (const metric of ['GPUS_ALL_REGIONS', 'CPUS_ALL_REGIONS']) cloud.quotas.setLimit('global', metric, plenty);
    const providers = providersOf(cloud);
    const runner = { url: 'https://storage.example.org/runner', sha256: 'a'.repeat(64) };
    const installation = await createInstallation({
      databaseUrl,
      config: { providers: { ...providers, gcp: { ...providers.gcp, runner } }, timing: {} },
    });
    try {
      return await work({ databaseUrl, cloud, runners, installation });
    } finally {
      runners.close();
      await installation.remove();
      await cloud.close();
    }
  });
}
