import type { JobSummary, Policy } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { CsvButton } from '../../parts/csv.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';

type Row = {
  kind: string;
  inUse: number;
  guaranteed: number | undefined;
  /** Above the guarantee, in use by this tenant. */
  borrowed: number;
  /** Of the guarantee, idle and free for others. */
  lent: number;
  cap: number | undefined;
};

const limit = (value: number | undefined) => (value === undefined ? 'none' : String(value));

const columns: Column<Row>[] = [
  {
    name: 'Kind',
    isHeader: true,
    show: ({ kind }) => (kind === 'cpu' ? 'cpu (cores)' : kind),
    value: ({ kind }) => kind,
  },
  { name: 'In use', isNumber: true, show: ({ inUse }) => inUse, value: ({ inUse }) => inUse },
  {
    name: 'Guaranteed',
    isNumber: true,
    show: ({ guaranteed }) => limit(guaranteed),
    value: ({ guaranteed }) => guaranteed ?? null,
  },
  { name: 'Borrowed', isNumber: true, show: ({ borrowed }) => borrowed, value: ({ borrowed }) => borrowed },
  { name: 'Idle for others', isNumber: true, show: ({ lent }) => lent, value: ({ lent }) => lent },
  { name: 'Cap', isNumber: true, show: ({ cap }) => limit(cap), value: ({ cap }) => cap ?? null },
];

/** What the tenant holds now of each kind, beside what it is guaranteed and may have at most. */
export function Quota({ tenantId, policy }: { tenantId: string; policy: Policy }) {
  const active = queries.useQuery('get', '/v1/jobs/summaries', {
    params: { query: { tenant: tenantId, state: 'provisioning,running,stopping', limit: 1000 } },
  });
  return (
    <Answered query={active}>
      {({ items }) => {
        const rows = quotaOf(items, policy);
        const { runningJobs } = policy.caps ?? {};
        return (
          <Section
            title="Quota"
            hint={`${items.length} ${items.length === 1 ? 'job has a machine' : 'jobs have machines'}${runningJobs === undefined ? '' : `, of ${runningJobs} at most`}.`}
            actions={<CsvButton name="quota" columns={columns} rows={rows} />}
          >
            {rows.length === 0 ? (
              <Empty title="Nothing is in use, guaranteed or capped" />
            ) : (
              <DataTable caption="By kind of accelerator" columns={columns} rows={rows} keyOf={({ kind }) => kind} />
            )}
          </Section>
        );
      }}
    </Answered>
  );
}

function quotaOf(active: readonly JobSummary[], { guaranteed = {}, lending = {}, caps }: Policy): Row[] {
  const used = new Map<string, number>();
  for (const { accelerators } of active)
    if (accelerators !== null) used.set(accelerators.kind, (used.get(accelerators.kind) ?? 0) + accelerators.count);
  const kinds = new Set([...Object.keys(guaranteed), ...Object.keys(caps?.accelerators ?? {}), ...used.keys()]);
  return [...kinds]
    .toSorted((a, b) => a.localeCompare(b))
    .map((kind) => {
      const inUse = used.get(kind) ?? 0;
      const own = guaranteed[kind];
      return {
        kind,
        inUse,
        guaranteed: own,
        borrowed: own === undefined ? 0 : Math.max(0, inUse - own),
        lent: Math.min(Math.max(0, (own ?? 0) - inUse), lending[kind] ?? Infinity),
        cap: caps?.accelerators?.[kind],
      };
    });
}
