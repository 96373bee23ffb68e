import { Anchor } from '@mantine/core';
import { Link } from 'wouter';
import { queries } from '../../api/client.ts';
import { JobTable } from '../../parts/job-table.tsx';
import { Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';

/** The tenant's last jobs. */
export function TenantJobs({ tenantId }: { tenantId: string }) {
  const jobs = queries.useQuery('get', '/v1/jobs/summaries', { params: { query: { tenant: tenantId, limit: 10 } } });
  return (
    <Section
      title="Jobs"
      actions={
        <Anchor component={Link} href={`/jobs?tenant=${tenantId}`} size="sm">
          All its jobs
        </Anchor>
      }
    >
      <Answered query={jobs}>
        {({ items }) =>
          items.length === 0 ? <Empty title="It has no job yet" /> : <JobTable caption="The last ten" jobs={items} />
        }
      </Answered>
    </Section>
  );
}
