import type { Provider } from './provider.ts';

/** What a core of each provider's machines reaches now, by its name, in GFLOP/s; those that were not measured are left out. */
export async function coreRatesOf(providers: Provider[]): Promise<Map<string, number>> {
  const rates = await Promise.all(
    providers.map(async ({ name, sellables }) =>
      (await sellables()).flatMap(({ gigaflopsPerCore }) =>
        gigaflopsPerCore === undefined ? [] : [[name, gigaflopsPerCore] as const],
      ),
    ),
  );
  return new Map(rates.flat());
}
