import { formatUsd, toUsd } from '../core/money.ts';
import { formatRate } from '../core/quantity.ts';
import { dayMs } from '../core/time.ts';
import type { Blocker } from '../protocol/common.ts';
import { countOf, isCounted, type Exceeded, type LimitName } from './exceeded.ts';
import type { Obstacle } from './obstacles.ts';
import { isWithin, plus, quotasFor, takenBy, type Room } from './room.ts';
import type { Choice, Need, PoolQuota, RunningJob } from './snapshot.ts';
import type { State } from './state.ts';

/** Who reads it, and what was so when it was decided. */
type Scene = {
  now: number;
  reader: string;
  /** Those that end first, by their p50. */
  byEnd: RunningJob[];
  parents: Map<string, string | undefined>;
  /** Whether of a tenant's budgets that of the month leaves the least. */
  isMonthTighter: (tenantId: string) => boolean;
  free: (provider: string) => Room | undefined;
  quota: (provider: string, id: string) => PoolQuota | undefined;
};

/** What keeps a job waiting and what would change that, for the people of its tenant: jobs of others are not named. */
export function createDescribe({
  now,
  running,
  tenants,
  pools,
}: State): (obstacle: Obstacle, reader: string) => Blocker {
  const scene = {
    now,
    byEnd: [...running.values()].toSorted((a, b) => a.endsAt.p50 - b.endsAt.p50),
    parents: new Map([...tenants.values()].map(({ id, parent }) => [id, parent])),
    isMonthTighter: (id: string) => tenants.get(id)?.isMonthTighter === true,
    free: (provider: string) => pools.get(provider)?.room,
    quota: (provider: string, id: string) => pools.get(provider)?.quotas.get(id),
  };
  return (obstacle, reader) => {
    const describe = describers[obstacle.is] as Describer<Obstacle>;
    const [message, unblocks] = describe(obstacle, { ...scene, reader });
    return { code: obstacle.code, message, unblocks };
  };
}

type Describer<Of extends Obstacle> = (obstacle: Of, scene: Scene) => Words;

