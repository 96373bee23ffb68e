import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import { createGcpProvider } from './gcp/provider.ts';
import { createLocalProvider } from './local/provider.ts';
import type { PricedMachine, Provider, RunnerExecutable } from './provider.ts';

export type ProviderSettings = {
  config: Config;
  /** Of this weir, so that it never touches the machines of another. */
  installation: string;
  /** Today's prices, as far as they are known, of what this provider sells. */
  prices: (provider: string) => Promise<PricedMachine[]>;
  /** The runner, for machines that do not share this disk. */
  runner: () => Promise<RunnerExecutable>;
  onError: (error: unknown) => void;
};

/** Files with weir's settings and keys. */
export function ownFiles({ gcp, bucket, googlePrices, hostEnv }: Config): string[] {
  const named = [
    hostEnv['WEIR_CONFIG'],
    hostEnv['GOOGLE_APPLICATION_CREDENTIALS'],
    gcp?.keyFile,
    bucket.kind === 'gcs' ? bucket.keyFile : undefined,
    googlePrices?.keyFile,
  ];
  return named.flatMap((path) => (path === undefined || path === '' ? [] : [resolve(path)]));
}

/** One line per provider; undefined where the configuration leaves it out. */
const providers = {
  local: ({ config, installation, onError }) =>
    config.local.enabled === false
      ? Promise.resolve(undefined)
      : createLocalProvider({
          dataDir: config.dataDir,
          installation,
          hostId: config.hostId,
          config: config.local,
          graceMs: config.timing.graceMs,
          hostEnv: config.hostEnv,
          ownFiles: ownFiles(config),
          onError,
        }),
  gcp: ({ config: { gcp }, installation, prices, runner, onError }) =>
    gcp === undefined
      ? Promise.resolve(undefined)
      : createGcpProvider({ settings: gcp, installation, prices: () => prices('gcp'), runner, onError }),
} satisfies Record<string, (settings: ProviderSettings) => Promise<Provider | undefined>>;

export type ProviderName = keyof typeof providers;

export const providerNames = Object.keys(providers) as ProviderName[];

/**
 * All that the configuration names.
 * @throws ConfigError where one can't work as configured.
 */
export async function createProviders(settings: ProviderSettings): Promise<Provider[]> {
  const created = await Promise.all(providerNames.map((name) => providers[name](settings)));
  return created.filter((provider) => provider !== undefined);
}
