import { Text } from '@mantine/core';
import { Link } from 'wouter';
import type { Blocker } from '../../../infra/cli/generated/api.ts';
import styles from './blockers.module.css';
import { Moment, useNowMs } from './moment.tsx';
import { proseParts } from './prose-parts.ts';

/** What a waiting job waits for, and what would let it start. */
export function Blockers({ blockers }: { blockers: readonly Blocker[] }) {
  if (blockers.length === 0)
    return (
      <Text size="sm" c="dimmed">
        Its turn comes with the next look at the queue.
      </Text>
    );
  return (
    <ul className={styles.blockers}>
      {blockers.map(({ code, message, unblocks }, at) => (
        <li key={`${at} ${code}`}>
          <Prose text={message} />
          <Text size="sm" c="dimmed">
            Until: <Prose text={unblocks} />
          </Text>
        </li>
      ))}
    </ul>
  );
}

/** A sentence of the service, whose jobs become links and whose times relative ones. */
export function Prose({ text }: { text: string }) {
  const nowMs = useNowMs();
  return proseParts(text, nowMs).map((part, at) => {
    if (typeof part === 'string') return part;
    if ('at' in part) return <Moment key={at} at={part.at} />;
    return (
      <Link key={at} href={`/jobs/${part.job}`}>
        job …{part.job.slice(-6)}
      </Link>
    );
  });
}