const describers: { [Is in Obstacle['is']]: Describer<Extract<Obstacle, { is: Is }>> } = {
  backoff: ({ until }, { now }) => [
    `The last attempt failed; the next may start at ${new Date(until).toISOString()}.`,
    `Time: about ${clock(until, now)}.`,
  ],
  closed: () => [
    'None of the providers and regions that the job was quoted for is open to it now: they are not configured any more, the tenant’s policy does not allow them any more, or they can’t keep jobs apart and serve another tenant.',
    'An operator opens one again, or submit the job anew.',
  ],
  shortage: ({ message, until }, { now }) => [message, `It is asked for again about ${clock(until, now)}.`],
  capacity: ({ provider, need, isComing }, scene) =>
    isComing
      ? [
          `${provider} is freeing ${amountOf(need)} for this job.`,
          'The jobs that make way have ended: seconds to minutes.',
        ]
      : [
          `${provider} does not have ${amountOf(need)} with the memory and disk free now.`,
          sentence(ends(untilRoom({ provider, need }, scene), scene) ?? 'the provider has capacity again'),
        ],
  'account-quota': ({ provider, id, wanted, free, choice }, scene) => {
    const quota = scene.quota(provider, id);
    const raise = `an operator asks for more at ${quota?.raiseAt ?? 'the provider'}`;
    // What even all own ends would not make waits for others, or for an operator.
    const isOurs = wanted <= (quota?.most ?? Infinity);
    const ending = isOurs ? ends(untilRoom(choice, scene, id), scene) : undefined;
    return [
      quota === undefined ? `A quota of ${provider} is used up.` : quotaMessage(quota, provider, { wanted, free }),
      sentence(ending === undefined ? raise : `${ending}, or ${raise}`),
    ];
  },
  kept: ({ kind, wanted, kept, free }) => [
    `The job wants ${wanted} of ${free} free ${unit(kind)}, and ${Math.min(kept, free)} of them are kept for tenants that are guaranteed them and do not lend them.`,
    'Other jobs end, or an operator raises what is lent.',
  ],
  reservation: ({ jobId, tenantId, startsAt }, scene) => {
    const holder = tenantId === scene.reader ? jobId : 'a job of another tenant';
    return [
      sentence(
        `${holder} is before it and is expected to start by ${clock(startsAt, scene.now)}; this job may end later than that`,
      ),
      sentence(`${holder} starts`),
    ];
  },
  limit: (limit, scene) => {
    const raise = `an operator raises ${fields[limit.limit]}`;
    const ending = ends(untilWithin(limit, scene), scene);
    return [limitMessage(limit, scene), sentence(ending === undefined ? raise : `${ending}, or ${raise}`)];
  },
  budget: ({ tenantId, reservation, left }, scene) => [
    `Budget${ofAbove(tenantId, scene)} short by ${usd(reservation - left)}: the job reserves ${usd(reservation)}, ${usd(Math.max(0, left))} is left.`,
    scene.isMonthTighter(tenantId)
      ? `Running jobs end below what they have reserved, a new month begins on ${nextMonth(scene.now)}, or an operator raises the budget.`
      : 'Running jobs end below what they have reserved, or an operator raises the budget.',
  ],
  'share-cap': ({ tenantId, mode, most, before, after, fallsAt }, scene) => [
    `Share cap ${percent(most)}${ofAbove(tenantId, scene)}: at ${percent(before)}, with this job at ${percent(after)}.`,
    sentence(
      [
        fallsAt === null
          ? 'others use more of the pool'
          : `there is room below it about ${clock(fallsAt, scene.now)}, as use leaves the window`,
        ...(mode === 'soft' ? ['no other tenant waits for the same machines'] : []),
        'or an operator raises shareCap',
      ].join(', '),
    ),
  ],
  concentration: ({ figure, isNear, most, before, after }) => [
    `${figure === 'hhi' ? 'The HHI of the pool' : 'The tenant’s share of the pool'} is ${before.toFixed(3)} and would be ${after.toFixed(3)}; its ceiling is ${most}.`,
    sentence(
      [
        'other tenants use more of the pool',
        ...(isNear ? ['none of them waits for the same machines'] : []),
        'or an operator raises the ceiling',
      ].join(', '),
    ),
  ],
};

/** What keeps it, and what would change that. */
type Words = [message: string, unblocks: string];

/** Those whose ends, one after another, make the room; of a quota that is short only those that take of it. */
function untilRoom(
  wish: Pick<Choice, 'provider' | 'need' | 'takes'>,
  { byEnd, free }: Scene,
  id?: string,
): RunningJob[] {
  const whole = free(wish.provider);
  if (whole === undefined) return [];
  const wanted = takenBy(wish);
  const ending: RunningJob[] = [];
  let room = quotasFor(whole, wanted);
  // What is free is claimed by another, or is kept: no end makes the difference.
  if (isWithin(wanted, room)) return [];
  for (const job of byEnd) {
    const { provider, takes } = job.choice;
    if (provider !== wish.provider || (id !== undefined && takes?.[id] === undefined)) continue;
    if (id === undefined && !gives(takenBy(job.choice), wanted, room)) continue;
    ending.push(job);
    room = plus(room, takenBy(job.choice));
    if (isWithin(wanted, room)) return ending;
  }
  return [];
}

/** Whether what a job holds is of what there is too little of. */
function gives(held: Room, wanted: Room, room: Room): boolean {
  const isShort = (id: string) =>
    (wanted.quotas[id] ?? 0) > (room.quotas[id] ?? Infinity) && (held.quotas[id] ?? 0) > 0;
  return (
    (['cpus', 'memoryBytes', 'diskBytes', 'gpus'] as const).some((of) => wanted[of] > room[of] && held[of] > 0) ||
    Object.keys(wanted.quotas).some(isShort)
  );
}

