import { Alert, Button, Skeleton, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { messageOf, Refusal } from '../api/client.ts';
import styles from './states.module.css';

/** Nothing to show: says why, and what would change that. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <Text fw={600}>{title}</Text>
      {children !== undefined && (
        <Text size="sm" c="dimmed">
          {children}
        </Text>
      )}
    </div>
  );
}

export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <Stack gap="xs" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, at) => (
        <Skeleton key={at} height={18} width={at % 3 === 2 ? '60%' : '100%'} />
      ))}
    </Stack>
  );
}

/** What went wrong in words of the service, and a way to try again. */
export function Failing({ error, retry }: { error: unknown; retry?: () => unknown }) {
  const isRefusal = error instanceof Refusal;
  // What is read is read again by itself; what changes something is not.
  const unanswered = retry === undefined ? messageOf(error) : 'It is tried again every few seconds.';
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      title={isRefusal ? (error.problem.title ?? 'weir refused this') : 'weir does not answer'}
    >
      <Text size="sm">{isRefusal ? error.message : unanswered}</Text>
      {retry !== undefined && (
        <Button mt="sm" size="xs" variant="default" onClick={() => void retry()}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

/** What was asked for before, while what is asked for now is on its way: dimmed, lest it be taken for that. */
export function Former({ isFormer, children }: { isFormer: boolean; children: ReactNode }) {
  return (
    <div className={styles.answer} aria-busy={isFormer}>
      {children}
    </div>
  );
}

/** What a query answers; a skeleton before, what is wrong instead of it. What was read once stays while weir is away. */
export function Answered<T>({
  query,
  lines,
  children,
}: {
  query: { data: T | undefined; error: unknown; refetch: () => unknown };
  lines?: number;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) return <Failing error={query.error} retry={query.refetch} />;
  return <Loading lines={lines} />;
}
