import { hourMs } from '../core/time.ts';
import { computeUnit, type Shares, type Usage } from '../protocol/share.ts';
import { currentPolicies } from '../tenants/policies.ts';
import { readGroups, withTeams, type GroupBy } from './groups.ts';
import { readPicture, shareOf, sharesOf, type Viewer } from './picture.ts';
import { amountsOf, noUse, scopeOf, type SharesDeps } from './pool-use.ts';
import { readSeries } from './series.ts';
import { readBeginning, readUseByBucket } from './use-store.ts';
import { buckets, windowMs, type Bucket, type Window } from './window.ts';

export type Asked = { window: string; groupBy?: GroupBy | undefined; series?: Bucket | undefined };

/** Each tenant's share over a window such as `30d`, with what runs now counted up to now; and what else was asked for. */
export async function readShares(
  deps: SharesDeps,
  { window, groupBy, series }: Asked,
  viewer: Viewer,
): Promise<Shares> {
  const picture = await readPicture(deps, await windowOf(deps, window));
  const { used, policies } = picture;
  const asked = { viewer: viewer.tenantId, policies };
  const groups = groupBy === undefined ? [] : await readGroups(deps.sql, used, { ...asked, groupBy });
  const shown = groups.map(({ value, name, ...use }) => {
    return { value, name, ...amountsOf(use), share: shareOf(picture, use.petaflopSeconds) };
  });
  return {
    ...sharesOf(picture, viewer),
    ...(groupBy === undefined ? {} : { groups: shown }),
    ...(series === undefined
      ? {}
      : { series: await readSeries(deps.sql, used, { ...asked, bucket: series, groupBy, groups }) }),
  };
}

export type AskedUsage = { tenantId: string; window: string; bucket?: Bucket | undefined; teams?: boolean | undefined };

/** A tenant's use over a window, hour by hour or day by day; with `teams` also that of all below it. */
export async function readUsage(deps: SharesDeps, asked: AskedUsage): Promise<Usage> {
  const window = await windowOf(deps, asked.window);
  const { starts, bucket, lengthMs } = buckets(window, asked.bucket);
  const tenantIds =
    asked.teams === true ? withTeams(asked.tenantId, await currentPolicies(deps.sql)) : [asked.tenantId];
  const scope = { ...(await scopeOf(deps, window)), tenantIds };
  const rows = await readUseByBucket(deps.sql, { ...scope, dimension: 'all', bucket });
  const used = new Map(rows.map((row) => [row.start.getTime(), row]));
  const items = starts.map((start) => ({
    from: start.toISOString(),
    to: new Date(start.getTime() + lengthMs).toISOString(),
    ...amountsOf(used.get(start.getTime()) ?? noUse),
  }));
  return { unit: computeUnit, items };
}

async function windowOf({ sql, now }: SharesDeps, text: string): Promise<Window> {
  const lengthMs = windowMs(text);
  if (lengthMs !== undefined) return { from: new Date(now.getTime() - lengthMs), to: now };
  const beginning = ((await readBeginning(sql)) ?? now).getTime();
  // What was wasted is known of whole hours, of the first one too.
  return { from: new Date(beginning - (beginning % hourMs)), to: now };
}