function quotaMessage({ metric, region, limit, unit }: PoolQuota, provider: string, { wanted, free }: Short): string {
  const where = region === undefined ? 'over all regions' : `in ${region}`;
  return `${provider}'s quota ${metric} ${where} has ${limit - free} of ${limit} ${unit} used; the job wants ${wanted}.`;
}

type Short = { wanted: number; free: number };

function untilWithin({ tenantId, limit, kind, used, wanted, most }: Exceeded, { byEnd, parents }: Scene): RunningJob[] {
  const isUnder = (id: string) => {
    for (let next: string | undefined = id; next !== undefined; next = parents.get(next))
      if (next === tenantId) return true;
    return false;
  };
  const ending = byEnd.filter((job) => isCounted(job.choice, limit, kind) && isUnder(job.tenantId));
  let over = used + wanted - most;
  for (const [index, { choice }] of ending.entries()) {
    over -= countOf(choice, limit);
    if (over <= 0) return ending.slice(0, index + 1);
  }
  return [];
}

function ends(jobs: RunningJob[], { reader, now }: Scene): string | undefined {
  const last = jobs.at(-1);
  if (last === undefined) return undefined;
  const named = last.tenantId === reader ? last.id : 'a job of another tenant';
  const before = jobs.length === 1 ? '' : `, after ${jobs.length - 1} other${jobs.length === 2 ? '' : 's'}`;
  return `${named} ends${before}, about ${clock(Math.max(last.endsAt.p50, now), now)}`;
}

const fields = {
  running: 'caps.runningJobs',
  petaflops: 'caps.computePflops',
  accelerators: 'caps.accelerators',
  quota: 'guaranteed or borrowing',
} as const satisfies Record<LimitName, string>;

function limitMessage(exceeded: Exceeded, { reader }: Scene): string {
  const { tenantId, limit, kind, used, most, guaranteed, wanted } = exceeded;
  const who = tenantId === reader ? 'The tenant' : `The organisation ${tenantId}`;
  switch (limit) {
    case 'running':
      return `${who} runs ${used} of ${most} jobs.`;
    case 'petaflops':
      return `${who} is at ${formatRate(used)} of ${formatRate(most)}; the job wants ${formatRate(wanted)}.`;
    case 'accelerators':
      return `${who} is at ${used} of ${most} ${unit(kind)}; the job wants ${wanted}.`;
    case 'quota':
      return `${who} is at ${used} of ${most} ${unit(kind)}, ${guaranteed} guaranteed and ${most - guaranteed} borrowed at most; the job wants ${wanted}.`;
  }
}

const ofAbove = (tenantId: string, { reader }: Scene) =>
  tenantId === reader ? '' : ` of the organisation ${tenantId}`;
const amountOf = ({ gpus, cpus, nodes }: Need) =>
  gpus.count > 0 ? `${gpus.count * nodes} ${gpus.kind}` : `${cpus * nodes} ${cpus * nodes === 1 ? 'core' : 'cores'}`;
const unit = (kind: string) => (kind === 'cpu' ? 'cores' : kind);
const usd = (microUsd: number) => formatUsd(toUsd(microUsd));
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
/** The ids of jobs stay as they are. */
const sentence = (text: string) => `${text.startsWith('job_') ? text : text[0]?.toUpperCase() + text.slice(1)}.`;

/** A time of day, with its date where it is not within a day. */
function clock(ms: number, now: number): string {
  const [date = '', time = ''] = new Date(ms).toISOString().split('T');
  return ms - now < dayMs ? `${time.slice(0, 5)} UTC` : `${date} ${time.slice(0, 5)} UTC`;
}

function nextMonth(now: number): string {
  const date = new Date(now);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)).toISOString().slice(0, 10);
}
