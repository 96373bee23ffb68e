import { Anchor, Button, Text } from '@mantine/core';
import { useState } from 'react';
import type { Artifact, Job } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { bytes } from '../../parts/format.ts';
import { isEnded } from '../../parts/job-facts.tsx';
import { Moment } from '../../parts/moment.tsx';
import { Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { ArtifactView, isViewable } from './artifact-view.tsx';

/** Files that the job kept, to look at or to download; those under its checkpoints' path on their own. */
export function Artifacts({ job }: { job: Job }) {
  const list = queries.useQuery('get', '/v1/jobs/{job}/artifacts', {
    params: { path: { job: job.id }, query: { limit: 1000 } },
  });
  const [viewed, setViewed] = useState<string>();
  const folder = job.spec.checkpoints?.path;
  const isCheckpoint = ({ path }: Artifact) => folder !== undefined && path.startsWith(folder.replace(/\/?$/, '/'));
  const columns: Column<Artifact>[] = [
    {
      name: 'Path',
      isHeader: true,
      show: ({ path }) => <Anchor href={hrefOf(job.id, path)}>{path}</Anchor>,
    },
    { name: 'Size', isNumber: true, show: ({ sizeBytes }) => bytes(sizeBytes) },
    { name: 'Made', show: ({ createdAt }) => <Moment at={createdAt} /> },
    {
      name: 'Look',
      show: (artifact) =>
        isViewable(artifact) ? (
          <Button
            size="compact-sm"
            variant="light"
            aria-expanded={viewed === artifact.path}
            aria-label={`Look at ${artifact.path}`}
            onClick={() => setViewed(viewed === artifact.path ? undefined : artifact.path)}
          >
            {viewed === artifact.path ? 'Close' : 'Look'}
          </Button>
        ) : (
          <Text span size="sm" c="dimmed">
            –
          </Text>
        ),
    },
  ];
  const tableOf = (caption: string, items: Artifact[]) =>
    items.length > 0 && <DataTable caption={caption} columns={columns} rows={items} keyOf={({ path }) => path} />;

  return (
    <Section title="Artifacts and checkpoints" hint={checkpointsOf(job)}>
      <Answered query={list}>
        {({ items }) => (
          <>
            {items.length === 0 && (
              <Empty title={isEnded(job) ? 'The job kept no files' : 'No files yet'}>
                {isEnded(job)
                  ? 'What its spec names under outputs is kept.'
                  : 'Files appear here when an attempt has ended.'}
              </Empty>
            )}
            {tableOf(
              'Files that the job kept',
              items.filter((artifact) => !isCheckpoint(artifact)),
            )}
            {tableOf('Checkpoints', items.filter(isCheckpoint))}
            {viewed !== undefined && <ArtifactView key={viewed} path={viewed} href={hrefOf(job.id, viewed)} />}
          </>
        )}
      </Answered>
    </Section>
  );
}

function checkpointsOf({ spec: { checkpoints } }: Job): string | undefined {
  if (checkpoints === undefined) return undefined;
  const every = checkpoints.every === undefined ? '' : `, every ${checkpoints.every}`;
  return `Checkpoints under ${checkpoints.path}${every}: a retry goes on from the last.`;
}

function hrefOf(jobId: string, path: string): string {
  return `/v1/jobs/${jobId}/artifacts/${path.split('/').map(encodeURIComponent).join('/')}`;
}
