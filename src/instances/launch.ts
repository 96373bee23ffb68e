import { mayPass, WeirError } from '../core/errors.ts';
import { parseDuration, type Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Stop } from '../jobs/stop.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import type { InstanceRequest, Provider, Shortage } from '../providers/provider.ts';
import { bootstrapToken } from './bootstrap.ts';
import { forgetShortages, recordShortage } from './shortage-store.ts';
import { findInstance, markAsked, markBooting, type InstanceRow } from './store.ts';

export type WakeLaunch = (machine: { id: string; provider: string }) => Promise<void>;

export type LaunchDeps = {
  db: Database;
  now: Clock;
  provider: (name: string) => Provider;
  stop: Stop;
  /** Told of what an operator has to change. */
  onError: (error: unknown) => void;
  secretKey: Buffer;
  installation: string;
  brokerUrl: string;
};

/** A machine outlives its job's own limit by at most this, so that it never has to be asked for more. */
const marginSeconds = 3600;
/** A job without a limit of its own gets so many times what it was quoted to take at most, and so long at least. */
const quotedTimes = 10;
const leastSeconds = 7 * 86_400;

/**
 * Asks the provider for the machine that the row names. Repeatable at any point: the name is ours, and creating what is
 * there already is success.
 * @throws what is worth repeating; a shortage or a request that can't be right stops the attempt instead.
 */
export function createLaunch(deps: LaunchDeps) {
  return async (instanceId: string): Promise<void> => {
    const instance = await findInstance(deps.db, instanceId);
    if (instance?.state !== 'requested' || instance.attempt.state !== 'provisioning') return;
    const provider = deps.provider(instance.provider);
    const asked = isMadeWithFirst(instance, provider) ? await lookAtFirst(instance, deps) : await ask(instance, deps);
    if (asked === undefined) return;
    const at = deps.now();
    const { since } = asked;
    const isStillWanted = await markBooting(deps.db, instance, { at, since: earlier(since ?? at, at) });
    if (!isStillWanted) {
      const { name, zone, attempt } = instance;
      await provider.destroy({ name, zone, machineType: attempt.offer.machineType });
    }
  };
}

function isMadeWithFirst({ node, attempt }: InstanceRow, { madeTogether }: Provider): boolean {
  return node > 0 && madeTogether?.(attempt.offer.machineType) === true;
}

/** Since when it is paid, where that is known. Undefined: it is not there. */
type Asked = { since: Date | undefined } | undefined;

/** One that is made with the first of its attempt is there when that is. The sweep comes back until then. */
async function lookAtFirst({ attempt }: InstanceRow, { db }: LaunchDeps): Promise<Asked> {
  const first = await findInstance(db, attempt.instanceIds[0] ?? '');
  const since = first?.createdAt ?? undefined;
  return since && { since };
}

async function ask(instance: InstanceRow, deps: LaunchDeps): Promise<Asked> {
  const { db, now, provider } = deps;
  await markAsked(db, instance.id, now());
  let since: Date | undefined;
  try {
    since = await provider(instance.provider).create(requestFor(instance, deps));
  } catch (error) {
    await giveUp(error, instance, deps);
    return undefined;
  }
  await forgetShortages(db.client, instance.attempt.offer, now());
  return { since };
}

/** Clocks differ, and nothing is paid before it was asked for. */
function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}

/** The answer is kept before the attempt ends by it: what is tried next already knows of it. */
async function giveUp(error: unknown, { attempt }: InstanceRow, { db, now, stop, onError }: LaunchDeps): Promise<void> {
  if (!(error instanceof WeirError) || mayPass(error)) throw error;
  const { offer } = attempt;
  const shortage = shortageOf(error, offer);
  if (shortage !== undefined) {
    const isNew = await db.transaction((tx) => recordShortage(tx, offer.provider, shortage, now()));
    // A stockout is the cloud's matter; the others are an operator's.
    if (isNew && shortage.cause !== 'stockout') onError(error);
  }
  const reason = error.code === 'no-capacity' ? 'no-capacity' : 'provisioning-failed';
  await stop({ jobId: attempt.jobId, attempt: attempt.number, reason, message: error.message });
}

/** What the provider said of it, or that it has none of these machines there. */
function shortageOf({ code, message, extra }: WeirError, offer: Offer): Shortage | undefined {
  const said = extra['shortage'] as Shortage | undefined;
  if (said !== undefined || code !== 'no-capacity') return said;
  const { region, zone, machineType, market } = offer;
  return { cause: 'stockout', of: { region, zone: zone ?? region, machineType, market }, message, zonesAvailable: [] };
}

function requestFor(instance: InstanceRow, { secretKey, installation, brokerUrl }: LaunchDeps): InstanceRequest {
  const { attempt, node } = instance;
  const { offer, spec } = attempt;
  const { gpus, ...limits } = attempt.limits;
  return {
    name: instance.name,
    labels: { installation, tenant: instance.tenantId, job: attempt.jobId, attempt: attempt.number },
    region: offer.region,
    zone: instance.zone,
    machineType: offer.machineType,
    accelerators: offer.accelerators,
    market: offer.market,
    limits: { ...limits, gpus: gpus[node] ?? [] },
    image: spec.image ?? null,
    brokerUrl,
    bootstrapToken: bootstrapToken(secretKey, instance.id),
    gang: { node, bootstrapTokens: attempt.instanceIds.map((id) => bootstrapToken(secretKey, id)) },
    maxRunSeconds: runSeconds(spec, attempt.options, offer) + marginSeconds,
  };
}

function runSeconds({ maxDuration }: JobSpec, options: QuoteOption[], offer: Offer): number {
  if (maxDuration !== undefined) return parseDuration(maxDuration) / 1000;
  const quoted = options.find((option) => option.offer.id === offer.id)?.durationSeconds.p90 ?? 0;
  return Math.max(leastSeconds, quotedTimes * quoted);
}
