import { createCache } from '../core/cache.ts';
import type { Clock } from '../core/time.ts';
import { createBatcher } from '../core/batch.ts';
import type { Database } from '../db/database.ts';
import { calibrate, type Calibration, type Evidence, type Residual } from './interval.ts';
import type { History } from './quote.ts';
import { readNewestOfEachName, readResidualsOfNames, type ResidualRow } from './residual-store.ts';
import type { Work } from './work.ts';

/** How many finished jobs each level looks back on, newest first, and after how many the weight of one has halved. */
const newestOfName = 20;
const halfLifeOfName = 20;
const newestOfPool = 200;
const halfLifeOfPool = 100;

/** A pool of many jobs moves slowly; a name's own runs move with each of them. */
const poolMs = 30_000;
const nameMs = 1_000;

/** Only like is compared with like: the same description of the work, on the same kind of accelerator. */
type Group = (work: Work, kind: string) => Calibration | undefined;
type NameGroup = (work: Work, kind: string) => Pick<Evidence, 'sameName' | 'atLeast'>;
type Pool = { all: Group; workloadClass: Group };

/** What finished jobs say, level by level. Questions that come together are read together. */
export function createHistory(db: Database, now: Clock): (tenantId: string, name: string) => Promise<History> {
  const pools = createCache((tenantId) => readPool(db, tenantId === '' ? null : tenantId), poolMs, now);
  const readName = createBatcher<Name, NameGroup>((names) => readNames(db, names));
  const names = createCache((key) => readName(nameOf(key)), nameMs, now);
  return async (tenantId, name) => {
    const [sameName, tenant, everyone] = await Promise.all([
      names.get(keyOf({ tenantId, name })),
      pools.get(tenantId),
      pools.get(''),
    ]);
    return (work, kind) => ({
      ...sameName(work, kind),
      tenant: tenant.workloadClass(work, kind),
      workloadClass: everyone.workloadClass(work, kind),
      all: everyone.all(work, kind),
    });
  };
}

async function readPool(db: Database, tenantId: string | null): Promise<Pool> {
  const rows = await readNewestOfEachName(db, tenantId, newestOfPool);
  return { all: groupsOf(rows, likeOf, halfLifeOfPool), workloadClass: groupsOf(rows, classOf, halfLifeOfPool) };
}

type Likeness = (described: { basis: string; kind: string; workKind: string }) => string;

const likeOf: Likeness = ({ basis, kind }) => `${basis}/${kind}`;
const classOf: Likeness = ({ basis, kind, workKind }) => `${basis}/${kind}/${workKind}`;

function groupsOf(rows: readonly ResidualRow[], keyOfLike: Likeness, halfLifeRuns: number): Group {
  const groups = Map.groupBy(rows, keyOfLike);
  const calibrations = new Map<string, Calibration | undefined>();
  return (work, kind) => {
    const key = keyOfLike({ basis: work.basis, kind, workKind: work.kind });
    if (!calibrations.has(key)) calibrations.set(key, calibrate((groups.get(key) ?? []).map(toResidual), halfLifeRuns));
    return calibrations.get(key);
  };
}

function toResidual({ logRatio, predictedSeconds, p10Seconds, p90Seconds, actualSeconds }: ResidualRow): Residual {
  return {
    logRatio,
    errorPercent: (100 * Math.abs(predictedSeconds - actualSeconds)) / actualSeconds,
    isCovered: actualSeconds >= p10Seconds && actualSeconds <= p90Seconds,
  };
}

type Name = { tenantId: string; name: string };

/** In one statement for all who ask at once, in their order. */
async function readNames(db: Database, names: readonly Name[]): Promise<NameGroup[]> {
  const distinct = [...new Map(names.map((name) => [keyOf(name), name])).values()];
  const rows = await readResidualsOfNames(db, distinct, newestOfName);
  const byName = Map.groupBy(rows, ({ tenantId, jobName }) => keyOf({ tenantId, name: jobName }));
  return names.map((name) => nameGroupOf(byName.get(keyOf(name)) ?? []));
}

function nameGroupOf(rows: readonly ResidualRow[]): NameGroup {
  const sameName = groupsOf(
    rows.filter(({ wasStopped }) => !wasStopped),
    likeOf,
    halfLifeOfName,
  );
  const groups = Map.groupBy(rows, likeOf);
  return (work, kind) => ({
    sameName: sameName(work, kind),
    atLeast: atLeastOf(groups.get(likeOf({ basis: work.basis, kind, workKind: work.kind })) ?? []),
  });
}

/** Of those that were stopped since one was done: what was done says more, and the job may have become faster. */
function atLeastOf(newestFirst: readonly ResidualRow[]): number | undefined {
  const done = newestFirst.findIndex(({ wasStopped }) => !wasStopped);
  const stopped = done === -1 ? newestFirst : newestFirst.slice(0, done);
  return stopped.length === 0 ? undefined : Math.max(...stopped.map(({ logRatio }) => logRatio));
}

const keyOf = ({ tenantId, name }: Name): string => `${tenantId}/${name}`;

function nameOf(key: string): Name {
  const slash = key.indexOf('/');
  return { tenantId: key.slice(0, slash), name: key.slice(slash + 1) };
}
