import { Tabs } from '@mantine/core';
import { useParams } from 'wouter';
import type { Me, Policy } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { useMe } from '../../api/session.ts';
import { percent, usd } from '../../parts/format.ts';
import { usePageTitle } from '../../parts/page-title.ts';
import { Columns, ComputeFigure, Figures, PageTitle } from '../../parts/section.tsx';
import { Answered } from '../../parts/states.tsx';
import { Burn } from './burn.tsx';
import { PolicyEditor } from './policy-editor.tsx';
import { Quota } from './quota.tsx';
import { Statement } from './statement.tsx';
import { TenantJobs } from './tenant-jobs.tsx';
import { Use } from './use.tsx';

/** A tenant by its address; without one, the tenant of who looks. */
export function Tenant() {
  const { tenant: named } = useParams<{ tenant?: string }>();
  const me = useMe();
  const id = named ?? me?.tenant?.id;
  if (id === undefined || me === undefined) return null;
  return <TenantPage key={id} id={id} me={me} />;
}

function TenantPage({ id, me }: { id: string; me: Me }) {
  const shares = queries.useQuery('get', '/v1/shares', { params: { query: { window: '30d' } } });
  const policy = queries.useQuery('get', '/v1/tenants/{tenant}/policy', { params: { path: { tenant: id } } });
  const row = shares.data?.tenants.find(({ tenant }) => tenant?.id === id);
  const shareCap = row?.shareCap ?? null;
  const name = row?.tenant?.name ?? (me.tenant?.id === id ? me.tenant.name : id);
  usePageTitle(name);
  return (
    <>
      <PageTitle title={name} hint={<code>{id}</code>} />
      <Figures
        figures={[
          {
            name: 'Share',
            value: row === undefined ? '–' : percent(row.share),
            hint: `last 30 days, ${shareCap === null ? 'no cap' : `cap ${percent(shareCap, 0)}`}`,
          },
          {
            name: 'Computed',
            value: row === undefined ? '–' : <ComputeFigure compute={row.compute} />,
            hint: 'last 30 days',
          },
          { name: 'Spent', value: row === undefined ? '–' : usd(row.costUsd), hint: 'last 30 days' },
          { name: 'Place', value: placeOf(shares.data, id), hint: 'by compute, of all tenants' },
        ]}
      />
      <Answered query={policy}>
        {(answer) => <Parts id={id} policy={answer} isOperator={me.role === 'operator'} />}
      </Answered>
    </>
  );
}

function placeOf(shares: { tenants: { tenant: { id: string } | null }[] } | undefined, id: string): string {
  const at = shares?.tenants.findIndex(({ tenant }) => tenant?.id === id) ?? -1;
  return shares === undefined || at === -1 || shares.tenants.length === 1
    ? '–'
    : `${at + 1} of ${shares.tenants.length}`;
}

function Parts({ id, policy, isOperator }: { id: string; policy: Policy; isOperator: boolean }) {
  return (
    <Tabs defaultValue="use" keepMounted={false}>
      <Tabs.List mb="md">
        <Tabs.Tab value="use">Use and quota</Tabs.Tab>
        <Tabs.Tab value="policy">Policy</Tabs.Tab>
        <Tabs.Tab value="statement">Statement</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="use">
        <Quota tenantId={id} />
        <Columns>
          <Burn tenantId={id} />
          <Use tenantId={id} />
        </Columns>
        <TenantJobs tenantId={id} />
      </Tabs.Panel>
      <Tabs.Panel value="policy">
        <PolicyEditor tenantId={id} policy={policy} isOperator={isOperator} />
      </Tabs.Panel>
      <Tabs.Panel value="statement">
        <Statement tenantId={id} />
      </Tabs.Panel>
    </Tabs>
  );
}
