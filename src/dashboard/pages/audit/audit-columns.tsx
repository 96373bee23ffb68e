import { Code } from '@mantine/core';
import type { AuditEntry } from '../../../../infra/cli/generated/api.ts';
import type { Column } from '../../parts/data-table.tsx';
import { Moment } from '../../parts/moment.tsx';
import styles from './audit.module.css';

export const auditColumns: Column<AuditEntry>[] = [
  { name: 'When', show: ({ at }) => <Moment at={at} />, value: ({ at }) => at },
  { name: 'Action', isHeader: true, show: ({ action }) => action, value: ({ action }) => action },
  { name: 'Who', show: ({ actor }) => <span className={styles.id}>{actor}</span>, value: ({ actor }) => actor },
  { name: 'On what', show: ({ target }) => <span className={styles.id}>{target}</span>, value: ({ target }) => target },
  {
    name: 'What changed',
    width: '40%',
    show: (entry) => <Changed entry={entry} />,
    value: ({ before, after }) => JSON.stringify({ before, after }),
  },
];

function Changed({ entry: { before, after } }: { entry: AuditEntry }) {
  if ((before ?? null) === null && (after ?? null) === null) return '–';
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const changed = names.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name]));
  return changed.length === 0 ? (
    'nothing'
  ) : (
    <ul className={styles.changes}>
      {changed.map((name) => (
        <li key={name}>
          {name}: {name in old && <Code>{JSON.stringify(old[name])}</Code>} →{' '}
          {name in now ? <Code>{JSON.stringify(now[name])}</Code> : 'left out'}
        </li>
      ))}
    </ul>
  );
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  return value === null || value === undefined ? {} : { value };
}
