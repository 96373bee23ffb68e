import { ConfigError } from '../config.ts';
import type { Sql } from '../db/database.ts';
import { countMachines } from './store.ts';

/**
 * Nobody else could take away what is up at a provider, nor end the jobs on it.
 * @throws ConfigError where the configuration has left out a provider that still has machines of ours.
 */
export async function requireProvidersInUse(sql: Sql, configured: string[]): Promise<void> {
  const missing = (await countMachines(sql)).filter(({ provider }) => !configured.includes(provider));
  if (missing.length === 0) return;
  throw new ConfigError(
    missing.map(({ provider, count }) => {
      const machines =
        count === 1 ? '1 machine that is up or was asked for' : `${count} machines that are up or were asked for`;
      return `providers.${provider}: is left out or off, and has ${machines}. Configure it as before until their jobs have ended, or cancel those first. Set policies' providers to send no more jobs there.`;
    }),
  );
}
