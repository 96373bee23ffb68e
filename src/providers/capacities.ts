import type { Capacity, Provider } from './provider.ts';

/** What each provider has in all, by its name; undefined for one that can't be counted. */
export async function capacitiesOf(providers: Provider[]): Promise<Map<string, Capacity | undefined>> {
  return new Map(
    await Promise.all(providers.map(async (provider) => [provider.name, await provider.capacity()] as const)),
  );
}
