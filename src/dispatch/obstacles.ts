import { exceeded, type Exceeded } from './exceeded.ts';
import type { Choice, Need, QueuedJob, ShareCap } from './snapshot.ts';
import { entryOf, type State, type TenantState } from './state.ts';

/** What keeps a job from starting now, as figures; `describe.ts` puts it into words where somebody reads them. */
export type Obstacle =
  | Exceeded
  | { code: 'backoff'; is: 'backoff'; until: number }
  | { code: 'capacity'; is: 'closed' }
  | { code: 'stockout' | 'quota' | 'capacity'; is: 'shortage'; message: string; until: number }
  | { code: 'capacity'; is: 'capacity'; provider: string; need: Need; isComing: boolean }
  | { code: 'quota'; is: 'account-quota'; provider: string; id: string; wanted: number; free: number; choice: Choice }
  | { code: 'quota'; is: 'kept'; provider: string; kind: string; wanted: number; kept: number; free: number }
  | { code: 'reservation'; is: 'reservation'; jobId: string; tenantId: string; startsAt: number }
  | { code: 'budget'; is: 'budget'; tenantId: string; reservation: number; left: number }
  | ({ code: 'share-cap'; is: 'share-cap'; tenantId: string; mode: ShareCap['mode']; fallsAt: number | null } & Change)
  | ({ code: 'concentration'; is: 'concentration'; figure: 'hhi' | 'largest share'; isNear: boolean } & Change);

/** Of a share, or of a figure made of shares: what is allowed, what it is, and what it would be with the job. */
type Change = { most: number; before: number; after: number };

/** 12 Near a ceiling on concentration already, others go first: this part of it. */
const nearPart = 0.9;

/** What the rules on tenants say about a start: limits, budgets, shares and concentration. Capacity is looked at elsewhere. */
export function ruleObstacles(choice: Choice, tenant: TenantState, state: State): Obstacle[] {
  return [
    ...exceeded(choice, tenant),
    ...budgetObstacles(choice, tenant),
    ...shareObstacles(choice, tenant, state),
    ...concentrationObstacles(choice, tenant, state),
  ];
}

export function backoffObstacles({ notBefore }: QueuedJob, { now }: State): Obstacle[] {
  return notBefore > now ? [{ code: 'backoff', is: 'backoff', until: notBefore }] : [];
}

const shortageCodes = { stockout: 'stockout', quota: 'quota', refused: 'capacity' } as const;

/** 13 What a provider lately did not have is asked for again by one job at a time, each later than the last. */
export function shortageObstacles({ shortage }: Choice, { now, probes }: State): Obstacle[] {
  if (shortage === undefined) return [];
  const until = Math.max(shortage.until, probes.get(shortage.id) ?? 0);
  if (until <= now) return [];
  return [{ code: shortageCodes[shortage.cause], is: 'shortage', message: shortage.message, until }];
}

function budgetObstacles({ reservation }: Choice, { lineage }: TenantState): Obstacle[] {
  return lineage
    .filter(({ budgetLeft }) => reservation > budgetLeft)
    .map(({ id, budgetLeft }) => ({ code: 'budget', is: 'budget', tenantId: id, reservation, left: budgetLeft }));
}

function shareObstacles(choice: Choice, { lineage }: TenantState, { startedUse }: State): Obstacle[] {
  const found: Obstacle[] = [];
  const entry = entryOf(choice);
  for (const { id, shareCap } of lineage) {
    if (shareCap === undefined || isAlone(shareCap, startedUse)) continue;
    const after = shareWith(shareCap, startedUse, entry);
    if (after <= shareCap.share) continue;
    const before = shareWith(shareCap, startedUse, 0);
    const { mode, share: most } = shareCap;
    const fallsAt = fallsBelow(shareCap, startedUse, entry);
    found.push({ code: 'share-cap', is: 'share-cap', tenantId: id, mode, most, before, after, fallsAt });
  }
  return found;
}

/** Where nobody knows what the pool could give, and nobody else has had any of it, a share says nothing. */
function isAlone(
  { ownPetaflopSeconds, poolPetaflopSeconds, floorPetaflopSeconds }: ShareCap,
  startedUse: number,
): boolean {
  return floorPetaflopSeconds === 0 && isAll(ownPetaflopSeconds, poolPetaflopSeconds + startedUse);
}

/** Sums of many parts are not exact. */
const tolerance = 1e-9;
const isAll = (own: number, pool: number) => pool - own <= tolerance * pool;

function shareWith(cap: ShareCap, startedUse: number, entry: number): number {
  const pool = cap.poolPetaflopSeconds + startedUse + entry;
  const measure = Math.max(pool, cap.floorPetaflopSeconds);
  return measure === 0 ? 0 : (cap.ownPetaflopSeconds + entry) / measure;
}

/** When enough own use has left the window, were nobody to use anything from now on. */
function fallsBelow(cap: ShareCap, startedUse: number, entry: number): number | null {
  const left = { ...cap };
  for (const { at, petaflopSeconds } of cap.leaving ?? []) {
    left.ownPetaflopSeconds -= petaflopSeconds;
    left.poolPetaflopSeconds -= petaflopSeconds;
    if (shareWith(left, startedUse, entry) <= cap.share) return at;
  }
  return null;
}

/** Only what raises the figure waits: the job of a small tenant brings it down. */
function concentrationObstacles(choice: Choice, { windowUse }: TenantState, { concentration }: State): Obstacle[] {
  if (concentration === undefined) return [];
  const { squaredPetaflopSeconds, poolPetaflopSeconds, floorPetaflopSeconds } = concentration;
  if (floorPetaflopSeconds === 0 && isAll(windowUse, poolPetaflopSeconds)) return [];
  const entry = entryOf(choice);
  const measure = Math.max(poolPetaflopSeconds, floorPetaflopSeconds);
  const measureAfter = Math.max(poolPetaflopSeconds + entry, floorPetaflopSeconds);
  if (measureAfter === 0) return [];
  const own = windowUse + entry;
  const part = (amount: number, of: number) => (of === 0 ? 0 : amount / of);
  const hhi = part(squaredPetaflopSeconds, measure ** 2);
  const hhiAfter = (squaredPetaflopSeconds - windowUse ** 2 + own ** 2) / measureAfter ** 2;
  const figures = [
    { figure: 'hhi', most: concentration.hhiCeiling, before: hhi, after: hhiAfter },
    {
      figure: 'largest share',
      most: concentration.largestShareCeiling,
      before: part(windowUse, measure),
      after: own / measureAfter,
    },
  ] as const;
  return figures
    .filter(({ most, before, after }) => after > nearPart * most && after > before * (1 + tolerance))
    .map((seen) => ({ code: 'concentration', is: 'concentration', ...seen, isNear: seen.after <= seen.most }));
}

/** Those that hold only while another tenant, which nothing but capacity keeps from starting, waits for the same provider. */
export function isSoft(obstacle: Obstacle): boolean {
  if (obstacle.is === 'share-cap') return obstacle.mode === 'soft';
  return obstacle.is === 'concentration' && obstacle.isNear;
}

export const isOfCapacity = ({ is }: Obstacle): boolean => is === 'capacity' || is === 'account-quota' || is === 'kept';

/** What running jobs give back at their ends. */
export const isOfPlace = (obstacle: Obstacle): boolean => isOfCapacity(obstacle) || obstacle.is === 'limit';
