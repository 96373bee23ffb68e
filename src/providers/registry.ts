import type { Config } from '../config.ts';
import type { Provider } from './provider.ts';
import { createLocalProvider } from './local/provider.ts';

export type ProviderSettings = {
  config: Config;
  /** Of this weir, so that it never touches the machines of another. */
  installation: string;
  onError: (error: unknown) => void;
};

/** One line per provider; undefined where the configuration leaves it out. */
const providers = {
  local: ({ config, installation, onError }) =>
    config.local.enabled === false
      ? Promise.resolve(undefined)
      : createLocalProvider({
          dataDir: config.dataDir,
          installation,
          config: config.local,
          graceMs: config.timing.graceMs,
          hostEnv: config.hostEnv,
          onError,
        }),
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
