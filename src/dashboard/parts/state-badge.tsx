import { Badge } from '@mantine/core';
import styles from './state-badge.module.css';

/** The state in words, its colour only besides. */
export function StateBadge({ state }: { state: string }) {
  return (
    <Badge className={styles.badge} data-state={state} variant="default" radius="xl" tt="none">
      {state}
    </Badge>
  );
}
