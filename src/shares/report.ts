import type { ShareReport } from '../protocol/share.ts';
import { withTeams } from './groups.ts';
import { readPicture, rowOf, seenTenants, shareOf, sharesOf, type Picture, type Viewer } from './picture.ts';
import { amountsOf, sumOf, type SharesDeps, type TenantUse } from './pool-use.ts';
import { readNotices, readWaits, type WaitRow } from './report-store.ts';
import { monthWindow } from './window.ts';

/** What an organisation can publish of a calendar month such as `2026-11`. */
export async function readReport(deps: SharesDeps, month: string, viewer: Viewer): Promise<ShareReport> {
  const window = monthWindow(month, deps.now);
  const [picture, waits, notices] = await Promise.all([
    readPicture(deps, window),
    readWaits(deps.sql, window),
    readNotices(deps.sql, window),
  ]);
  const { waste, used, pool } = picture;
  const names = new Map(used.tenants.map(({ id, name }) => [id, name]));
  const isOwn = (id: string) => viewer.tenantId === null || viewer.tenantId === id;
  return {
    month,
    isComplete: window.to < deps.now,
    ...sharesOf(picture, viewer),
    tenants: seenTenants(picture, viewer).map((tenant) => ({
      ...cappedRow(picture, tenant, viewer),
      wasted: amountsOf(sumOf(waste.filter(({ tenantId }) => tenantId === tenant.id))),
      wait: waitOf(waits, tenant.id),
    })),
    tenantCount: used.tenants.length,
    wait: waitOf(waits, null),
    ceilings: { hhi: pool.hhiCeiling ?? null, largestShare: pool.largestShareCeiling ?? null },
    notices: notices
      .filter(({ tenantId }) => isOwn(tenantId))
      .map(({ tenantId: id, at, note }) => ({ at: at.toISOString(), tenant: { id, name: names.get(id) ?? '' }, note })),
  };
}

function cappedRow(picture: Picture, tenant: TenantUse, viewer: Viewer) {
  const row = rowOf(picture, tenant, viewer);
  return { ...row, cappedShare: row.shareCap === null ? null : shareWithBelow(picture, tenant.id) };
}

/** Of a tenant and all below it: use of teams is under the cap of their organisation. */
function shareWithBelow(picture: Picture, id: string): number {
  const ids = new Set(withTeams(id, picture.policies));
  return shareOf(picture, sumOf(picture.used.tenants.filter((tenant) => ids.has(tenant.id))).petaflopSeconds);
}

function waitOf(rows: readonly WaitRow[], tenantId: string | null): ShareReport['wait'] {
  const row = rows.find((each) => each.tenantId === tenantId);
  if (row === undefined) return { jobs: 0, p50Seconds: null, p90Seconds: null };
  return { jobs: row.jobs, p50Seconds: row.p50Seconds, p90Seconds: row.p90Seconds };
}
