import { ConfigError } from '../config.ts';
import { WeirError } from '../core/errors.ts';
import type { Database } from '../db/database.ts';
import type { Provider } from '../providers/provider.ts';
import { holdHost } from './store.ts';

export type OneHostDeps = { db: Database; leaseMs: number };

/** A host says so often that it is there, and is gone for the others when it has not for so long. */
const sayMs = 10_000;
const silentMs = 60_000;

/**
 * A provider whose machines are this host's, where an installation has one such host: the first. What runs on another one is not seen from
 * here, so that here nothing may be done to it or concluded of it: should another host take over, all that asks for machines throws `unavailable`.
 * @throws ConfigError as long as another host is there or has jobs that are heard.
 */
export async function onOneHost(provider: Provider, { db, leaseMs }: OneHostDeps): Promise<Provider> {
  const { name, host } = provider;
  if (host === undefined) return provider;
  let saidMs = -Infinity;
  const hold = async (): Promise<boolean> => {
    const nowMs = performance.now();
    if (nowMs - saidMs < sayMs) return true;
    const isOurs = await holdHost(db, { provider: name, host, silentMs, leaseMs });
    if (isOurs) saidMs = nowMs;
    return isOurs;
  };
  const held = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    if (!(await hold())) throw new WeirError('unavailable', otherHost(name, leaseMs));
    return ask();
  };
  if (!(await hold())) throw new ConfigError([otherHost(name, leaseMs)]);
  return {
    ...provider,
    create: (request) => held(() => provider.create(request)),
    destroy: (instance) => held(() => provider.destroy(instance)),
    list: () => held(provider.list),
  };
}

function otherHost(name: string, leaseMs: number): string {
  return `providers.${name}: another host, or one with another data directory, offers its cores to this installation, and only one may. Run all workers there; or set providers.${name}.enabled to false for all of weir, and buy machines elsewhere. Where that host is gone for good, this one takes its place ${silentMs / 1000} s after it was last there, and ${leaseMs / 1000} s after the last of its jobs was heard.`;
}
