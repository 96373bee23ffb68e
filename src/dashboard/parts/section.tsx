import { Group, Text, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';
import { formatCompute } from '../../core/quantity.ts';
import styles from './section.module.css';

type SectionProps = { title: string; hint?: ReactNode; actions?: ReactNode; children: ReactNode };

/** A card with a heading that names it. */
export function Section({ title, hint, actions, children }: SectionProps) {
  const id = useId();
  return (
    <section className={styles.card} aria-labelledby={id}>
      <Group justify="space-between" align="flex-start" gap="sm" mb="sm">
        <div className={styles.heading}>
          <Title order={2} size="h4" id={id}>
            {title}
          </Title>
          {hint !== undefined && (
            <Text size="sm" c="dimmed">
              {hint}
            </Text>
          )}
        </div>
        {actions !== undefined && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </section>
  );
}

/** Sections beside each other where there is room. */
export function Columns({ children }: { children: ReactNode }) {
  return <div className={styles.columns}>{children}</div>;
}

/** The page's name and what stands beside it. */
export function PageTitle({ title, hint, children }: { title: ReactNode; hint?: ReactNode; children?: ReactNode }) {
  return (
    <Group justify="space-between" align="flex-start" gap="sm" mb="md">
      <div className={styles.heading}>
        <Title order={1} size="h2">
          {title}
        </Title>
        {hint !== undefined && (
          <Text component="div" c="dimmed" size="sm">
            {hint}
          </Text>
        )}
      </div>
      {children !== undefined && <Group gap="xs">{children}</Group>}
    </Group>
  );
}

/** Compute in large type, its unit in small. */
export function ComputeFigure({ compute }: { compute: number }) {
  const [amount = '', unit = ''] = formatCompute(compute).split(' ');
  return (
    <>
      {amount} <small>{unit}</small>
    </>
  );
}

export type Figure = { name: string; value: ReactNode; hint?: ReactNode };

/** The few numbers that a reader came for. */
export function Figures({ figures }: { figures: Figure[] }) {
  return (
    <dl className={styles.figures}>
      {figures.map(({ name, value, hint }) => (
        <div key={name} className={styles.figure}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          {hint !== undefined && <dd className={styles.hint}>{hint}</dd>}
        </div>
      ))}
    </dl>
  );
}
