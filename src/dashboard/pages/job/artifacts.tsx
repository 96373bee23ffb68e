import { Anchor, Button, Text } from '@mantine/core';
import { useState } from 'react';
import type { Artifact, Job } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { liveMs } from '../../api/connection.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { bytes } from '../../parts/format.ts';
import { isEnded } from '../../parts/job-facts.tsx';
import { MoreButton } from '../../parts/more-button.tsx';
import { Moment } from '../../parts/moment.tsx';
import { Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { ArtifactView, isViewable } from './artifact-view.tsx';

/** Files that the job kept, to look at or to download; those under its checkpoints' path on their own. */
export function Artifacts({ job }: { job: Job }) {
  const list = useArtifacts(job.id);
  const [viewed, setViewed] = useState<string>();
  const live = useLiveCheckpoints(job);
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
  const checkpoints = (kept: Artifact[]) =>
    (isEnded(job) ? kept.filter(isCheckpoint) : live).toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  const outputs = (kept: Artifact[]) => kept.filter((artifact) => !isCheckpoint(artifact));

  return (
    <Section title="Artifacts and checkpoints" hint={checkpointsOf(job)}>
      <Answered query={list}>
        {(items) => (
          <>
            {items.length === 0 && live.length === 0 && (
              <Empty title={isEnded(job) ? 'The job kept no files' : 'No files yet'}>
                {isEnded(job)
                  ? 'What its spec names under outputs is kept.'
                  : 'Outputs appear here when an attempt has ended, checkpoints as they are stored.'}
              </Empty>
            )}
            <MoreButton query={list}>Show more files</MoreButton>
            {outputs(items).length > 0 && (
              <DataTable
                caption="Files that the job kept"
                columns={columns}
                rows={outputs(items)}
                keyOf={({ path }) => path}
              />
            )}
            {checkpoints(items).length > 0 && (
              <DataTable
                caption={isEnded(job) ? 'Checkpoints' : 'Checkpoints so far, to be had once the attempt has ended'}
                columns={checkpointColumns(job)}
                rows={checkpoints(items)}
                keyOf={({ path }) => path}
              />
            )}
            {items
              .filter(({ path }) => path === viewed)
              .map((artifact) => (
                <ArtifactView key={artifact.path} artifact={artifact} href={hrefOf(job.id, artifact.path)} />
              ))}
          </>
        )}
      </Answered>
    </Section>
  );
}

const useArtifacts = (jobId: string) =>
  queries.useInfiniteQuery(
    'get',
    '/v1/jobs/{job}/artifacts',
    { params: { path: { job: jobId }, query: { limit: 1000 } } },
    {
      initialPageParam: null,
      getNextPageParam: ({ nextCursor }) => nextCursor,
      select: ({ pages }) => pages.flatMap(({ items }) => items),
    },
  );

const checkpointColumns = (job: Job): Column<Artifact>[] => [
  {
    name: 'Path',
    isHeader: true,
    show: ({ path }) => (isEnded(job) ? <Anchor href={hrefOf(job.id, path)}>{path}</Anchor> : path),
  },
  { name: 'Size', isNumber: true, show: ({ sizeBytes }) => bytes(sizeBytes) },
  { name: 'Attempt', isNumber: true, show: ({ attempt }) => attempt },
  { name: 'Made', show: ({ createdAt }) => <Moment at={createdAt} /> },
];

/** What a retry would go on from, as it comes. */
function useLiveCheckpoints(job: Job): Artifact[] {
  const { data } = queries.useQuery(
    'get',
    '/v1/jobs/{job}/checkpoints',
    { params: { path: { job: job.id } } },
    { enabled: job.spec.checkpoints !== undefined && !isEnded(job), refetchInterval: liveMs },
  );
  return data?.items ?? [];
}

function checkpointsOf({ spec: { checkpoints } }: Job): string | undefined {
  if (checkpoints === undefined) return undefined;
  const every = checkpoints.every === undefined ? '' : `, every ${checkpoints.every}`;
  return `Checkpoints under ${checkpoints.path}${every}: a retry goes on from the last.`;
}

function hrefOf(jobId: string, path: string): string {
  return `/v1/jobs/${jobId}/artifacts/${path.split('/').map(encodeURIComponent).join('/')}`;
}
