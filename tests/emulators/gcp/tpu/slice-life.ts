import { setTimeout as sleep } from 'node:timers/promises';
import { expired, noCapacity, type Status } from './answers.ts';
import { bootHost, createHosts, shutDownHost, type HostOptions } from './hosts.ts';
import { createNode, setReady, setState, stateOf, type Slice } from './slice.ts';
import type { TpuQuotas } from './tpu-quotas.ts';

export type SliceLifeOptions = HostOptions & {
  quotas: TpuQuotas;
  /** The queued resource is not there any more. */
  onGone: (slice: Slice) => void;
};

export type SliceLife = {
  /** From ACCEPTED on, as far as it comes. */
  begin: (slice: Slice) => void;
  /** The end of its node, which leaves the request SUSPENDED. */
  suspend: (slice: Slice, by: 'USER' | 'SERVICE', noticeMs: number) => Promise<void>;
  remove: (slice: Slice) => Promise<void>;
};

/** What happens to a queued resource and its node between birth and end, whoever asked for it. */
export function createSliceLife(options: SliceLifeOptions): SliceLife {
  const { world, quotas, onGone } = options;
  const { timing, faults } = world;
  const counted = new Set<Slice>();

  const rest = ({ leaving }: Slice, ms: number) => sleep(ms, undefined, { signal: leaving.signal, ref: false });
  const fail = (slice: Slice, error: Status) => setState(slice, 'FAILED', 'SERVICE', error);

  const live = async (slice: Slice): Promise<void> => {
    await rest(slice, timing.tpuStateMs);
    setState(slice, 'ACCEPTED');
    await rest(slice, timing.tpuStateMs);
    const refusal = quotas.take(slice.type, slice.isSpot, slice.zone);
    if (refusal !== undefined) return fail(slice, refusal);
    counted.add(slice);
    setState(slice, 'WAITING_FOR_RESOURCES');
    const shortage = await waitForCapacity(slice);
    if (shortage !== undefined) return fail(slice, shortage);
    setState(slice, 'PROVISIONING');
    slice.node = createNode(slice);
    await rest(slice, timing.tpuStateMs);
    await activate(slice);
  };

  /** A zone without any keeps the request waiting until it is over; where the shortage says so at once, it does not wait. */
  const waitForCapacity = async (slice: Slice): Promise<Status | undefined> => {
    await rest(slice, timing.tpuStateMs);
    const stockout = faults.stockoutOf(slice.zone, slice.type.name, slice.isSpot ? 'spot' : 'on-demand');
    if (stockout === undefined) return undefined;
    if (stockout.form === 'text') return noCapacity(slice.zone);
    const endMs = Date.now() + (stockout.forMs ?? Infinity);
    const untilMs = Math.min(slice.expiresMs, endMs);
    // No timer waits for ever; nothing else ends this wait then than the end of the slice.
    await rest(slice, Math.max(0, Math.min(untilMs - Date.now(), 2 ** 31 - 1)));
    return slice.expiresMs <= endMs ? expired() : undefined;
  };

  const activate = async (slice: Slice): Promise<void> => {
    slice.hosts = createHosts(slice, options);
    Object.assign(slice.node ?? {}, {
      state: 'READY',
      networkEndpoints: slice.hosts.map(({ address }) => ({ ipAddress: address, port: 8470 })),
    });
    setState(slice, 'ACTIVE');
    setReady(slice, true);
    await rest(slice, timing.bootMs);
    // A host that shuts itself down leaves the node as it is, and is missed by its health check.
    const onPowerOff = () => {
      if (slice.node !== undefined) slice.node['health'] = 'TIMEOUT';
    };
    for (const host of slice.hosts) await bootHost(host, slice, options, onPowerOff);
  };

  const endNode = async (slice: Slice, nodeState: string, noticeMs: number): Promise<void> => {
    slice.leaving.abort();
    if (slice.node !== undefined) slice.node['state'] = nodeState;
    await Promise.all(slice.hosts.map((host) => shutDownHost(host, noticeMs, options)));
    setReady(slice, false);
    slice.node = undefined;
  };

  return {
    begin: (slice) =>
      void live(slice).catch((error: unknown) => {
        if (!slice.leaving.signal.aborted) throw error;
      }),
    suspend: async (slice, by, noticeMs) => {
      setState(slice, 'SUSPENDING', by);
      for (const host of slice.hosts) {
        host.isPreempted = by === 'SERVICE';
        host.metadata?.changed();
      }
      await endNode(slice, by === 'SERVICE' ? 'PREEMPTED' : 'DELETING', noticeMs);
      // Deleted meanwhile.
      if (stateOf(slice) === 'SUSPENDING') setState(slice, 'SUSPENDED', by);
    },
    remove: async (slice) => {
      setState(slice, 'DELETING', 'USER');
      await endNode(slice, 'DELETING', timing.shutdownMs);
      if (counted.delete(slice)) quotas.free(slice.type, slice.isSpot, slice.zone);
      slice.goneMs = Date.now();
      onGone(slice);
    },
  };
}
